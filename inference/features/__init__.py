"""Named, ordered features of one window, and the electrodes they need."""
