"""ACTOR: a transformer autoencoder of whole clips, with or without action labels."""
