"""Music composed on the spot for those who bring none."""
