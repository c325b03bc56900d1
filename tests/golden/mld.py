"""Golden vectors of MLD: subfolder `mld`. A case is recognised by the arrays it holds.

The weights lie beside them, in weights.npz, and what weights don't tell (the heads) in facts.json.
Tolerances are those that came with the vectors: 1e-5 for single passes and losses, 2e-4 for a
guided latent of few steps, 1e-3 for one of many and for joints, 1e-6 relative for the schedule;
gradients, for which none came, may be off by 1e-4 of their size besides.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.mld_vae import original_names as vae_names
from motiongpt.codecs.mld_vae.network import MLDVAE
from motiongpt.files import read_json
from motiongpt.methods.mld import original_names as denoiser_names
from motiongpt.methods.mld.denoiser import LatentDenoiser, step_features
from motiongpt.methods.mld.sampling import guided_latents, predicted_noise
from motiongpt.methods.mld.schedule import NoiseSchedule
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.golden.mld_facts import check_facts

Arrays = Mapping[str, np.ndarray]

ATOL, RELATIVE, FEW_STEPS, LONG_SUMS = 1e-5, 1e-6, 2e-4, 1e-3
GRADIENTS = {"atol": ATOL, "rtol": 1e-4}
VAE, DENOISER = "vae.", "denoiser."
RELEASED_HEADS = 4
MANY_STEPS = "final_latent_50steps"


@dataclass(frozen=True)
class Networks:
    """The networks of one folder, in evaluation mode, and its weights by their released names."""

    vae: MLDVAE
    denoiser: LatentDenoiser
    weights: Mapping[str, Tensor]


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"mld/{path.name}"
    if path.suffix == ".json":
        check_facts(case, arrays, report)
        return
    if "ddim/betas" in arrays:
        _check_schedule(case, arrays, report)
        return
    known: dict[str, Callable[[str, Arrays, Networks, Any], None]] = {
        "vae.global_motion_token": _check_weights,
        "enc_sequence_with_pe": _check_vae,
        "kl_motion": _check_vae_loss,
        "time_proj": _check_denoiser,
        "start_noise": _check_sampling,
        "inst_loss": _check_diffusion_loss,
    }
    for array, run in known.items():
        if array in arrays:
            run(case, arrays, _networks(path.parent), report)
            return
    report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _networks(folder: Path) -> Networks:
    with np.load(folder / "weights.npz", allow_pickle=False) as stored:
        weights = {name: torch.from_numpy(stored[name]) for name in stored}
    sizes = vae_names.original_sizes(weights, VAE)
    denoiser_sizes = denoiser_names.original_sizes(weights, DENOISER, sizes["latent_tokens"])
    heads = _heads(folder, denoiser_sizes)
    vae = MLDVAE(**sizes, heads=heads).eval()
    denoiser = LatentDenoiser(**denoiser_sizes, heads=heads).eval()
    vae_names.load_original(vae, weights, VAE)
    denoiser_names.load_original(denoiser, weights, DENOISER)
    return Networks(vae, denoiser, weights)


def _heads(folder: Path, sizes: Mapping[str, int]) -> int:
    """Of the small case with these sizes; as released where the facts don't tell."""
    shapes = {
        "latent": [sizes["latent_tokens"], sizes["width"]],
        "ff_size": sizes["feed_forward"],
        "layers": sizes["layers"],
        "text_dim": sizes["text_width"],
    }
    cases = read_json(folder / "facts.json", {}).get("small_cases", {})
    for described in cases.values():
        if all(described.get(name) == size for name, size in shapes.items()):
            return int(described["heads"])
    return RELEASED_HEADS


def _check_weights(case: str, arrays: Arrays, networks: Networks, report: Any) -> None:
    """Every weight of our networks is the released one, under the name that says so."""
    state = {name: torch.from_numpy(arrays[name]) for name in arrays}
    for prefix, names, network in (
        (VAE, vae_names, networks.vae),
        (DENOISER, denoiser_names, networks.denoiser),
    ):
        renamed = names.from_original_state_dict(state, prefix)
        ours = network.state_dict()
        report.exact(case, f"{prefix}names", sorted(ours), sorted(renamed))
        for name in sorted(ours.keys() & renamed.keys()):
            report.exact(case, prefix + name, ours[name], renamed[name])
    other = [name for name in arrays if not name.startswith((VAE, DENOISER))]
    for name in other:
        report.unchecked(case, name, "of neither network")


