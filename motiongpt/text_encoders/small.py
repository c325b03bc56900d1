"""A small text encoder, trained on the captions at hand: nothing to download.

Shape letters: B captions, L tokens, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from motiongpt.backbones.text_tokenizer import EOS, train_text_tokenizer
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook, checked_by
from motiongpt.text_encoders.caption_pairs import CaptionPairs
from motiongpt.text_encoders.contrastive import Objective, fit_encoder
from motiongpt.text_encoders.transformers_encoder import TransformersTextEncoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

NO_CAPTIONS = (
    "text_encoder=small learns from captions, and no training clip has one: take a data set with "
    "captions, or a published encoder as text_encoder=clip"
)


class SmallTextEncoder(TransformersTextEncoder):
    """A few transformer layers, and the mean over their tokens; `train_small` makes one.

    Upper and lower case are one, and so are all runs of spaces.
    """

    model_class = "DistilBertModel"

    def __init__(
        self, network: PreTrainedModel, text_tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> None:
        super().__init__(network, text_tokenizer, max_tokens)
        self.width = int(network.config.hidden_size)

    def features(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Last states (B, L, D)."""
        return self.network(**tokens).last_hidden_state


def _check_captions(outlook: Outlook, **settings: Any) -> list[str]:
    store = outlook.store
    if store is not None:
        train = store.indices("train")
        if len(store.without_captions(train)) == len(train):
            raise UserError(NO_CAPTIONS)
    return []


@checked_by(_check_captions)
def train_small(
    texts_by_clip: Sequence[Sequence[str]],
    seed: int,
    log: Callable[[str], None],
    *,
    width: int,
    layers: int,
    heads: int,
    feed_forward_width: int,
    dropout: float,
    text_tokens: int,
    max_tokens: int,
    steps: int,
    batch_size: int,
    learning_rate: float,
    temperature: float,
    words: float,
    word_dropout: float,
) -> SmallTextEncoder:
    """Train one on the CPU, in a minute; a `TextEncoderFactory`.

    Two captions of a clip are to be near, those of other clips far (see `Objective`). The global
    random state stays as it was.

    Args:
        texts_by_clip: the captions of each training clip; clips without any are left out.
        width, layers, heads, feed_forward_width, dropout: of the network.
        text_tokens: most tokens of the tokenizer, 256 bytes and the special ones included.
        max_tokens: longer captions are cut there, the end of text included.
        steps, batch_size, learning_rate: of the training; a batch has that many clips.
        temperature, words: of the objective.
        word_dropout: share of a caption's tokens that each view of it loses.

    Raises:
        UserError: no captions, or sizes that don't fit.
    """
    from transformers import DistilBertConfig, DistilBertModel

    clips = [kept for texts in texts_by_clip if (kept := [text for text in texts if text.strip()])]
    if not clips:
        raise UserError(NO_CAPTIONS)
    if width % heads:
        raise UserError(f"text_encoder: width {width} is no multiple of {heads} heads")
    text_tokenizer = caption_tokenizer([text for texts in clips for text in texts], text_tokens)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DistilBertModel(
            DistilBertConfig(
                vocab_size=len(text_tokenizer),
                dim=width,
                n_layers=layers,
                n_heads=heads,
                hidden_dim=feed_forward_width,
                dropout=dropout,
                attention_dropout=0.0,
                max_position_embeddings=max_tokens,
                pad_token_id=text_tokenizer.pad_token_id,
            )
        )
        pairs = CaptionPairs(clips, text_tokenizer, max_tokens, word_dropout, seed)
        objective = Objective(width, len(text_tokenizer), temperature, words)
        log(f"  text encoder: {len(clips)} clips with captions, {len(text_tokenizer)} tokens")
        fit_encoder(network, objective, pairs, steps, batch_size, learning_rate, log)
    return SmallTextEncoder(network, text_tokenizer, max_tokens)


def caption_tokenizer(texts: Sequence[str], text_tokens: int) -> PreTrainedTokenizerFast:
    """A tokenizer trained on `texts` that reads them in lower case and closes each by an end.

    The first word gets the space that stands before all others, so that it is the same token.
    """
    from tokenizers import Regex, normalizers, processors

    tidy = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
            normalizers.Lowercase(),
            normalizers.Prepend(" "),
        ]
    )
    text_tokenizer = train_text_tokenizer([tidy.normalize_str(text) for text in texts], text_tokens)
    text_tokenizer.backend_tokenizer.normalizer = tidy
    text_tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", special_tokens=[(EOS, text_tokenizer.eos_token_id)]
    )
    return text_tokenizer
