"""Several systems' captions under every protocol: scores, intervals, tests, and who changes place."""
