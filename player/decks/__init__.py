"""Decoders behind one port, read ahead into rings."""
