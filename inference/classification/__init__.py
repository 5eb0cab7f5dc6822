"""From features to a settled state: fallback rule, valence, smoothing."""
