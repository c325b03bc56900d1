"""Bodies of other projects: parametric ones, as motion capture archives describe people with."""
