"""How well sentences match human captions: protocols, two back ends, and their files."""
