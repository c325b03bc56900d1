"""Weights of MDM's released denoisers under our names, and the sizes that their shapes tell.

The blocks of the transformer are called alike.

    input_process.poseEmbedding     frame_embedding
    embed_timestep.time_embed.I     step_embedding.I
    embed_text                      text_embedding
    seqTransEncoder, ...Decoder     transformer
    output_process.poseFinal        output
    ….pe                            none: sines and cosines, stored twice
    clip_model.…                    none: the text encoder
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.methods.mdm.network import MotionDenoiser, Sinusoids
from motiongpt.weights import dimension, layer_count, load_checked

NAMES = {
    "input_process.poseEmbedding": "frame_embedding",
    "embed_timestep.time_embed": "step_embedding",
    "embed_text": "text_embedding",
    "seqTransEncoder": "transformer",
    "seqTransDecoder": "transformer",
    "output_process.poseFinal": "output",
}
TABLE, TEXT_ENCODER = "sequence_pos_encoder.pe", "clip_model."
STEP, FRAMES = "embed_timestep.time_embed.0.weight", "input_process.poseEmbedding.weight"
BLOCK = r"seqTrans(?:En|De)coder\.layers\.(\d+)\."
BERT_WIDTH = 768
"""Numbers of DistilBERT's words, which the released decoders read; CLIP's captions have 512."""
ROUNDING = 1e-3
"""Sines of 5,000 positions in float32, however they were computed."""


def from_original_state_dict(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state_dict of a `MotionDenoiser` from the released one.

    Raises:
        UserError: a name that no part of a released denoiser has.
    """
    return {our_name(name): tensor for name, tensor in state.items() if is_learnt(name)}


def is_learnt(released: str) -> bool:
    """Whether a name is of a weight of the denoiser, not of its tables or its text encoder."""
    return not released.endswith(TABLE) and not released.startswith(TEXT_ENCODER)


def our_name(released: str) -> str:
    """Our name of one weight.

    Raises:
        UserError: no part of a released denoiser is called so.
    """
    for theirs, ours in NAMES.items():
        if released.startswith(f"{theirs}."):
            return ours + released.removeprefix(theirs)
    raise UserError(
        f"the checkpoint has {released!r}, which no part of MDM's released denoiser is called"
    )


def load_original(denoiser: MotionDenoiser, state: Mapping[str, Tensor]) -> None:
    """Load released weights.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    load_checked(denoiser, from_original_state_dict(state), "released weights: ")


def original_sizes(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments of `MotionDenoiser` that the released weights' shapes tell.

    (Heads, dropout, activation, a step's token and whether padding is hidden leave no trace.)

    Raises:
        UserError: the state is not of a released denoiser, or its table holds other numbers.
    """
    decodes = any(name.startswith("seqTransDecoder.") for name in state)
    first = f"seqTrans{'De' if decodes else 'En'}coder.layers.0.linear1.weight"
    text_width = dimension(state, "embed_text.weight", 1, "")
    sizes: dict[str, Any] = {
        "n_features": dimension(state, FRAMES, 1, ""),
        "text_width": text_width,
        "width": dimension(state, STEP, 0, ""),
        "feed_forward": dimension(state, first, 0, ""),
        "layers": layer_count((name for name in state if re.match(BLOCK, name)), BLOCK),
        "kind": "decoder" if decodes else "encoder",
        "words": decodes and text_width == BERT_WIDTH,
    }
    if TABLE in state:
        sizes["positions"] = _checked_table(state, sizes["width"])
    return sizes


def _checked_table(state: Mapping[str, Tensor], width: int) -> int:
    """Rows of the stored table.

    Raises:
        UserError: it holds other numbers than sines and cosines: another model's.
    """
    rows = dimension(state, TABLE, 0, "")
    stored = state[TABLE].reshape(rows, -1).float()
    if stored.shape[1] != width:
        raise UserError(f"{TABLE}: expected {width} numbers a row, found {stored.shape[1]}")
    error = (stored - Sinusoids(rows, width).rows).abs().max()
    if not error <= ROUNDING:  # NaN too
        raise UserError(
            f"{TABLE}: expected sines and cosines of the positions, found numbers "
            f"{float(error):.2g} away: the checkpoint is of another model"
        )
    return rows
