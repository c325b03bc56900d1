"""The CMU motion capture database with HumanML3D's human-written captions."""
