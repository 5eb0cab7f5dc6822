"""Cards that a page puts together, each a list or a form of its own."""
