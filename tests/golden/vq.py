"""Golden vectors of the VQ-VAE: subfolder `vq`. A case is recognised by the arrays it holds.

Tolerances are those that came with the vectors: 1e-4 absolute + relative for activations, 1e-5 for
losses and quantizers, 1e-4 for the second training step.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.original_names import (
    from_original_state_dict,
    load_original,
    original_sizes,
)
from motiongpt.codecs.vq_vae.quantizers.base import Quantizer
from motiongpt.codecs.vq_vae.quantizers.ema import EMAQuantizer
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.reset import ResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer
from motiongpt.motion.skeleton import HUMANML3D, KIT

Arrays = Mapping[str, np.ndarray]

MARGIN = 1e-3  # codes whose second best is nearer than this may differ
SEED = 4242  # + step, set before each forward pass of a quantizer
LEARNING_RATE = 2e-4


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"vq/{path.name}"
    if "encoder.model.0.weight" in arrays:
        _check_names(case, arrays, report)
    elif any(name.startswith("init/sd/") for name in arrays):
        _check_training(case, arrays, report)
    elif any(name.startswith("sd/") for name in arrays):
        _check_evaluation(case, arrays, report)
    elif any(name.endswith("init/codebook") for name in arrays):
        for prefix in _prefixes(arrays, "init/codebook"):
            _check_quantizer(case, prefix, arrays, report)
    else:
        report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _check_names(case: str, shapes: Mapping[str, Sequence[int]], report: Any) -> None:
    """Names and shapes of all weights, and how many numbers are trained."""
    state = {name: torch.empty(tuple(s), device="meta") for name, s in shapes.items()}
    standard = "quantizer.embedding.weight" in shapes
    with torch.device("meta"):
        tokenizer = VQVAE(
            quantizer=StandardQuantizer if standard else EMAResetQuantizer,
            **original_sizes(state),
        )
    ours = {name: list(t.shape) for name, t in tokenizer.state_dict().items()}
    renamed = {name: list(t.shape) for name, t in from_original_state_dict(state).items()}
    report.exact(case, "names", sorted(ours), sorted(renamed))
    for name in sorted(ours.keys() & renamed.keys()):
        report.exact(case, name, ours[name], renamed[name])
    found = sum(p.numel() for p in tokenizer.parameters())
    trained = [t.numel() for name, t in state.items() if name != "quantizer.codebook"]
    report.exact(case, "trainable parameters", found, sum(trained))


def _check_evaluation(case: str, arrays: Arrays, report: Any) -> None:
    """A trained VQ-VAE: encoder, codes, reconstruction, losses, decoder."""
    tokenizer = _released(arrays, "sd/", EMAResetQuantizer).eval()
    with torch.no_grad():
        for prefix in _prefixes(arrays, "x"):
            _check_reconstruction(case, prefix, tokenizer, arrays, report)
        for prefix in _prefixes(arrays, "decode"):
            codes = torch.from_numpy(arrays[f"{prefix}code_idx"]).view(1, -1)
            _activations(report, case, f"{prefix}decode", tokenizer.decode(codes), arrays)


def _check_reconstruction(
    case: str, prefix: str, tokenizer: VQVAE, arrays: Arrays, report: Any
) -> None:
    features = torch.from_numpy(arrays[f"{prefix}x"])
    latents = tokenizer.encoder(features.transpose(1, 2))
    if f"{prefix}encoder_out" in arrays:
        _activations(report, case, f"{prefix}encoder_out", latents, arrays)
    expected = torch.from_numpy(arrays[f"{prefix}code_idx"])
    codes = tokenizer.encode(features)
    clear = torch.ones_like(expected, dtype=torch.bool)
    if f"{prefix}idx_margin" in arrays:
        margin = _margin(tokenizer.quantizer, latents)
        _activations(report, case, f"{prefix}idx_margin", margin, arrays, tolerance=MARGIN)
        clear = torch.from_numpy(arrays[f"{prefix}idx_margin"]) > MARGIN
    report.exact(case, f"{prefix}code_idx", codes[clear].numpy(), expected[clear].numpy())
    output = tokenizer(features)
    name = f"{prefix}forward_out"
    same = (codes == expected).all(1).numpy()
    report.compare(
        case, name, output.features.numpy()[same], arrays[name][same], atol=1e-4, rtol=1e-4
    )
    for name, value in (("commit_loss", output.commitment), ("perplexity", output.perplexity)):
        if same.all():
            report.compare(case, prefix + name, value.item(), arrays[prefix + name], rtol=1e-5)
        else:
            report.unchecked(case, prefix + name, "a code with a near tie differs")
    name = f"{prefix}decode_first"
    if name in arrays:
        _activations(report, case, name, tokenizer.decode(expected[:1]), arrays)
    name = f"{prefix}decode_rows_0_1_together"
    if name in arrays:
        # The released decoder takes a batch as one sequence; ours gets that sequence.
        _activations(report, case, name, tokenizer.decode(expected[:2].view(1, -1)), arrays)


def _check_quantizer(case: str, prefix: str, arrays: Arrays, report: Any) -> None:
    """One quantizer alone, in training mode, some steps one after the other."""
    initial = torch.from_numpy(arrays[f"{prefix}init/codebook"])
    kind: Any = _kind(prefix, arrays)
    quantizer = kind(codebook_size=initial.shape[0], code_dim=initial.shape[1]).train()
    with torch.no_grad():
        quantizer.codebook.copy_(initial)
    for step in _steps(arrays, prefix):
        at = f"{prefix}step{step}/"
        latents = torch.from_numpy(arrays[f"{at}z"]).requires_grad_()
        upstream = torch.from_numpy(arrays[f"{at}upstream"])
        torch.manual_seed(SEED + step)
        output = quantizer(latents)
        vectors, loss = output.vectors, output.loss
        found = {
            "z_q": vectors,
            "loss": loss,
            "perplexity": output.perplexity,
            "grad_z_of_upstream": _gradient((vectors * upstream).sum(), latents),
            "grad_z_of_loss": _gradient(loss, latents),
        }
        if f"{at}grad_codebook_of_loss" in arrays:
            found["grad_codebook_of_loss"] = _gradient(loss, quantizer.codebook)
        found |= _codebook_state(quantizer, f"{at}after/", arrays)
        for name, value in found.items():
            report.compare(
                case, at + name, value.detach().numpy(), arrays[at + name], atol=1e-5, rtol=1e-5
            )
        name = f"{at}after/code_idx_of_z_with_new_codebook"
        if name in arrays:
            codes = quantizer.nearest(latents.detach().transpose(1, 2)).flatten()
            report.exact(case, name, codes.numpy(), arrays[name])


def _check_training(case: str, arrays: Arrays, report: Any) -> None:
    """The whole model: losses, gradients, optimizer and codebook."""
    tokenizer = _released(arrays, "init/sd/", _kind("", arrays), initialised=False).train()
    skeleton = {s.n_features: s for s in (HUMANML3D, KIT)}[tokenizer.n_features]
    losses = TokenizerLosses(skeleton)
    optimizer = torch.optim.AdamW(
        tokenizer.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99), weight_decay=0.0
    )
    for step in _steps(arrays, ""):
        at, tolerance = f"step{step}/", 1e-5 if step == 1 else 1e-4
        features = torch.from_numpy(arrays[f"{at}x"])
        output = tokenizer(features)
        parts = losses(output, features)
        optimizer.zero_grad()
        parts["total"].backward()
        gradients = {
            name: p.grad.clone() for name, p in tokenizer.named_parameters() if p.grad is not None
        }
        optimizer.step()
        found = {
            "out": output.features,
            "commit_loss": parts["commitment"],
            "perplexity": output.perplexity,
            "loss_total": parts["total"],
            "loss_recons_feature": parts["reconstruction"],
            "loss_recons_velocity": parts["velocity"],
            **_codebook_state(tokenizer.quantizer, f"{at}after/", arrays),
        }
        for name, value in found.items():
            _activations(report, case, at + name, value, arrays, tolerance=tolerance)
        _check_weights(case, at, tolerance, tokenizer, gradients, arrays, report)


def _check_weights(
    case: str,
    at: str,
    tolerance: float,
    tokenizer: VQVAE,
    gradients: Mapping[str, Tensor],
    arrays: Arrays,
    report: Any,
) -> None:
    """Gradients, and weights after the optimizer where their gradient is not nearly zero.

    AdamW's first steps are the gradient's sign times the learning rate, so rounding decides the
    rest.
    """
    weights = dict(tokenizer.named_parameters())
    for name in [n for n in arrays if n.startswith(f"{at}grad/")]:
        released = name.removeprefix(f"{at}grad/")
        (ours,) = (
            n
            for n in from_original_state_dict(
                {released: torch.empty(0), "quantizer.embedding.weight": torch.empty(0)},
            )
            if n != "quantizer.codebook"
        )
        _activations(report, case, name, gradients[ours], arrays, tolerance=tolerance)
        after = f"{at}after/{released}"
        found, expected = weights[ours].detach().numpy(), arrays[after]
        clear = np.abs(arrays[name]) > 1e-6
        report.compare(case, after, found[clear], expected[clear], atol=tolerance, rtol=tolerance)
        report.compare(case, f"{after} (all)", found, expected, atol=4.1 * LEARNING_RATE)


def _released(
    arrays: Arrays, prefix: str, kind: type[Quantizer], initialised: bool = True
) -> VQVAE:
    state = {name: torch.from_numpy(arrays[name]) for name in arrays if name.startswith(prefix)}
    if f"{prefix}quantizer.embedding.weight" in state:
        kind = StandardQuantizer
    tokenizer = VQVAE(quantizer=kind, **original_sizes(state, prefix))
    load_original(tokenizer, state, prefix, initialised=initialised)
    return tokenizer


def _kind(prefix: str, arrays: Arrays) -> type[Quantizer]:
    """Which quantizer made these steps: told by the state it has, and ema from ema_reset by whether
    every code is its average."""
    state = f"{prefix}step{_steps(arrays, prefix)[-1]}/after/"
    if f"{state}code_count" not in arrays:
        return StandardQuantizer
    if f"{state}code_sum" not in arrays:
        return ResetQuantizer
    mean = arrays[f"{state}code_sum"] / arrays[f"{state}code_count"][:, None]
    averaged = np.allclose(arrays[f"{state}codebook"], mean, rtol=1e-4, atol=1e-4)
    return EMAQuantizer if averaged else EMAResetQuantizer


def _codebook_state(quantizer: Quantizer, at: str, arrays: Arrays) -> dict[str, Tensor]:
    names = ("codebook", "code_sum", "code_count")
    return {f"after/{name}": getattr(quantizer, name) for name in names if at + name in arrays}


def _margin(quantizer: Quantizer, latents: Tensor) -> Tensor:
    """(B, L) squared distance of the second nearest code minus that of the nearest."""
    distances = torch.cdist(latents.transpose(1, 2), quantizer.codebook[None]) ** 2
    nearest = distances.topk(2, largest=False).values
    return nearest[..., 1] - nearest[..., 0]


def _activations(
    report: Any, case: str, name: str, found: Tensor, arrays: Arrays, tolerance: float = 1e-4
) -> None:
    report.compare(case, name, found.detach().numpy(), arrays[name], atol=tolerance, rtol=tolerance)


def _gradient(value: Tensor, of: Tensor) -> Tensor:
    return torch.autograd.grad(value, of, retain_graph=True)[0]


def _prefixes(arrays: Arrays, name: str) -> list[str]:
    """What stands before `name`: "batch/" of "batch/x"; "" where the name stands alone."""
    return [key.removesuffix(name) for key in arrays if key == name or key.endswith(f"/{name}")]


def _steps(arrays: Arrays, prefix: str) -> range:
    n_steps = 0
    while any(key.startswith(f"{prefix}step{n_steps + 1}/") for key in arrays):
        n_steps += 1
    return range(1, n_steps + 1)
