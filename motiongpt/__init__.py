"""Motion as a language: representation, tokenizers, backbones, tasks, training, generation."""

__version__ = "0.1.0"
