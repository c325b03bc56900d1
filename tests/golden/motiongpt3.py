"""Golden vectors of MotionGPT3: subfolder `motiongpt3`. A case is recognised by its arrays.

The motion VAE is MLD's. Tolerances are those that came with the vectors: 2e-5 for single passes, 1e-4
where guidance multiplies their differences, 2e-4 for a loop of sampling; gradients may be off by 1e-4 of their size besides. What
weights don't tell (the heads of the VAE) is what gives the stored values.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.continuous.losses import kl_divergence
from motiongpt.codecs.mld_vae import original_names as vae_names
from motiongpt.codecs.mld_vae.linear_distribution import LinearMLDVAE
from motiongpt.codecs.mld_vae.network import MLDVAE
from motiongpt.codecs.vq_vae.losses import velocity_range
from motiongpt.methods.motiongpt3.diffusion import Diffusion, guided_noise
from motiongpt.methods.motiongpt3.head import DiffusionHead
from motiongpt.methods.motiongpt3.original_names import (
    from_original_state_dict,
    load_original,
    original_sizes,
    our_name,
)
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.golden.codec_checks import parameters, yaml

Arrays = Mapping[str, np.ndarray]

OUTPUT = {"atol": 2e-5, "rtol": 2e-5}
GUIDED = {"atol": 1e-4, "rtol": 2e-5}
LOOP = {"atol": 2e-4, "rtol": 2e-4}
GRADIENTS = {"atol": 2e-5, "rtol": 1e-4}
LINEAR = "dist_layer"
FIRST_ROWS = "__first64"
VELOCITY, KL = 0.5, 1e-5
PARTS = {  # share of the frames at which each part of a task begins and ends
    "t2m": ((0.0, 1.0),),
    "pred": ((0.0, 0.2), (0.2, 1.0)),
    "inbetween": ((0.0, 0.25), (0.75, 1.0), (0.0, 1.0)),
}


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"motiongpt3/{path.name}"
    if path.suffix == ".json":
        _check_facts(case, arrays, report)
    elif "dist_tokens" in arrays:
        _check_vae(case, arrays, report)
    elif "net_out" in arrays:
        _check_head(case, arrays, report)
    else:
        report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _weights(arrays: Arrays) -> dict[str, Tensor]:
    named = [name for name in arrays if name.startswith("w/")]
    return {name[2:].removesuffix(FIRST_ROWS): _tensor(arrays, name) for name in named}


def _vae(arrays: Arrays) -> MLDVAE:
    """With the number of heads that gives the stored means."""
    state = _weights(arrays)
    linear = {name: state.pop(name) for name in list(state) if name.startswith(LINEAR)}
    sizes = _vae_sizes(state, bool(linear))
    expected, made = _rows(_tensor(arrays, "mu")), []
    for heads in range(1, sizes["width"] + 1):
        if sizes["width"] % heads:
            continue
        vae = (LinearMLDVAE if linear else MLDVAE)(**sizes, heads=heads).eval()
        renamed = vae_names.from_original_state_dict(state)
        renamed |= {n.replace(LINEAR, "distribution_layer"): t for n, t in linear.items()}
        vae.load_state_dict(renamed)
        with torch.no_grad():
            found = vae.encode(_tensor(arrays, "x"), _tensor(arrays, "lengths")).mean
        made.append((float((found - expected).abs().max()), len(made), vae))
    return min(made)[2]


def _vae_sizes(state: Mapping[str, Tensor], linear: bool) -> dict[str, Any]:
    if not linear:
        return vae_names.original_sizes(state)
    doubled = dict(state)
    doubled["global_motion_token"] = state["global_motion_token"].repeat(2, 1)
    return vae_names.original_sizes(doubled)


def _check_vae(case: str, arrays: Arrays, report: Any) -> None:
    vae, features, lengths = _vae(arrays), _tensor(arrays, "x"), _tensor(arrays, "lengths")
    with torch.no_grad():
        latent = vae.encode(features, lengths)
        sample = latent.sample(_rows(_tensor(arrays, "eps")))
        tokens = vae.distribution_tokens.shape[0]

        def read(with_lengths: Tensor | None) -> Tensor:
            sequence, hidden = vae.encoder_sequence(features, with_lengths)
            return _rows(vae.encoder(sequence, src_key_padding_mask=hidden)[:, :tokens])

        found = {
            "dist_tokens": read(lengths),
            "dist_tokens_nolen": read(None),
            "mu": _rows(latent.mean),
            "std": _rows(latent.std),
            "z": _rows(sample),
            "decoded": vae.decode(sample, lengths),
            "decoded_mean": vae.decode(latent.mean, lengths),
            "decoded_shorter": vae.decode(sample, lengths // 2),
        }
        for task, shares in PARTS.items():
            for row in range(len(features)):
                value = _tokens(vae, arrays, task, row, shares)
                found[f"tokens/{task}/b{row}"] = value
    for name, value in found.items():
        report.compare(case, name, value, arrays[name], **OUTPUT)
    wanted = yaml("codec/mld_vae.yaml")
    report.exact(case, "mean_mean plays no part", "mean_mean" in wanted, False)
    _ = arrays["mean_mean"]
    if "train/loss" in arrays:
        _check_vae_training(case, vae, arrays, report)


def _tokens(
    vae: MLDVAE, arrays: Arrays, task: str, row: int, shares: tuple[tuple[float, float], ...]
) -> Tensor:
    """Scaled samples of the latents of a clip's parts (parts, N, D), as the language model gets."""
    frames = int(arrays["lengths"][row])
    clip = _tensor(arrays, "x")[row, :frames]
    parts = [clip[int(first * frames) : int(last * frames)] for first, last in shares]
    batch = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
    lengths = torch.tensor([len(part) for part in parts])
    noise = _rows(_tensor(arrays, f"tokens/{task}/eps{row}"))
    return vae.encode(batch, lengths).sample(noise) * float(arrays["mean_std_inv"])


