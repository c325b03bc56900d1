"""Networks that turn motion features into discrete codes and back."""
