"""BIDS folders as OpenNeuro gives them: recordings, their events, and which stretches are rest or work."""