@torch.no_grad()
def _check_vae(case: str, arrays: Arrays, networks: Networks, report: Any) -> None:
    vae, lengths = networks.vae, _tensor(arrays, "lengths")
    sequence, hidden = vae.encoder_sequence(_tensor(arrays, "features"), lengths)
    encoded = vae.encoder(sequence, src_key_padding_mask=hidden)
    found = vae.encode(_tensor(arrays, "features"), lengths)
    latent = _drawn(found, _tensor(arrays, "latent_noise"))
    free = _rows(_tensor(arrays, "z_free"))
    for name, value in {
        "enc_sequence_with_pe": _rows(sequence),
        "encoder_output": _rows(encoded),
        "mu": _rows(found.mean),
        "std": _rows(found.std),
        "logvar": 2 * _rows(found.std).log(),
        "latent": _rows(latent),
        "decoded": vae.decode(latent, lengths),
        "decoded_from_mu": vae.reconstruct(_tensor(arrays, "features"), lengths),
        "decoded_z_free": vae.decode(free, _tensor(arrays, "z_free_lengths")),
    }.items():
        report.compare(case, name, value, arrays[name], atol=ATOL)


def _check_vae_loss(case: str, arrays: Arrays, networks: Networks, report: Any) -> None:
    vae, lengths = networks.vae, _tensor(arrays, "lengths")
    features = _tensor(arrays, "features")
    found = vae.encode(features, lengths)
    latent = _drawn(found, _tensor(arrays, "latent_noise"))
    rebuilt = vae.decode(latent, lengths)
    again = _drawn(vae.encode(rebuilt, lengths), _tensor(arrays, "latent_noise_second_encode"))
    joints = [_joints(motion, arrays) for motion in (features, rebuilt)]
    losses = {
        # Means over all entries, padding too: as released.
        "recons_feature": F.smooth_l1_loss(rebuilt, features),
        "recons_joints": F.smooth_l1_loss(joints[1], joints[0]),
        "kl_motion": _divergence(found),
    }
    weights = arrays["weights_feature_joints_kl"]
    total = sum(weight * loss for weight, loss in zip(weights, losses.values(), strict=True))
    for name, value in {
        "m_ref": features,
        "m_rst": rebuilt,
        "lat_m": latent,
        "lat_rm": again,
        **losses,
        "total": total,
    }.items():
        report.compare(case, name, value, arrays[name], atol=ATOL)
    for name, value in zip(("joints_ref", "joints_rst"), joints, strict=True):
        report.compare(case, name, value, arrays[name], atol=LONG_SUMS)
    unused = arrays["not_accumulated_terms"]
    report.exact(case, "not_accumulated_terms", np.zeros_like(unused), unused)
    _check_gradients(case, total, networks, arrays, report)


@torch.no_grad()
def _check_denoiser(case: str, arrays: Arrays, networks: Networks, report: Any) -> None:
    denoiser = networks.denoiser
    latents, text = _tensor(arrays, "sample"), _tensor(arrays, "text")[:, 0]
    steps = _tensor(arrays, "timesteps")
    features = step_features(steps, denoiser.text_width)
    sequence = denoiser.sequence(latents, steps, text)
    for name, value in {
        "time_proj": features,
        "time_emb": denoiser.step_embedding(features),
        "text_emb": denoiser.text_embedding(text)[None],
        "sequence_with_pe": _rows(sequence),
        "encoder_output": _rows(denoiser.encoder(sequence)),
        "out": denoiser(latents, steps, text),
    }.items():
        report.compare(case, name, value, arrays[name], atol=ATOL)
    for name in arrays:
        if at := re.fullmatch(r"out_scalar_timestep_(\d+)", name):
            value = denoiser(latents, torch.full_like(steps, int(at[1])), text)
            report.compare(case, name, value, arrays[name], atol=ATOL)


def _check_schedule(case: str, arrays: Arrays, report: Any) -> None:
    schedule = NoiseSchedule(steps=len(arrays["ddim/betas"]))
    for name in arrays:
        kind = name.partition("/")[2].removesuffix("_f32")
        if kind in ("betas", "alphas_cumprod"):
            value = schedule.variances if kind == "betas" else schedule.kept
            report.compare(case, name, value, arrays[name], rtol=RELATIVE)
        elif grid := re.fullmatch(r"ddim/timesteps_(\d+)", name):
            found = np.array(schedule.sampling_steps(int(grid[1])))
            report.exact(case, name, found, arrays[name])
    name = "ddim/final_alpha_cumprod"
    report.compare(case, name, schedule.kept[0], arrays[name], rtol=RELATIVE)
    # Sampling begins with standard normal noise, and nothing scales it.
    report.exact(case, "ddim/init_noise_sigma", 1.0, float(arrays["ddim/init_noise_sigma"]))
    latents, noise = _tensor(arrays, "step/x"), _tensor(arrays, "step/eps")
    steps = arrays["step/timesteps"].tolist()
    stride = schedule.stride(50)
    rows = list(zip(latents, noise, steps, strict=True))
    noisy = schedule.add_noise(latents, noise, _tensor(arrays, "add_noise/timesteps"))
    for name, value in {
        "step/prev_sample": torch.stack([schedule.denoise(*row, stride) for row in rows]),
        "step/pred_original_sample": torch.stack([schedule.clean(*row) for row in rows]),
        "add_noise/out": noisy,
    }.items():
        report.compare(case, name, value, arrays[name], atol=ATOL, rtol=RELATIVE)


