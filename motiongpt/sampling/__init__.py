"""Random numbers of generated rows, and choosing by them."""
