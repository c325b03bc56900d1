"""Small random decoder-only models in folders as they are published, made here: nothing is fetched."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import processors
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedTokenizerBase

from motiongpt.backbones.text_tokenizer import EOS, train_text_tokenizer

TEXTS = [
    f"a person walks {way} and then waves {count} times with the left hand"
    for way in ("forward", "backward", "in a circle")
    for count in range(12)
]
TOKENS = 420
WIDTH = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 4, "max_position_embeddings": 640}
SIZES: dict[str, dict[str, Any]] = {
    "llama": {**WIDTH, **HEADS, "num_key_value_heads": 2, "tie_word_embeddings": False},
    "qwen2": {**WIDTH, **HEADS, "num_key_value_heads": 2, "tie_word_embeddings": True},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 640},
    "gpt_neox": {**WIDTH, **HEADS, "tie_word_embeddings": False},
    "phi": {**WIDTH, **HEADS, "tie_word_embeddings": False},
}
SPARE_ROWS = {"qwen2": 7}  # behind the vocabulary, as published ones have
DROPOUTS = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


def published(folder: Path, kind: str, **options: Any) -> Path:
    """`folder`, holding a model of `kind` (its `model_type`) and its text tokenizer.

    LLaMA's texts begin with a mark and its tokenizer has no padding; GPT-NeoX's has no end of text
    either. Scores are spread, as random weights' are too alike.

    Args:
        options: of the configuration.
    """
    tokenizer = _tokenizer(kind)
    torch.manual_seed(0)
    sizes = {**SIZES.get(kind, {}), **(DROPOUTS if kind in ("gpt2", "phi") else {}), **options}
    rows = len(tokenizer) + SPARE_ROWS.get(kind, 0)
    marks = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": None}
    model = AutoModelForCausalLM.from_config(
        CONFIG_MAPPING[kind](vocab_size=rows, **marks, **sizes)
    )
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(3.0 if value.ndim > 1 else 1.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(kind: str) -> PreTrainedTokenizerBase:
    tokenizer = train_text_tokenizer(TEXTS, TOKENS)
    if kind in ("llama", "gpt_neox"):
        tokenizer.pad_token = None
    if kind == "gpt_neox":
        tokenizer.eos_token = None
    if kind == "llama":
        start = ("<unk>", tokenizer.unk_token_id)
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single="<unk> $A", special_tokens=[start]
        )
        tokenizer.bos_token = "<unk>"
    assert kind == "gpt_neox" or tokenizer.eos_token == EOS
    return tokenizer