def _check_vae_training(case: str, vae: MLDVAE, arrays: Arrays, report: Any) -> None:
    """Losses and gradients; padded frames, made zero, count in the means."""
    features, lengths = _tensor(arrays, "x_ref"), _tensor(arrays, "lengths")
    report.exact(case, "x_ref", features.numpy(), arrays["x"])
    padding = torch.arange(features.shape[1]) >= lengths[:, None]
    skeleton = {one.n_features: one for one in (HUMANML3D, KIT)}[features.shape[-1]]
    channels = velocity_range("positions", skeleton)
    latent: Gaussian = vae.encode(features, lengths)
    rebuilt = vae.decode(latent.sample(_rows(_tensor(arrays, "train/eps"))), lengths)
    features = features.masked_fill(padding[..., None], 0.0)
    parts = {
        "recons_feature": F.smooth_l1_loss(rebuilt, features),
        "recons_velocity": F.smooth_l1_loss(rebuilt[..., channels], features[..., channels]),
        "kl_motion": kl_divergence(latent).mean(),
    }
    loss = parts["recons_feature"] + VELOCITY * parts["recons_velocity"] + KL * parts["kl_motion"]
    for name, value in {"m_ref": features, "m_rst": rebuilt, "loss": loss, **parts}.items():
        report.compare(case, f"train/{name}", value, arrays[f"train/{name}"], **OUTPUT)
    loss.backward()
    _check_gradients(case, "train/", vae, vae_names.our_name, arrays, report)


def _check_gradients(
    case: str, at: str, network: nn.Module, rename: Any, arrays: Arrays, report: Any
) -> None:
    for name in [n for n in arrays if n.startswith((f"{at}grad/", f"{at}grad_norm/"))]:
        kind, _, released = name.removeprefix(at).partition("/")
        gradient = network.get_parameter(rename(released)).grad
        assert gradient is not None, released
        found = gradient if kind == "grad" else gradient.norm()
        report.compare(case, name, found, arrays[name], **GRADIENTS)


