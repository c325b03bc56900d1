"""The web page: sentences and files in, motion to look at and to take home out."""
