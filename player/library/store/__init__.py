"""What is known of every file and sound, in SQLite, and why a file is refused."""
