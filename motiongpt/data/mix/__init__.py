"""Several motion sources as one to train on; each keeps a store of its own."""
