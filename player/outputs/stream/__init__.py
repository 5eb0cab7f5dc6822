"""What plays as a live stream: encoded for each listener, with titles, over HTTP."""
