"""What a network is worth on people who had no part in it, with every control, as a wearer meets it."""
