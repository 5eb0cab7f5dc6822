"""Which track is next, and why: wearer, targets, policies, taste."""
