"""Stored networks: manifest, vetting in a child, LiteRT."""
