"""Speed: our way and the original's way timed side by side, each side in a process of its own."""
