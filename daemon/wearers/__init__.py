"""Who wears the headset, and where what is known of each wearer lies."""
