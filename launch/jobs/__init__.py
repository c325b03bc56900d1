"""Jobs: stages in processes of their own, here or on a cluster."""
