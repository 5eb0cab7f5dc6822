"""What a reader found, laid on an even grid by its stamps and counts."""
