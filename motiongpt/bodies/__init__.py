"""Bodies: joints to rotations, shapes and meshes; the free body, and those of the SMPL family."""
