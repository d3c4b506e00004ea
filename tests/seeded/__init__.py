"""Bugs sown into a copy of the engine, to see that the oracles find them."""
