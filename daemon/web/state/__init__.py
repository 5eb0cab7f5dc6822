"""What the page knows: the live session, its history, recordings, tracks."""
