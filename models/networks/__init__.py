"""The five architectures, their inputs and labels, and their files."""
