"""Configurations: from the words of a command line to what they resolve to."""
