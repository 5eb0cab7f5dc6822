"""Taking back what is known of a wearer: from the disk, from running roles and from brokers."""
