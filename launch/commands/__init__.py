"""One sub-command of the command line, one file."""
