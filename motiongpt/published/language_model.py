"""The language model of a released checkpoint as a backbone."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.backbones.text_tokenizer import add_motion_tokens
from motiongpt.errors import UserError
from motiongpt.pretrained_tokenizer import load_tokenizer
from motiongpt.published.gpt2_weights import INPUT as GPT2_INPUT
from motiongpt.published.gpt2_weights import gpt2_from_state
from motiongpt.published.t5_weights import t5_from_state
from motiongpt.reachable import hub_is_reachable

T5_INPUT = "shared.weight"
TEXT_TOKENIZERS = {T5_INPUT: "google/flan-t5-base", GPT2_INPUT: "gpt2"}
"""The text tokenizer that MotionGPT used, by a weight that tells the architecture."""


def usual_text_tokenizer(state: Mapping[str, Tensor], prefix: str) -> str:
    """Hub name of the text tokenizer that such a model was released with.

    Raises:
        UserError: neither a T5 nor a GPT-2.
    """
    return TEXT_TOKENIZERS[_architecture(state, prefix)]


def backbone_from_state(
    state: Mapping[str, Tensor], codebook_size: int, text_tokenizer: str, prefix: str
) -> Backbone:
    """T5 or GPT-2 with released weights and the motion tokens of a codebook.

    Args:
        state: names of transformers' model to tensors.
        codebook_size: codes of the motion tokenizer in the same checkpoint.
        text_tokenizer: hub name or local folder.
        prefix: of the names in the file, for messages.

    Raises:
        UserError: another architecture, a text tokenizer that can't be had or doesn't fit, weights
            missing, left over or of other shapes.
    """
    name = _architecture(state, prefix)
    vocabulary = MotionVocabulary(codebook_size)
    tokenizer = _text_tokenizer(text_tokenizer)
    words = len(tokenizer)
    add_motion_tokens(tokenizer, vocabulary)
    _check_rows(state[name], tokenizer, vocabulary, f"{prefix}{name}", text_tokenizer, words)
    if name == T5_INPUT:
        return T5Backbone(t5_from_state(state, tokenizer, prefix), tokenizer, vocabulary)
    return GPT2Backbone(gpt2_from_state(state, tokenizer, prefix), tokenizer, vocabulary)


def _architecture(state: Mapping[str, Tensor], prefix: str) -> str:
    found = next((name for name in TEXT_TOKENIZERS if name in state), None)
    if found is None:
        wanted = " (T5) or ".join(prefix + name for name in TEXT_TOKENIZERS)
        names = ", ".join(prefix + name for name in sorted(state)[:3]) or "nothing"
        raise UserError(f"expected {wanted} (GPT-2), found {names} …")
    return found


def _text_tokenizer(source: str) -> PreTrainedTokenizerBase:
    local = Path(source).is_dir() or not hub_is_reachable()
    try:
        found: PreTrainedTokenizerBase = load_tokenizer(source, local_files_only=local)
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split()).partition(". ")[0]
        if local and not Path(source).is_dir():
            reason = "the hub can't be reached, and it is not in the local cache"
        raise UserError(
            f"text tokenizer {source}: can't be had ({reason}); fetch it where there is a network "
            "(AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER)) and pass "
            "--text-tokenizer FOLDER"
        ) from error
    return found


def _check_rows(
    embedding: Tensor,
    tokenizer: PreTrainedTokenizerBase,
    vocabulary: MotionVocabulary,
    weight: str,
    source: str,
    words: int,
) -> None:
    """Refuse a text tokenizer whose tokens aren't the rows of the embedding, in their order.

    MotionGPT adds the motion tokens behind the text tokenizer's own, codes first, then the marks,
    and has the embedding resized to exactly that many rows.
    """
    rows, tokens = int(embedding.shape[0]), len(tokenizer)
    if rows != tokens:
        raise UserError(
            f"{weight}: expected {tokens} rows (the text tokenizer {source} with {words} tokens "
            f"and {len(vocabulary)} for motion), found {rows}: another text tokenizer, or another "
            "codebook"
        )
    ids = vocabulary.token_ids(tokenizer)
    if not np.array_equal(ids, np.arange(tokens - len(vocabulary), tokens)):
        raise UserError(
            f"text tokenizer {source}: expected the motion tokens as the last {len(vocabulary)}, "
            f"in order, found them at {ids.min()} to {ids.max()}: take the tokenizer as published"
        )
