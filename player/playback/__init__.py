"""The loop that never stops: line-up, transitions, where to go on."""
