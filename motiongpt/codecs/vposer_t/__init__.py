"""VPoser-t: a whole clip as one vector, by layers that see all its frames at once."""
