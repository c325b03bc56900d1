"""Training examples of MoMask: every clip as codes and every caption as features, made once.

Shapes: B batch, N tokens of the longest row, n of one, Q codebooks, X numbers of a text's features.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from motiongpt.data.store import MotionStore
from motiongpt.methods.momask.masking import IGNORED, Masking, drawn_codebook
from motiongpt.methods.t2m_gpt.rows import DROP_PROBABILITY, drop_at_random

Example = TypeVar("Example")


class MaskedRow(NamedTuple):
    """A row of the masked transformer, or a batch of B of them.

    Attributes:
        text: (X,) or (B, X) float32 features of a caption; zeros where it is hidden.
        inputs: (n,) or (B, N) int64 ids that are read.
        labels: the same shape, codes of the targets and `IGNORED` elsewhere.
        padding: () or (B, N) bool, True where a row has ended.
        targets: how many there are, known without asking the device.
    """

    text: Tensor
    inputs: Tensor
    labels: Tensor
    padding: Tensor
    targets: int


class ResidualRow(NamedTuple):
    """A row of the residual transformer, or a batch of B of them.

    Attributes:
        text: as of `MaskedRow`.
        codes: (n, Q) or (B, N, Q) int64, `pad` where a row has ended.
        codebook: () or (B,) int64, which is asked for.
        labels: (n,) or (B, N) int64 codes of that codebook, `IGNORED` where a row has ended.
        padding: () or (B, N) bool, True there.
        targets: as of `MaskedRow`.
    """

    text: Tensor
    codes: Tensor
    codebook: Tensor
    labels: Tensor
    padding: Tensor
    targets: int


class LengthRow(NamedTuple):
    """An example of the length estimator, or a batch of B of them: texts (B, X), tokens (B,)."""

    text: Tensor
    tokens: Tensor


class CodeExamples(Dataset[Example], ABC, Generic[Example]):
    """For each key (clip index, random seed) an example that depends on nothing else.

    Args:
        store: of the clips.
        codes: clip index -> (n, Q) int64, for the clips of the train and val splits.
        texts: (U, X) float32 features of the captions that there are.
        text_of: caption -> its row of `texts`.
        drop_text: how often training hides the caption, for the guidance.
    """

    def __init__(
        self,
        store: MotionStore,
        codes: Mapping[int, np.ndarray],
        texts: Tensor,
        text_of: Mapping[str, int],
        drop_text: float,
    ) -> None:
        self.store, self.codes, self.texts = store, codes, texts
        self.text_of, self.drop_text = text_of, drop_text
        self._trained = frozenset(store.indices("train").tolist())

    def __getitem__(self, key: tuple[int, int]) -> Example:
        """The example of one key: one caption of the clip, and its codes.

        In training a caption is hidden now and then, and the first or last token may be missing, as
        released; in validation neither.
        """
        index, seed = key
        rng = np.random.default_rng(seed)
        captions = self.store.captions(index)
        text = self.texts[self.text_of[captions[rng.integers(len(captions))].text]]
        hidden, codes = rng.random() < self.drop_text, self.codes[index]
        if index in self._trained:
            text = torch.zeros_like(text) if hidden else text
            codes = drop_at_random(codes, DROP_PROBABILITY, rng)
        return self.example(text, codes, rng)

    @abstractmethod
    def example(self, text: Tensor, codes: np.ndarray, rng: np.random.Generator) -> Example:
        """One example of a text (X,) and codes (n, Q)."""

    def counts(self) -> np.ndarray:
        """(C,) int64 tokens of each clip of the store, 0 where it is not trained on."""
        return np.array([len(self.codes.get(i, ())) for i in range(len(self.store))], np.int64)


class MaskedExamples(CodeExamples[MaskedRow]):
    """Of the masked transformer.

    Args:
        masking: what is hidden.
        codebook_size: of the codes; also the id of the mask.
        max_tokens: of the longest row.
        settings: see `CodeExamples`.
    """

    def __init__(
        self, masking: Masking, codebook_size: int, max_tokens: int, *settings: Any
    ) -> None:
        super().__init__(*settings)
        self.masking, self.codebook_size, self.max_tokens = masking, codebook_size, max_tokens

    def example(self, text: Tensor, codes: np.ndarray, rng: np.random.Generator) -> MaskedRow:
        """See `CodeExamples.example`."""
        row = self.masking.row(codes[:, 0], self.codebook_size, self.max_tokens, rng)
        inputs, labels = (torch.from_numpy(ids) for ids in row)
        return MaskedRow(text, inputs, labels, torch.tensor(False), int((labels >= 0).sum()))


class ResidualExamples(CodeExamples[ResidualRow]):
    """Of the residual transformer.

    Args:
        choice: how a codebook is drawn, see `drawn_codebook`.
        settings: see `CodeExamples`.
    """

    def __init__(self, choice: str, *settings: Any) -> None:
        super().__init__(*settings)
        self.choice = choice

    def example(self, text: Tensor, codes: np.ndarray, rng: np.random.Generator) -> ResidualRow:
        """See `CodeExamples.example`."""
        which = int(drawn_codebook(rng.random(), codes.shape[1], self.choice))
        whole = torch.from_numpy(codes)
        labels = whole[:, which]
        return ResidualRow(
            text, whole, torch.tensor(which), labels, torch.tensor(False), len(codes)
        )


class LengthExamples(CodeExamples[LengthRow]):
    """Of the length estimator; the clip's own length, nothing missing."""

    def __getitem__(self, key: tuple[int, int]) -> LengthRow:
        """See `CodeExamples`."""
        text = super().__getitem__(key).text
        return LengthRow(text, torch.tensor(len(self.codes[key[0]])))

    def example(self, text: Tensor, codes: np.ndarray, rng: np.random.Generator) -> LengthRow:
        """See `CodeExamples.example`."""
        return LengthRow(text, torch.tensor(len(codes)))


def collate_masked(rows: Sequence[MaskedRow], pad: int) -> MaskedRow:
    """A batch; `pad` fills rows up."""
    return MaskedRow(
        torch.stack([row.text for row in rows]),
        _filled([row.inputs for row in rows], pad),
        _filled([row.labels for row in rows], IGNORED),
        _padding([row.inputs for row in rows]),
        sum(row.targets for row in rows),
    )


def collate_residual(rows: Sequence[ResidualRow], pad: int) -> ResidualRow:
    """A batch; `pad` fills rows up."""
    return ResidualRow(
        torch.stack([row.text for row in rows]),
        _filled([row.codes for row in rows], pad),
        torch.stack([row.codebook for row in rows]),
        _filled([row.labels for row in rows], IGNORED),
        _padding([row.codes for row in rows]),
        sum(row.targets for row in rows),
    )


def collate_lengths(rows: Sequence[LengthRow]) -> LengthRow:
    """A batch."""
    return LengthRow(*(torch.stack(values) for values in zip(*rows, strict=True)))


def _filled(rows: Sequence[Tensor], value: int) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=value)


def _padding(rows: Sequence[Tensor]) -> Tensor:
    lengths = torch.tensor([len(row) for row in rows])
    return torch.arange(int(lengths.max())) >= lengths[:, None]
