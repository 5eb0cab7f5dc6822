"""Sound files decoded to PCM: one port, PyAV and miniaudio behind it."""
