"""Everything about music: library, choice of tracks, decks, mixer and sinks. Knows nothing of EEG."""
