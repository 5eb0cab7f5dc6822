"""The wearer's own labelled minutes: the guide, what it says, and the network fitted to them."""
