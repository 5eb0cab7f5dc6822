"""Sessions on disk: the XDF they are written in, consent, recovery after a crash."""
