"""Methods: what can be asked for motion or for words; one folder a method."""
