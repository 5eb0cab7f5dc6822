"""Training: settings, splits, augmentation, checkpoints, the loop."""
