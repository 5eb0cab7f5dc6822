"""The commands of ``neuroplayer models``."""
