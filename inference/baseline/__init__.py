"""The wearer's rest, against which the session is read."""
