"""The music folders: found, measured once, kept, listed."""
