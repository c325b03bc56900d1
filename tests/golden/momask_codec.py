"""Golden vectors of MoMask's residual VQ-VAE: codes, decoding, two training steps.

What weights don't tell (the activation, the reconstruction's distance) is what gives the stored
values.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.distances import DISTANCES
from motiongpt.codecs.residual_vq import quantizer as quantizers
from motiongpt.codecs.residual_vq.network import ResidualVQVAE
from motiongpt.codecs.residual_vq.original_names import (
    from_original_state_dict,
    load_original,
    original_sizes,
)
from motiongpt.codecs.residual_vq.quantizer import EACH_CODEBOOK, DrawingQuantizer, kept_codebooks
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.residual_blocks import ACTIVATIONS
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.golden.momask_parts import GRADIENTS, OUTPUT, Arrays, beside, tensor

DROPOUT = 0.2
STATE = {"codebook": "codebook", "code_sum": "code_sum", "code_count": "code_count"}


def released(arrays: Arrays, **settings: Any) -> ResidualVQVAE:
    """The residual VQ-VAE whose weights a file holds, with the activation that gives its `enc`."""
    state = {n.removeprefix("w/"): tensor(arrays, n) for n in arrays if n.startswith("w/")}
    features, expected = tensor(arrays, "x"), tensor(arrays, "enc")
    found: dict[float, ResidualVQVAE] = {}
    for activation in ACTIVATIONS:
        made = ResidualVQVAE(
            **original_sizes(state), activation=activation, dropout=0.0, **settings
        ).eval()
        load_original(made, state)
        with torch.no_grad():
            error = (made.encoder(features.transpose(1, 2)) - expected).abs().max()
        found[float(error)] = made
    return found[min(found)]


@torch.no_grad()
def check_evaluation(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """Encoder, codes, what each codebook adds, decoding of all or some of them."""
    codec = released(arrays)
    state = {n.removeprefix("w/"): tensor(arrays, n) for n in arrays if n.startswith("w/")}
    renamed, ours = from_original_state_dict(state), codec.state_dict()
    report.exact(case, "names", sorted(ours), sorted(renamed))
    features, codes = tensor(arrays, "x"), tensor(arrays, "code_idx")
    each = codec.quantizer.look_up_each(codes)
    report.exact(case, "code_idx", codec.encode(features), codes)
    found = {
        "enc": codec.encoder(features.transpose(1, 2)),
        "all_codes": each.transpose(2, 3),
        "partial_sums": each.cumsum(0).transpose(2, 3),
        "codes_from_indices": each,
        "latent_from_indices": codec.quantizer.look_up(codes).transpose(1, 2),
        "dec_full": codec.decode(codes),
        "dec_with_minus1": codec.decode(tensor(arrays, "idx_with_minus1")),
        "dec_odd": codec.decode(tensor(arrays, "code_idx_odd")),
    }
    for name in arrays:
        if name.startswith("dec_first"):
            found[name] = codec.decode(codes[..., : int(name.removeprefix("dec_first"))])
    odd = codec.encode(tensor(arrays, "x_odd"))
    report.exact(case, "code_idx_odd", odd, arrays["code_idx_odd"])
    output = codec(features)
    latents, residual = found["enc"], found["enc"]
    parts = []
    for layer in codec.quantizer.layers:
        parts.append(layer(residual))
        residual = residual - parts[-1].vectors
    found |= {
        "eval_out": output.features,
        "eval_commit": output.commitment,
        "eval_perplexity": output.perplexity,
        "eval_commit_per_layer": torch.stack([part.loss for part in parts]),
        "eval_perplexity_per_layer": torch.stack([part.perplexity for part in parts]),
    }
    report.compare(
        case, "what is left over", latents - residual, found["latent_from_indices"], OUTPUT
    )
    for name, value in found.items():
        report.compare(case, name, value, arrays[name], atol=OUTPUT, rtol=OUTPUT)


def check_codec_training(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """Steps in training mode, the weights of the convolutions the same in each."""
    codec = released(
        beside(folder, "dec_full"),
        decay=float(arrays["mu"]),
        temperature=float(arrays["sample_temp"]),
        codebook_dropout=DROPOUT,
        gradient=EACH_CODEBOOK,
    ).train()
    for at in sorted({name.partition("/")[0] for name in arrays if "/" in name}):
        _check_step(case, at, codec, arrays, report)


def _check_step(case: str, at: str, codec: ResidualVQVAE, arrays: Arrays, report: Any) -> None:
    _set_state(codec, arrays, f"{at}/before")
    count, last = codec.codebooks, int(arrays[f"{at}/dropout_start"])
    kept = kept_codebooks(float(arrays[f"{at}/dropout_u"]), last, count, DROPOUT)
    report.exact(case, f"{at}/dropout_start", kept, min(last + 1, count))
    features = tensor(arrays, f"{at}/x")
    seen: dict[str, Tensor] = {}

    def encoded(module: Any, inputs: Any, output: Tensor) -> None:
        output.retain_grad()
        seen["enc_out"] = output

    def quantised(module: Any, inputs: Any, output: Any) -> None:
        output.vectors.retain_grad()
        seen["quantized"] = output.vectors

    hooks = [codec.encoder.register_forward_hook(encoded)]
    hooks += [codec.quantizer.register_forward_hook(quantised)]
    codec.zero_grad()
    with _drawn_as_in(arrays, at, codec, kept):
        output = codec(features)
    for hook in hooks:
        hook.remove()
    losses = _losses(arrays, at, codec)
    parts = losses(output, features)
    parts["total"].backward()
    codes = np.where(np.arange(count) < kept, output.codes.numpy(), -1)
    report.exact(case, f"{at}/code_idx", codes, arrays[f"{at}/code_idx"])
    found = {
        "enc_out": seen["enc_out"],
        "quantized": seen["quantized"],
        "out": output.features,
        "loss": parts["total"],
        "loss_rec": parts["reconstruction"],
        "loss_explicit": parts["velocity"],
        "loss_commit": parts["commitment"],
        "perplexity": output.perplexity,
        "grad_dec_in": seen["quantized"].grad,
        "grad_enc_out": seen["enc_out"].grad,
    }
    for name, value in found.items():
        key = f"{at}/{name}"
        report.compare(case, key, value, arrays[key], atol=OUTPUT, rtol=OUTPUT)
    _check_gradients(case, at, codec, arrays, report)
    _check_state(case, f"{at}/after", codec, arrays, report)


def _losses(arrays: Arrays, at: str, codec: ResidualVQVAE) -> TokenizerLosses:
    """With the distance of the reconstruction that gives the stored one."""
    found, wanted = tensor(arrays, f"{at}/out"), tensor(arrays, f"{at}/x")
    wanted = wanted[:, : found.shape[1]]
    stored = float(arrays[f"{at}/loss_rec"])
    errors = {name: abs(float(f(found, wanted)) - stored) for name, f in DISTANCES.items()}
    skeleton = {one.n_features: one for one in (HUMANML3D, KIT)}[codec.n_features]
    return TokenizerLosses(
        skeleton,
        min(errors, key=lambda name: errors[name]),
        float(arrays["loss_vel"]),
        float(arrays["commit_w"]),
    )


def _drawn_as_in(arrays: Arrays, at: str, codec: ResidualVQVAE, kept: int) -> ExitStack:
    """The file's own numbers where training draws some."""
    gumbel = [tensor(arrays, f"{at}/gumbel/layer{q}") for q in range(kept)]
    tiles = sorted(name for name in arrays if name.startswith(f"{at}/tile_noise/"))
    stack = ExitStack()
    stack.enter_context(mock.patch.object(codec.quantizer, "in_use", return_value=kept))
    stack.enter_context(mock.patch.object(quantizers, "gumbel_noise", side_effect=gumbel))
    noise = [tensor(arrays, name) for name in tiles]
    stack.enter_context(mock.patch.object(torch, "randn_like", side_effect=noise))
    return stack


