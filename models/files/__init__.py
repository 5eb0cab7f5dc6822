"""Files of others and our own, read and written safely."""
