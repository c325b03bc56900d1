"""Submitting stages to a SLURM cluster, and asking it how they are."""
