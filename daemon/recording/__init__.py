"""A session recorded, replayed and compared, and forgotten."""
