"""The four architectures, their inputs and labels, and their files."""
