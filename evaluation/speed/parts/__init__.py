"""What is timed: one file, one part, found by discovery."""
