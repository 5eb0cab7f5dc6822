"""What stands around every page: notices, the way back, recording, and what plays."""
