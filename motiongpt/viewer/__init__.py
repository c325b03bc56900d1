"""Pages on which motion is turned, played and compared in a browser."""