def _head(arrays: Arrays) -> DiffusionHead:
    state = _weights(arrays)
    flat = "net.cond_embed.weight" in state
    hidden_tokens = 1 if flat else arrays["z"].shape[1]
    head = DiffusionHead(**original_sizes(state, hidden_tokens), dropout=0.0).eval()
    load_original(head, state)
    return head


def _check_head(case: str, arrays: Arrays, report: Any) -> None:
    head = _head(arrays)
    renamed = from_original_state_dict(_weights(arrays))
    report.exact(case, "names", sorted(head.state_dict()), sorted(renamed))
    latents, hidden, steps = (_tensor(arrays, name) for name in ("x", "z", "t"))
    with torch.no_grad():
        told = _tensor(arrays, "z_cfg")
        half = len(told) // 2
        noise = guided_noise(head, told[:half], told[half:], float(arrays["cfg_scale"]))
        guided = noise(latents, steps)
        found = {
            "time_embed": head.steps(steps),
            "cond_embed": head.condition(hidden),
            "net_out": head(latents, steps, hidden),
            "net_out_cfg": torch.cat((guided, guided)),
        }
    for name, value in found.items():
        tolerance = GUIDED if "cfg" in name else OUTPUT
        report.compare(case, name, value, arrays[name], **tolerance)
    _check_chains(case, arrays, report)
    for run in ("sample_nocfg", "sample_cfg"):
        _check_sampling(case, run, head, arrays, report)
    noise_, at = _tensor(arrays, "loss/noise"), _tensor(arrays, "loss/t")
    loss = F.mse_loss(head(Diffusion().add_noise(latents, noise_, at), at, hidden), noise_)
    report.compare(case, "loss/value", loss, arrays["loss/value"], **OUTPUT)
    head.train()
    loss.backward()
    _check_gradients(case, "loss/", head, our_name, arrays, report)
    head.eval()
    if "lm/loss" in arrays:
        _check_language(case, head, arrays, report)


def _check_chains(case: str, arrays: Arrays, report: Any) -> None:
    """Constants of the whole chain and of the one that sampling visits."""
    for name in sorted({n.partition("/")[0] for n in arrays if "_diffusion/" in n}):
        count = len(arrays[f"{name}/betas"])
        chain = Diffusion(count)
        report.exact(case, f"{name}/timestep_map", chain.visited, arrays[f"{name}/timestep_map"])
        for key, value in {
            "betas": chain.variances,
            "alphas_cumprod": chain.kept,
            "posterior_variance": chain.posterior_variances,
            "posterior_log_variance_clipped": chain.posterior_log_variances,
            "posterior_mean_coef1": chain.of_clean,
            "posterior_mean_coef2": chain.of_noisy,
        }.items():
            key = f"{name}/{key}"
            report.compare(case, key, value, arrays[key], atol=1e-12, rtol=1e-9)


@torch.no_grad()
def _check_sampling(case: str, run: str, head: DiffusionHead, arrays: Arrays, report: Any) -> None:
    """A whole loop; with guidance the file holds a second half that drew other noise."""
    hidden, begun = _tensor(arrays, f"{run}/z"), _tensor(arrays, f"{run}/init_noise")
    drawn, scale = _tensor(arrays, f"{run}/step_noise"), float(arrays[f"{run}/cfg"])
    temperature = float(arrays[f"{run}/temperature"])
    chain, count = Diffusion(len(drawn)), len(begun)
    noise = guided_noise(head, hidden[:count], hidden[count:], scale)
    steps = list(chain.sample(noise, begun, drawn[:, :count], temperature))
    out = steps[-1][0]
    if len(hidden) > count:
        other = begun
        for position, (_, predicted) in enumerate(steps):
            number = len(steps) - 1 - position
            other = chain.back(other, predicted, number, temperature * drawn[position, count:])
        out = torch.cat((out, other))
    report.compare(case, f"{run}/out", out, arrays[f"{run}/out"], **LOOP)