def _layers(codec: ResidualVQVAE) -> Iterator[tuple[int, DrawingQuantizer]]:
    for number, layer in enumerate(codec.quantizer.layers):
        assert isinstance(layer, DrawingQuantizer)
        yield number, layer


def _set_state(codec: ResidualVQVAE, arrays: Arrays, at: str) -> None:
    for number, layer in _layers(codec):
        state = layer.state_dict()
        for ours in STATE:
            name = f"{at}/layer{number}/{ours}"
            if name in arrays:
                state[ours] = tensor(arrays, name)
        state["initialised"] = torch.tensor(bool(arrays[f"{at}/layer{number}/init"]))
        layer.load_state_dict(state)


def _check_state(case: str, at: str, codec: ResidualVQVAE, arrays: Arrays, report: Any) -> None:
    for number, layer in _layers(codec):
        name = f"{at}/layer{number}/init"
        report.exact(case, name, bool(layer.initialised), bool(arrays[name]))
        for ours in STATE:
            name = f"{at}/layer{number}/{ours}"
            if name in arrays:
                report.compare(
                    case, name, getattr(layer, ours), arrays[name], atol=OUTPUT, rtol=OUTPUT
                )


def _check_gradients(case: str, at: str, codec: ResidualVQVAE, arrays: Arrays, report: Any) -> None:
    """All gradients, of which the file has some whole and the norms of all."""
    names = _our_names(codec, arrays, at)
    for name in arrays:
        kind, _, original = name.removeprefix(f"{at}/").partition("/")
        if not name.startswith(f"{at}/") or kind not in ("grad", "grad_norm"):
            continue
        gradient = codec.get_parameter(names[original]).grad
        assert gradient is not None, original
        found = gradient if kind == "grad" else gradient.norm()
        report.compare(case, name, found, arrays[name], **GRADIENTS)
    norms = [n for n in arrays if n.startswith(f"{at}/grad_norm/")]
    trained = [name for name, p in codec.named_parameters() if p.grad is not None]
    report.exact(case, f"{at}: weights with a gradient", len(trained), len(norms))


def _our_names(codec: ResidualVQVAE, arrays: Arrays, at: str) -> Mapping[str, str]:
    """Released name of each convolution's weight -> ours."""
    named = [n.removeprefix(f"{at}/grad_norm/") for n in arrays if n.startswith(f"{at}/grad_norm/")]
    numbered = {name: torch.tensor(float(number)) for number, name in enumerate(named)}
    codebook = {"quantizer.layers.0.codebook": torch.zeros(1, 1)}
    renamed = from_original_state_dict(numbered | codebook)
    return {named[int(value)]: ours for ours, value in renamed.items() if "quantizer" not in ours}
