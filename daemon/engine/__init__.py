"""The engine role: EEG in, settled states out, and one place that says what happened meanwhile."""
