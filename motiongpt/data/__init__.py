"""Motion sources, the memory-mapped store they end in, and its checks."""
