"""Networks and classifiers that judge motion, trained on real clips only."""
