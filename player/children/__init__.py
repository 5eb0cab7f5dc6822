"""Child processes of the player: their end, their last words, and whether they are at work."""
