"""Servers of music behind one port: one file a kind, and the bytes of their tracks as if they lay here."""
