"""The network of MDM that tells a motion in its noise (Tevet et al., ICLR 2023, arXiv:2209.14916).

Shapes: B batch, T frames, F features, D width, L words (1 for a whole caption), X numbers of a
text's features.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.errors import UserError
from motiongpt.float32_state import Float32State
from motiongpt.text_encoders.texts import Texts

SLOWEST = 10_000.0
KINDS = ("encoder", "decoder")


class MotionDenoiser(nn.Module):
    """A transformer over frames, told the step of the diffusion and a text.

    Args:
        n_features: F.
        text_width: X of the text encoder.
        frames: of the longest motion.
        width, feed_forward, layers, heads, dropout, activation: D and the rest of the transformer,
            as torch has it, normalised after each part.
        kind: "encoder", the paper's main model: step and text are a token before the frames; or
            "decoder": the frames attend to them.
        words: whether the text is read word by word; of a decoder only.
        step_token: whether a decoder has the step as a token before the frames too.
        hide_padding: whether the frames behind a motion's end are hidden from attention. The
            released models of 1,000 steps see them: then every motion is made with `frames` frames.
        positions: rows of the table that frames and steps share.

    Raises:
        UserError: settings that don't go together.
    """

    def __init__(
        self,
        n_features: int,
        text_width: int,
        frames: int = 196,
        width: int = 512,
        feed_forward: int = 1024,
        layers: int = 8,
        heads: int = 4,
        dropout: float = 0.1,
        activation: str = "gelu",
        kind: str = "encoder",
        words: bool = False,
        step_token: bool = False,
        hide_padding: bool = True,
        positions: int = 5000,
    ) -> None:
        super().__init__()
        self._arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        _check(kind, words, step_token, frames, positions, width)
        self.n_features, self.text_width, self.width = n_features, text_width, width
        self.frames, self.words, self.hide_padding = frames, words, hide_padding
        self.kind, self.has_token = kind, kind == "encoder" or step_token
        self.table = Sinusoids(positions, width)
        self.frame_embedding = nn.Linear(n_features, width)
        self.step_embedding = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.text_embedding = nn.Linear(text_width, width)
        self.dropout = nn.Dropout(dropout)
        sizes = (width, heads, feed_forward, dropout, activation)
        self.transformer: nn.Module
        if kind == "encoder":
            block = nn.TransformerEncoderLayer(*sizes, batch_first=True)
            self.transformer = nn.TransformerEncoder(block, layers, enable_nested_tensor=False)
        else:
            other = nn.TransformerDecoderLayer(*sizes, batch_first=True)
            self.transformer = nn.TransformerDecoder(other, layers)
        self.output = nn.Linear(width, n_features)

    def forward(
        self, noisy: Tensor, steps: Tensor, texts: Texts, lengths: Tensor | None = None
    ) -> Tensor:
        """The motion (B, T, F) in `noisy` (B, T, F), without its noise.

        Args:
            steps: (B,) int64, numbers of the whole diffusion.
            lengths: (B,) int64 frames of each motion; None where all have T.
        """
        step = self.step_embedding(self.table.rows[steps])[:, None]
        told = step + self.text_embedding(texts.features)
        hidden = self._hidden(noisy, lengths)
        if self.kind == "encoder":
            states = self.transformer(self.sequence(noisy, told), src_key_padding_mask=hidden)
        else:
            states = self.transformer(
                self.sequence(noisy, step),
                told,
                tgt_key_padding_mask=hidden,
                memory_key_padding_mask=texts.hidden if self.words else None,
            )
        found: Tensor = self.output(states[:, 1:] if self.has_token else states)
        return found

    def sequence(self, noisy: Tensor, token: Tensor) -> Tensor:
        """(B, T + 1, D) what the transformer reads: a token (B, 1, D), if any, and the frames."""
        frames = self.frame_embedding(noisy)
        both = torch.cat((token, frames), 1) if self.has_token else frames
        positions = self.table.rows[: both.shape[1]].to(both.dtype)
        placed: Tensor = self.dropout(both + positions)
        return placed

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return dict(self._arguments)

    def _hidden(self, noisy: Tensor, lengths: Tensor | None) -> Tensor | None:
        """(B, tokens) bool, True where attention does not look; None where it looks everywhere."""
        if lengths is None or not self.hide_padding:
            return None
        hidden = torch.arange(noisy.shape[1], device=noisy.device) >= lengths[:, None]
        return nn.functional.pad(hidden, (1, 0)) if self.has_token else hidden


class Sinusoids(Float32State):
    """Rows (positions, width): sin p w_i in column 2i, cos p w_i in 2i + 1.

    w_i = 10000^(-2i / width) (arXiv:1706.03762, section 3.5), the angles in float32.
    """

    rows: Tensor

    def __init__(self, positions: int, width: int) -> None:
        super().__init__()
        rates = (torch.arange(0, width, 2).float() * (-math.log(SLOWEST) / width)).exp()
        angles = torch.arange(positions).float()[:, None] * rates
        rows = torch.stack((angles.sin(), angles.cos()), -1).flatten(1)
        self.register_buffer("rows", rows, persistent=False)


def _check(
    kind: str, words: bool, step_token: bool, frames: int, positions: int, width: int
) -> None:
    if kind not in KINDS:
        raise UserError(f"motion_denoiser.kind={kind}; choose one of: {', '.join(KINDS)}")
    if kind == "encoder" and (words or step_token):
        option = "words" if words else "step_token"
        raise UserError(f"motion_denoiser.{option}=true needs motion_denoiser.kind=decoder")
    if not 1 <= frames < positions:
        raise UserError(
            f"motion_denoiser.frames={frames}: expected 1 or more, and fewer than the table has "
            f"rows, motion_denoiser.positions={positions}"
        )
    if width % 2:
        raise UserError(
            f"motion_denoiser.width={width}: an even number is needed, sines and cosines"
        )
