"""Forms that motions come in; a new one is a new file here, found by itself."""
