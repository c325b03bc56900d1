"""What continuous codecs share: losses, the Lightning module and the stage that trains them."""
