"""Acclaim's motion capture: a skeleton in an ASF file, its motions in AMC files."""
