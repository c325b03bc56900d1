"""HumanML3D's size by simulation: what waits a researcher who has 30,000 clips, and how it grows."""
