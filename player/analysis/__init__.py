"""What is measured of a track: loudness, cue points, spectrum, mood."""
