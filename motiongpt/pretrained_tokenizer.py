"""The text tokenizer of a model of transformers, from a folder or the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(source: str | Path, **options: Any) -> PreTrainedTokenizerBase:
    """The tokenizer that `save_pretrained` wrote, or that lies under a name on the hub.

    Args:
        options: of `AutoTokenizer.from_pretrained`.

    Raises:
        OSError: there is none, or it can't be had.
        ValueError: the same; transformers 5 makes an empty one up where files are missing.
    """
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source, **options)
    # T5's, made up, has one piece besides its special tokens: the blank.
    if len(set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens)) < 2:
        raise ValueError("no tokenizer there: its files are missing")
    return tokenizer