@torch.no_grad()
def _check_sampling(case: str, arrays: Arrays, networks: Networks, report: Any) -> None:
    schedule, noise = NoiseSchedule(), _tensor(arrays, "start_noise")
    text, null = (_tensor(arrays, name)[:, 0] for name in ("text", "null_text"))
    steps = arrays["timesteps"]
    report.exact(case, "encoder_hidden_states", torch.cat((null, text))[:, None].numpy(),
                 arrays["encoder_hidden_states"])  # fmt: skip
    report.exact(case, "timesteps", np.array(schedule.sampling_steps(len(steps))), steps)
    first = predicted_noise(networks.denoiser, noise, int(steps[0]), text, null)
    for name, value in zip(("eps_uncond", "eps_text"), first, strict=True):
        report.compare(case, f"first_step/{name}", value, arrays[f"first_step/{name}"], atol=ATOL)

    def latents(count: int) -> list[Tensor]:
        scale = float(arrays["guidance_scale"])
        return list(guided_latents(networks.denoiser, schedule, noise, text, null, count, scale))

    found, many = latents(len(steps)), latents(50)[-1]
    per_step = torch.stack([_rows(latent) for latent in found])
    decoded = networks.vae.decode(found[-1], _tensor(arrays, "lengths"))
    joints = _joints(decoded, arrays)
    for name, value, tolerance in (
        ("latents_per_step", per_step, FEW_STEPS),
        ("final_latent", _rows(found[-1]), FEW_STEPS),
        (MANY_STEPS, _rows(many), LONG_SUMS),
        ("decoded", decoded, FEW_STEPS),
        ("joints", joints, LONG_SUMS),
    ):
        report.compare(case, name, value, arrays[name], atol=tolerance)


def _check_diffusion_loss(case: str, arrays: Arrays, networks: Networks, report: Any) -> None:
    with torch.no_grad():
        found = networks.vae.encode(_tensor(arrays, "features"), _tensor(arrays, "lengths"))
    latent = _drawn(found, _tensor(arrays, "latent_noise"))
    noise, steps = _tensor(arrays, "noise"), _tensor(arrays, "timesteps")
    noisy = NoiseSchedule().add_noise(latent, noise, steps)
    predicted = networks.denoiser(noisy, steps, _tensor(arrays, "text")[:, 0])
    loss = F.mse_loss(predicted, noise)
    for name, value in {
        "latent": _rows(latent),
        "noisy_latents": noisy,
        "noise_pred": predicted,
        "inst_loss": loss,
        "total": loss,
        "x_loss_variant": F.mse_loss(predicted, latent),
    }.items():
        report.compare(case, name, value, arrays[name], atol=ATOL)
    ours = any("mem_pos" in name for name, _ in networks.denoiser.named_parameters())
    report.exact(case, "mem_pos_has_grad", ours, bool(arrays["mem_pos_has_grad"]))
    _check_gradients(case, loss, networks, arrays, report)


def _check_gradients(
    case: str, loss: Tensor, networks: Networks, arrays: Arrays, report: Any
) -> None:
    """Gradients of the weights that the file has; of tables it has the rows in use."""
    parts: dict[str, tuple[Any, nn.Module]] = {
        VAE: (vae_names, networks.vae),
        DENOISER: (denoiser_names, networks.denoiser),
    }
    loss.backward()
    for name in [name for name in arrays if name.startswith("grad/")]:
        released = name.removeprefix("grad/")
        prefix = VAE if released.startswith(VAE) else DENOISER
        names, network = parts[prefix]
        weight = network.get_parameter(names.our_name(released.removeprefix(prefix)))
        assert weight.grad is not None
        expected = arrays[name]
        found = weight.grad
        if released.endswith(".pe"):
            report.exact(case, f"{name} beyond", found[len(expected) :].any().item(), False)
            found = found[: len(expected), None]
        report.compare(case, name, found, expected, **GRADIENTS)


def _joints(features: Tensor, arrays: Arrays) -> Tensor:
    skeleton = {one.n_features: one for one in (HUMANML3D, KIT)}[features.shape[-1]]
    raw = features * _tensor(arrays, "std") + _tensor(arrays, "mean")
    return features_to_joints(raw, skeleton)


def _divergence(found: Gaussian) -> Tensor:
    """From the standard normal distribution, the mean over all numbers of the latent."""
    variance = found.std.square()
    return 0.5 * (found.mean.square() + variance - 1 - variance.log()).mean()


def _drawn(found: Gaussian, noise: Tensor) -> Tensor:
    """A latent (B, N, D); the file has its tokens first."""
    return found.mean + found.std * _rows(noise)


def _rows(values: Tensor) -> Tensor:
    """Rows and positions exchanged: the originals put positions first."""
    return values.transpose(0, 1)


def _tensor(arrays: Arrays, name: str) -> Tensor:
    return torch.from_numpy(arrays[name])
