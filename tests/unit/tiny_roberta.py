"""A RoBERTa of two layers with random weights and a tokenizer of bytes, as a local folder."""

import json
from pathlib import Path

import torch


def save_tiny_roberta(folder: Path) -> Path:
    """Write config, weights and a slow tokenizer without merges: every byte is a word piece."""
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizer
    from transformers.models.roberta.tokenization_roberta import bytes_to_unicode

    folder.mkdir(parents=True, exist_ok=True)
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *bytes_to_unicode().values()]
    vocabulary = {word: number for number, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    RobertaTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = RobertaConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=66,
        )
        RobertaModel(config).save_pretrained(folder)
    return folder
