"""Our way and the original's way timed side by side, each in a process of its own."""
