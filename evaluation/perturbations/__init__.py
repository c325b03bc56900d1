"""Changes of real motion whose effect on a judge is known beforehand: one file each."""
