"""What a discrete codec's codebook learnt, as numbers and as a page."""
