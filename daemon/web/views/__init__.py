"""From what is known to what is shown, without a widget."""
