"""Language models laid out for single steps of decoding, as fast as they can."""
