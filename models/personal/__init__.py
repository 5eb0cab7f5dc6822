"""Networks fitted to one wearer, kept only by proof."""
