"""A session recorded, replayed and compared."""
