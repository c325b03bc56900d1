"""Several systems' captions under every protocol: scores, intervals, tests, reversed orders."""
