"""Skeletons, rotations, and the way between joint positions and features."""
