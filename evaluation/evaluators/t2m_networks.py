"""The three networks of the text-motion evaluator of Guo et al. (CVPR 2022, "T2M").

Parameters are called as in the published weights, so that these load as they are.
Shapes: B clips or captions, T frames, F features, S movement steps (T // 4), L tokens, D width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from evaluation.evaluators.parts_of_speech import CATEGORIES

FRAMES_PER_STEP = 4
"""Frames that one movement step stands for: two convolutions of stride 2."""
N_CONTACTS = 4
"""Foot contacts at the end of the features, which the networks don't see."""
SLOPE = 0.2
DROPOUT = 0.2


@dataclass(frozen=True)
class T2MSizes:
    """Widths of the networks; the defaults are those of the published weights for HumanML3D.

    Attributes:
        n_features: F, foot contacts included; 251 for KIT.
        movement_hidden: of the first convolution.
        movement: of a movement step.
        motion_hidden: of the GRU over movement steps, each direction.
        text_hidden: of the GRU over words, each direction.
        word: of a word vector.
        embedding: of the space that motions and captions share.
    """

    n_features: int = 263
    movement_hidden: int = 512
    movement: int = 512
    motion_hidden: int = 1024
    text_hidden: int = 512
    word: int = 300
    embedding: int = 512

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> "T2MSizes":
        """The sizes that a `T2MNetworks.state_dict()` tells by its shapes.

        Raises:
            KeyError: a weight that tells a size is not there.
        """
        convolution = state["movement_encoder.main.0.weight"].shape
        return cls(
            n_features=convolution[1] + N_CONTACTS,
            movement_hidden=convolution[0],
            movement=state["movement_encoder.out_net.weight"].shape[0],
            motion_hidden=state["motion_encoder.input_emb.weight"].shape[0],
            text_hidden=state["text_encoder.input_emb.weight"].shape[0],
            word=state["text_encoder.input_emb.weight"].shape[1],
            embedding=state["motion_encoder.output_net.3.weight"].shape[0],
        )


class MovementEncoder(nn.Module):
    """Two strided convolutions over time: one movement step for every four frames."""

    def __init__(self, sizes: T2MSizes) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(sizes.n_features - N_CONTACTS, sizes.movement_hidden, 4, 2, 1),
            nn.Dropout(DROPOUT),
            nn.LeakyReLU(SLOPE),
            nn.Conv1d(sizes.movement_hidden, sizes.movement, 4, 2, 1),
            nn.Dropout(DROPOUT),
            nn.LeakyReLU(SLOPE),
        )
        self.out_net = nn.Linear(sizes.movement, sizes.movement)
        self.apply(initialise)

    def forward(self, features: Tensor) -> Tensor:
        """Movement steps (B, S, D) of normalised features (B, T, F), contacts included.

        The frames beyond a clip's end must be zero; a step sees three frames before its four and
        three after them, so the last ones of a clip see this padding.
        """
        seen = features[..., :-N_CONTACTS]
        return self.out_net(self.main(seen.transpose(1, 2)).transpose(1, 2))


class SequenceEncoder(nn.Module):
    """A GRU in both directions with learned first states; its last states, then two layers."""

    def __init__(self, width: int, hidden: int, embedding: int) -> None:
        super().__init__()
        self.input_emb = nn.Linear(width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.output_net = nn.Sequential(
            nn.Linear(2 * hidden, hidden),
            nn.LayerNorm(hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, embedding),
        )
        self.hidden = nn.Parameter(torch.randn(2, 1, hidden))
        self.input_emb.apply(initialise)
        self.output_net.apply(initialise)

    def encode(self, inputs: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (B, D) of sequences (B, L, D').

        Args:
            lengths: (B,) at least 1: the GRU runs over these items only, in any order of rows;
                None lets it run over all L, padding and all.
        """
        hidden = self.input_emb(inputs)
        first = self.hidden.expand(-1, len(inputs), -1).contiguous()
        if lengths is None:
            _, last = self.gru(hidden, first)
        else:
            packed = pack_padded_sequence(
                hidden, lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            _, last = self.gru(packed, first)
        return self.output_net(torch.cat([last[0], last[1]], dim=-1))


class MotionEncoder(SequenceEncoder):
    """Movement steps to one embedding a clip."""

    def __init__(self, sizes: T2MSizes) -> None:
        super().__init__(sizes.movement, sizes.motion_hidden, sizes.embedding)

    def forward(self, movements: Tensor, steps: Tensor | None) -> Tensor:
        """Embeddings (B, D) of movement steps (B, S, D'); `steps` as `lengths` of `encode`."""
        return self.encode(movements, steps)


class TextEncoder(SequenceEncoder):
    """Word vectors and parts of speech to one embedding a caption."""

    def __init__(self, sizes: T2MSizes) -> None:
        super().__init__(sizes.word, sizes.text_hidden, sizes.embedding)
        self.pos_emb = nn.Linear(len(CATEGORIES), sizes.word)
        self.pos_emb.apply(initialise)

    def forward(self, words: Tensor, categories: Tensor, lengths: Tensor) -> Tensor:
        """Embeddings (B, D) of word vectors (B, L, D') and one-hot categories (B, L, 15)."""
        return self.encode(words + self.pos_emb(categories), lengths)


class T2MNetworks(nn.Module):
    """The three together, for batches that are padded already.

    Args:
        sizes: widths; those of the published weights by default.
    """

    def __init__(self, sizes: T2MSizes | None = None) -> None:
        super().__init__()
        self.sizes = sizes or T2MSizes()
        self.movement_encoder = MovementEncoder(self.sizes)
        self.motion_encoder = MotionEncoder(self.sizes)
        self.text_encoder = TextEncoder(self.sizes)

    @staticmethod
    def pad_motion(clips: Sequence[Tensor], max_frames: int) -> tuple[Tensor, Tensor]:
        """Normalised clips (T, F) as one batch (B, longest + 4, F), and their frames (B,).

        The last movement step of a clip sees three frames beyond its end: with four zeros there it
        is what T2M's padding to `max_frames` gives, so no more is needed, and the longest clips
        get no more than T2M gives them.
        """
        padded = pad_sequence(list(clips), batch_first=True)
        missing = min(FRAMES_PER_STEP, max(0, max_frames - padded.shape[1]))
        lengths = torch.tensor([len(clip) for clip in clips])
        return nn.functional.pad(padded, (0, 0, 0, missing)), lengths

    def embed_motion(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (B, D) of normalised features (B, T, F), zero beyond each clip's end.

        Args:
            lengths: (B,) frames, at least 4: only a clip's own lengths // 4 movement steps count,
                as in the evaluation of T2M. None counts all of them, as MotionGPT's released
                code does; the result then depends on how far the batch is padded.
        """
        steps = None if lengths is None else lengths // FRAMES_PER_STEP
        return self.motion_encoder(self.movement_encoder(features), steps)

    def embed_text(self, words: Tensor, categories: Tensor, lengths: Tensor) -> Tensor:
        """Embeddings (B, D) of word vectors (B, L, D'), categories (B, L, 15), lengths (B,)."""
        return self.text_encoder(words, categories, lengths)


def initialise(layer: nn.Module) -> None:
    """First weights as in T2M's training: Xavier normal, biases zero."""
    if isinstance(layer, nn.Conv1d | nn.Linear):
        nn.init.xavier_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
