"""Trained models behind the Motion Model Context Protocol, which Blender's client speaks."""