@torch.no_grad()
def _check_language(case: str, head: DiffusionHead, arrays: Arrays, report: Any) -> None:
    """The loss over a language model's hidden states, its samples, and latents as its inputs."""
    latents, hidden = _tensor(arrays, "x"), _tensor(arrays, "z")
    null = _tensor(arrays, "lm/fake_latent")
    times = int(arrays["lm/batch_mul"])
    dropped = _tensor(arrays, "lm/u") < float(arrays["lm/uncondp"])
    repeated = hidden.repeat(times, 1, 1)
    repeated = torch.where(dropped[:, None, None], null, repeated)
    noise, at = _tensor(arrays, "lm/noise"), _tensor(arrays, "lm/t")
    noisy = Diffusion().add_noise(latents.repeat(times, 1, 1), noise, at)
    loss = F.mse_loss(head(noisy, at, repeated), noise)
    report.compare(case, "lm/loss", loss, arrays["lm/loss"], **OUTPUT)
    drawn = _tensor(arrays, "lm/sample_step_noise")[:, : len(hidden)]
    noise_of = guided_noise(head, hidden, null, float(arrays["lm/sample_cfg"]))
    begun = _tensor(arrays, "lm/sample_init_noise")
    *_, (sampled, _noise) = Diffusion(len(drawn)).sample(noise_of, begun, drawn)
    scaled = sampled / float(arrays["lm/mean_std_inv"])
    report.compare(case, "lm/sample_latents", scaled, arrays["lm/sample_latents"], **LOOP)
    told = F.linear(_tensor(arrays, "und/in"), _tensor(arrays, "und/w"), _tensor(arrays, "und/b"))
    report.compare(case, "und/out", told.flatten(1), arrays["und/out"], **OUTPUT)


def _check_facts(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """Sizes and counts of the full-size VAE and head."""
    wanted, counts = facts["constructors"], facts["parameter_counts"]
    shapes = facts["state_dict_shapes"]
    with torch.device("meta"):
        state = {n: torch.empty(tuple(s)) for n, s in shapes["diffusion_head"].items()}
        head = DiffusionHead(
            **original_sizes(state, wanted["diffusion_head"]["hidden_tokens_per_motion"])
        )
        renamed = from_original_state_dict(state)
        vae_state = {n: torch.empty(tuple(s)) for n, s in shapes["motion_vae"].items()}
        vae = MLDVAE(**vae_names.original_sizes(vae_state))
        vae_renamed = vae_names.from_original_state_dict(vae_state)
    report.exact(case, "head's weights", _shapes(head.state_dict()), _shapes(renamed))
    report.exact(case, "VAE's weights", _shapes(vae.state_dict()), _shapes(vae_renamed))
    report.exact(case, "head's parameters", parameters(head), counts["diffusion_head"])
    report.exact(case, "VAE's parameters", parameters(vae), counts["motion_vae"])
    for ours, theirs in {
        "width": "width",
        "depth": "depth",
        "latent_width": "target_channels",
        "latent_tokens": "target_size",
        "hidden_width": "z_channels",
        "dropout": "dropout",
    }.items():
        report.exact(case, ours, head.arguments()[ours], wanted["diffusion_head"][theirs])
    chain = len(Diffusion().visited)
    report.exact(case, "steps of the chain", chain, wanted["diffusion_head"]["train_steps"])


def _shapes(state: Mapping[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in state.items()}


def _rows(values: Tensor) -> Tensor:
    """Rows and positions exchanged: the originals put positions first."""
    return values.transpose(0, 1)


def _tensor(arrays: Arrays, name: str) -> Tensor:
    return torch.from_numpy(np.array(arrays[name]))
