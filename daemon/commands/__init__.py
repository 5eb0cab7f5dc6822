"""The commands of ``neuroplayer``, one noun a file; ``daemon.cli`` names them and imports them when used."""
