"""Reading what a sentence claims, and measuring on joints whether a motion does it."""
