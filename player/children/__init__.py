"""Child processes of the player: their end, their last words, and how long they may work."""
