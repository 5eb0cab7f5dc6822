"""The session in a terminal: live, plain, and its summary."""
