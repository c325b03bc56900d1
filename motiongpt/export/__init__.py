"""Motion for other programs: BVH."""
