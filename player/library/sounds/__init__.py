"""What a file holds: its header, the name of its sound, and its measures."""
