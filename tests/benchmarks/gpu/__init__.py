"""What a GPU has to show: the CPU's numbers, on every precision and strategy, near its limits."""
