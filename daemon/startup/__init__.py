"""How ``run`` begins: what is found, what is said, what is started."""
