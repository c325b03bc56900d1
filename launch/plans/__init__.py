"""Plans: the stages behind experiments, their signatures, and what they will cost."""
