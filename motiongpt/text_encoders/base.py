"""What a text encoder is: frozen, it turns sentences into vectors of one width.

A new kind needs a class in a file of this package and a yaml in conf/text_encoder.
Shape letters: B sentences, L tokens, D width.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from motiongpt.data.replace_folder import replacing_folder
from motiongpt.files import write_json

DESCRIPTION = "text_encoder.json"
"""Holds the name of the class under "class"; the rest is the class's own settings."""


class TextEncoder(nn.Module, ABC):
    """Features of sentences, without gradient and always in evaluation mode.

    A sentence's features do not depend on the others that are encoded with it, up to rounding.
    Float32 also where the caller computes in half precision.

    Attributes:
        width: D.
    """

    batch_size: ClassVar[int] = 64
    """Sentences that are read at once."""
    width: int

    @abstractmethod
    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """One batch: features (B, L, D) of its tokens, and a mask (B, L), True at tokens.

        Each sentence has at least one token, the empty one too.
        """

    def pool(self, features: Tensor, mask: Tensor) -> Tensor:
        """Features (B, D) of sentences: here the mean over their tokens."""
        return mean_over_tokens(features, mask)

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Plain JSON that `load` needs besides the files of `save_parts`."""

    @abstractmethod
    def save_parts(self, folder: Path) -> None:
        """Write weights and tokenizer into `folder`, so that nothing outside it is needed."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, settings: dict[str, Any]) -> Self:
        """Read what `save` wrote, on the CPU; `load_text_encoder` calls it.

        Raises:
            UserError: a file is missing or damaged.
        """

    @property
    def device(self) -> torch.device:
        """Where the weights are, and the features that it gives."""
        return next(self.parameters()).device

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Features (B, D) float32 of sentences, on the encoder's device."""
        rows = self._in_batches(texts, lambda features, mask: list(self.pool(features, mask)))
        return torch.stack(rows) if rows else torch.zeros(0, self.width, device=self.device)

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Features (B, L, D) float32 of the tokens, zero behind a sentence's last one, and their
        mask (B, L); for methods that attend to words.
        """
        rows = self._in_batches(
            texts,
            lambda features, mask: [row[there] for row, there in zip(features, mask, strict=True)],
        )
        longest = max(map(len, rows), default=0)
        features = torch.zeros(len(rows), longest, self.width, device=self.device)
        mask = torch.zeros(len(rows), longest, dtype=torch.bool, device=self.device)
        for index, row in enumerate(rows):
            features[index, : len(row)], mask[index, : len(row)] = row, True
        return features, mask

    def save(self, folder: Path | str) -> None:
        """Write all that `load_text_encoder` needs, all of it or nothing."""
        with replacing_folder(Path(folder)) as new:
            self.save_parts(new)
            write_json(new / DESCRIPTION, {"class": type(self).__name__, **self.settings()})

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode: a module that holds an encoder does not train it."""
        return super().train(False)

    def _in_batches(
        self, texts: Sequence[str], rows_of: Callable[[Tensor, Tensor], list[Tensor]]
    ) -> list[Tensor]:
        """One tensor a sentence, in the order given; sentences of similar length share a batch."""
        self.eval()
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        found: list[Tensor] = [torch.empty(0)] * len(texts)
        # not inference mode: what it yields can't be an input of layers that learn
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            for start in range(0, len(order), self.batch_size):
                chosen = order[start : start + self.batch_size]
                features, mask = self.read([texts[index] for index in chosen])
                for index, row in zip(chosen, rows_of(features, mask), strict=True):
                    found[index] = row.float()
        return found


TextEncoderFactory = Callable[[Sequence[Sequence[str]], int, Callable[[str], None]], TextEncoder]
"""What a node of conf/text_encoder builds: called with the captions of each training clip, a seed
and a function that logs one line. Published encoders use none of them."""


def mean_over_tokens(features: Tensor, mask: Tensor) -> Tensor:
    """Mean (B, D) of features (B, L, D) where the mask (B, L) is True."""
    weights = mask[..., None].to(features.dtype)
    return (features * weights).sum(1) / weights.sum(1)
