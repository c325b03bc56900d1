"""From tokens to words: which words of a prompt the codes of a motion were read from.

Shape letters: L tokens of the target, C codes among them, M tokens of the prompt, W words.
"""

import re

import numpy as np

from motiongpt.backbones.base import Backbone
from motiongpt.errors import UserError
from motiongpt.methods.base import Attended

END = "(end)"


def by_words(backbone: Backbone, prompt: str, target: str, weights: np.ndarray) -> Attended:
    """Join what tokens read of tokens (L, M), the ends of text included.

    A word's share is the sum over its tokens; rows of marks and of the end are left out.

    Raises:
        UserError: a text tokenizer that does not tell where its tokens stand.
    """
    ids = backbone.encode_targets([target])[0]
    codes = {token: code for code, token in enumerate(backbone.token_ids.codes)}
    rows = [row for row, token in enumerate(ids) if token in codes]
    words = list(re.finditer(r"\S+", prompt))
    shares = np.zeros((len(rows), len(words) + 1), np.float32)
    # The prompt may have been cut; its last token is the end of text, which stands in no word.
    for column, word in enumerate(
        _words_of_tokens(backbone, prompt, words)[: weights.shape[1] - 1]
    ):
        shares[:, word] += weights[rows, column]
    shares[:, -1] += weights[rows, -1]
    found = np.array([codes[ids[row]] for row in rows], np.int64)
    return Attended([*(word[0] for word in words), END], found, shares)


def _words_of_tokens(backbone: Backbone, prompt: str, words: list[re.Match[str]]) -> list[int]:
    """Index of the word that each of the prompt's M - 1 tokens is a part of."""
    tokenizer = backbone.text_tokenizer
    if not tokenizer.is_fast:
        raise UserError(
            "the model's text tokenizer does not tell where its tokens stand: install tokenizers"
        )
    encoded = tokenizer(prompt, add_special_tokens=False, return_offsets_mapping=True)
    ends = [word.end() for word in words]
    last = len(words) - 1
    # A token may begin with the space before its word: its end tells which word it is of.
    return [min(int(np.searchsorted(ends, end)), last) for _, end in encoded["offset_mapping"]]
