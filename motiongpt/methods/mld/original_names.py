"""Weights of MLD's released denoiser under our names, and the sizes that their shapes tell.

The blocks of the transformer are called alike. A released table has an axis more, for the batch.

    query_pos.pe                  positions
    time_embedding.linear_1       step_embedding.0
    time_embedding.linear_2       step_embedding.2
    emb_proj.1                    text_embedding.1
    mem_pos.pe                    none: stored for another variant, and never used
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from motiongpt.codecs.mld_vae.original_names import BLOCKS, skip_sizes
from motiongpt.errors import UserError
from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.weights import load_checked

UNUSED = "mem_pos.pe"
NAMES = {
    "time_embedding.linear_1": "step_embedding.0",
    "time_embedding.linear_2": "step_embedding.2",
    "emb_proj.1": "text_embedding.1",
}


def from_original_state_dict(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """Our state_dict of a `LatentDenoiser` from the released one.

    Args:
        state: released names to tensors; names that don't begin with `prefix` are passed over.
        prefix: "denoiser." in a whole checkpoint of MLD.

    Raises:
        UserError: a name that no part of the released denoiser has.
    """
    own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
    return {
        our_name(name): tensor.squeeze(1) if name.endswith(".pe") else tensor
        for name, tensor in own.items()
        if name != UNUSED
    }


def our_name(released: str) -> str:
    """Our name of one weight.

    Raises:
        UserError: no part of the released denoiser that is in use is called so.
    """
    if released == "query_pos.pe":
        return "positions"
    if BLOCKS.fullmatch(released):
        return released
    part, _, kind = released.rpartition(".")
    if part not in NAMES:
        raise UserError(
            f"the checkpoint has {released!r}, which no part of MLD's released denoiser is called"
        )
    return f"{NAMES[part]}.{kind}"


def load_original(denoiser: LatentDenoiser, state: Mapping[str, Tensor], prefix: str = "") -> None:
    """Load released weights.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    load_checked(denoiser, from_original_state_dict(state, prefix), "released weights: ")


def original_sizes(
    state: Mapping[str, Tensor], prefix: str = "", latent_tokens: int = 1
) -> dict[str, Any]:
    """The constructor's arguments of `LatentDenoiser` that the released weights' shapes tell.

    (Heads, dropout, activation and the number of latent tokens leave no trace; 4, 0.1, gelu and 1
    were released.)

    Raises:
        UserError: the state is not of a released denoiser.
    """
    own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
    for name in ("time_embedding.linear_1.weight", "query_pos.pe"):
        if name not in own:
            raise UserError(
                f"expected MLD's released denoiser ({prefix}{name}), found "
                f"{', '.join(sorted(state)[:3]) or 'nothing'} …"
            )
    width, text_width = own["time_embedding.linear_1.weight"].shape
    return {
        "latent_tokens": latent_tokens,
        "width": width,
        "text_width": text_width,
        "positions": own["query_pos.pe"].shape[0],
        **skip_sizes(own, "encoder."),
    }
