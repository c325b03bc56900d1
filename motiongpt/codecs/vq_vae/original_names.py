"""Weights of MotionGPT's released VQ-VAE under our names.

The released names number the layers of nested `nn.Sequential`s; with N downsampling stages:

    encoder.model.0                     encoder.input_convolution
    encoder.model.{2+i}.0               encoder.stages.{i}.downsampling
    encoder.model.{2+i}.1.model.{d}     encoder.stages.{i}.residual.blocks.{d}
    encoder.model.{2+N}                 encoder.output_convolution
    decoder.model.0                     decoder.input_convolution
    decoder.model.{2+i}.0.model.{d}     decoder.stages.{i}.residual.blocks.{d}
    decoder.model.{2+i}.2               decoder.stages.{i}.convolution
    decoder.model.{2+N}                 decoder.hidden_convolution
    decoder.model.{4+N}                 decoder.output_convolution
    ….conv1, ….conv2 of a block         ….dilated, ….pointwise
    quantizer.codebook, quantizer.embedding.weight ("orig")    quantizer.codebook
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.weights import layer_count, load_checked

BLOCK_PARTS = {"conv1": "dilated", "conv2": "pointwise"}
QUANTIZER_NAMES = ("quantizer.codebook", "quantizer.embedding.weight")


def from_original_state_dict(
    state: Mapping[str, Tensor], prefix: str = "", initialised: bool = True
) -> dict[str, Tensor]:
    """Our state_dict of a `VQVAE` from the released one.

    The released checkpoints lack the codebook's averages; further training starts as if each code
    had been chosen once a step. Which of the averages a quantizer has, its own state_dict says:
    see `load_original`.

    Args:
        state: released names to tensors; names that don't begin with `prefix` are passed over.
        prefix: "vae." in a whole MotionGPT checkpoint.
        initialised: False where the codebook was saved before the first batch set it.

    Raises:
        UserError: a name that no part of the released VQ-VAE has.
    """
    own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
    layers = _layers(own)
    renamed = {_our_name(name, layers): tensor for name, tensor in own.items()}
    if "quantizer.codebook" not in renamed:
        raise UserError("the checkpoint has no quantizer.codebook: it is not a released VQ-VAE")
    if "quantizer.codebook" in own:
        codebook = own["quantizer.codebook"]
        renamed["quantizer.code_sum"] = codebook.clone()
        renamed["quantizer.code_count"] = torch.ones(len(codebook), device=codebook.device)
        renamed["quantizer.initialised"] = torch.tensor(initialised, device=codebook.device)
    return renamed


def load_original(
    tokenizer: torch.nn.Module, state: Mapping[str, Tensor], prefix: str = "", **kwargs: bool
) -> None:
    """Load released weights into `tokenizer`, whichever quantizer it has.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    renamed = from_original_state_dict(state, prefix, **kwargs)
    expected = tokenizer.state_dict()
    for name in ("quantizer.code_sum", "quantizer.code_count", "quantizer.initialised"):
        if name not in expected:
            renamed.pop(name, None)
    load_checked(tokenizer, renamed, "released weights: ")


def original_sizes(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, Any]:
    """The constructor's arguments of `VQVAE` that the released weights' shapes tell.

    (The growth of the dilations and the activation leave no trace; 3 and relu were released.)

    Raises:
        UserError: the first convolution or the codebook is not there.
    """
    own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
    edge = own.get("encoder.model.0.weight")
    codebook = next((own[name] for name in QUANTIZER_NAMES if name in own), None)
    if edge is None or edge.ndim != 3 or codebook is None or codebook.ndim != 2:
        raise UserError(
            f"expected a released VQ-VAE ({prefix}encoder.model.0.weight, "
            f"{prefix}{QUANTIZER_NAMES[0]}), found {', '.join(sorted(state)[:3]) or 'nothing'} …"
        )
    width, n_features, _ = edge.shape
    depth = layer_count(own, r"encoder\.model\.2\.1\.model\.(\d+)\.conv1\.weight")
    sizes = {
        "n_features": n_features,
        "width": width,
        "codebook_size": codebook.shape[0],
        "code_dim": codebook.shape[1],
        "frames_per_token": 2 ** _layers(own),
    }
    return sizes | ({"depth": depth} if depth else {})


def _layers(state: Mapping[str, Tensor]) -> int:
    return sum(bool(re.fullmatch(r"encoder\.model\.\d+\.0\.weight", name)) for name in state)


def _our_name(name: str, layers: int) -> str:
    if name in QUANTIZER_NAMES:
        return "quantizer.codebook"
    match = re.fullmatch(r"(encoder|decoder)\.model\.(\d+)\.(?:(.+)\.)?(weight|bias)", name)
    if match:
        part, number, inner, kind = match[1], int(match[2]), match[3], match[4]
        ours = _stage_name(part, number - 2, inner) if inner else _edge_name(part, number, layers)
        if ours:
            return f"{part}.{ours}.{kind}"
    raise UserError(f"the checkpoint has {name!r}, which no part of the released VQ-VAE is called")


def _edge_name(part: str, number: int, layers: int) -> str | None:
    names = {0: "input_convolution", 2 + layers: "output_convolution"}
    if part == "decoder":
        names |= {2 + layers: "hidden_convolution", 4 + layers: "output_convolution"}
    return names.get(number)


def _stage_name(part: str, stage: int, inner: str) -> str | None:
    convolution, stack = {
        "encoder": (("0", "downsampling"), "1"),
        "decoder": (("2", "convolution"), "0"),
    }[part]
    if inner == convolution[0]:
        return f"stages.{stage}.{convolution[1]}"
    block = re.fullmatch(stack + r"\.model\.(\d+)\.(conv1|conv2)", inner)
    if block:
        return f"stages.{stage}.residual.blocks.{block[1]}.{BLOCK_PARTS[block[2]]}"
    return None
