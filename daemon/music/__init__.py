"""The player role: commands and moods in, what plays and why out."""
