"""The commands that speak to a running player, and `watch`, which hears what is said."""
