"""A whole training run: recipe, folder, export, what is stored."""
