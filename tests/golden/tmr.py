"""Golden vectors of TMR: subfolder `tmr`. A case is recognised by the arrays it holds.

Tolerances are those that came with the vectors: 1e-5 on outputs, 1e-4 relative on losses and
gradients (1e-6 for those of key biases, which are zero but for rounding), metrics of stored
similarities exactly.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.evaluators.tmr_losses import (
    LossSettings,
    Views,
    all_divergences,
    contrastive_loss,
    cosines,
    divergence,
    look_alikes,
    loss_terms,
    total_loss,
)
from evaluation.evaluators.tmr_networks import Latent, TMRNetworks, sizes_of_state
from evaluation.evaluators.tmr_weights import from_original_state_dict, our_name
from motiongpt.data.humanml3d_texts import Span
from motiongpt.weights import load_checked
from tests.golden.codec_checks import OUTPUT, gradients, scalars, tensors
from tests.golden.tmr_facts import check_facts
from tests.golden.tmr_metrics import check_metrics, check_protocols

Arrays = Mapping[str, np.ndarray]

TERMS = {"recons": "reconstruction", "kl": "kl", "latent": "latent", "contrastive": "contrastive"}
LOSS = {"rtol": 1e-4, "atol": 1e-6}
LONGEST = 1000  # no array is longer; the positions leave no trace
FPS = 20.0
SHOWN = 8  # features of a crop that the file has
TEXTS, MOTIONS = "text", "motion"


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"tmr/{path.name}"
    if path.suffix == ".json":
        check_facts(case, arrays, report)
        return
    known: dict[str, Callable[[str, Arrays, Any, Path], None]] = {
        "boundary/sent_emb": lambda *given: _check_infonce(*given[:3]),
        "in/loss_eps_text": lambda *given: _check_model(*given[:3]),
        "temos_vae/loss/loss": _check_variants,
        "in/motion": lambda *given: _check_loading(*given[:3]),
        "in/nsim_keyids": lambda *given: _check_retrieval(*given[:3]),
        "in/normal/sims": lambda *given: check_metrics(*given[:3]),
    }
    for array, run in known.items():
        if array in arrays:
            run(case, arrays, report, path.parent)
            return
    report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _networks(arrays: Arrays, heads: int, at: str = "weight/") -> TMRNetworks:
    """The networks with the weights below `at`, under their released names, without dropout."""
    state = from_original_state_dict(tensors(arrays, at))
    networks = TMRNetworks(sizes_of_state(state, heads, LONGEST)).eval()
    load_checked(networks, state, at)
    return networks


def _settings(arrays: Arrays) -> LossSettings:
    return LossSettings(
        reconstruction=float(arrays["cfg/lmd_recons"]),
        latent=float(arrays["cfg/lmd_latent"]),
        kl=float(arrays["cfg/lmd_kl"]),
        contrastive=float(arrays["cfg/lmd_contrastive"]),
        temperature=float(arrays["cfg/temperature"]),
        threshold=float(arrays["cfg/threshold_selfsim"]),
    )


def _check_infonce(case: str, arrays: Arrays, report: Any) -> None:
    x, y, sentences = (_tensor(arrays, f"in/{name}") for name in ("x", "y", "sent_emb"))
    read = {
        "none": None,
        "unit": sentences,
        "scaled1.5": _tensor(arrays, "in/sent_emb_unnormalised"),
    }
    for name in [name for name in arrays if name.startswith("loss/")]:
        setting = name.removeprefix("loss/")
        temperature, threshold, sent = setting.split("_")
        bound = threshold.removeprefix("thr")
        texts, motions = x.clone().requires_grad_(), y.clone().requires_grad_()
        loss = contrastive_loss(
            texts,
            motions,
            float(temperature.removeprefix("T")),
            _alike(read[sent.removeprefix("sent-")], None if bound == "None" else float(bound)),
        )
        report.compare(case, name, loss.detach(), arrays[name], **LOSS)
        if f"gradx/{setting}" in arrays:
            loss.backward()
            for key, leaf in (("gradx", texts), ("grady", motions)):
                expected = arrays[f"{key}/{setting}"]
                report.compare(case, f"{key}/{setting}", leaf.grad, expected, **LOSS)
    for name, value in {
        "out/sim": cosines(x, y),
        "out/score": cosines(x, y) / 2 + 0.5,
        "out/selfsim": sentences @ sentences.T,
    }.items():
        report.compare(case, name, value, arrays[name], atol=OUTPUT)
    boundary = _tensor(arrays, "boundary/sent_emb")
    for name in ("boundary/thr0.75", "boundary/thr0.74", "boundary/nofilter"):
        bound = name.partition("thr")[2]
        alike = _alike(boundary, float(bound) if bound else None)
        n = len(boundary)
        found = contrastive_loss(x[:n], y[:n], BOUNDARY_TEMPERATURE, alike)
        report.compare(case, name, found, arrays[name], **LOSS)


BOUNDARY_TEMPERATURE = 0.1


def _alike(sentences: Tensor | None, threshold: float | None) -> Tensor | None:
    return look_alikes(sentences, threshold) if sentences is not None and threshold else None


def _check_model(case: str, arrays: Arrays, report: Any) -> None:
    heads = int(arrays["cfg/num_heads"])
    networks, settings = _networks(arrays, heads), _settings(arrays)
    sizes = networks.sizes
    for name, value in {
        "num_layers": sizes.layers,
        "ff_size": sizes.feed_forward,
        "latent_dim": sizes.width,
    }.items():
        report.exact(case, f"cfg/{name}", value, int(arrays[f"cfg/{name}"]))
    for kind in (MOTIONS, TEXTS):
        mask = np.arange(arrays[f"in/{kind}_x"].shape[1]) < arrays[f"in/{kind}_length"][:, None]
        report.exact(case, f"in/{kind}_mask", mask, arrays[f"in/{kind}_mask"])
    with torch.no_grad():
        latents = _check_outputs(case, arrays, networks, report)
        text, motion = latents
        similarity = cosines(text.mean, motion.mean)
        for name, value in {
            "out/sim_text_motion_mean": similarity,
            "out/score_text_motion_mean": similarity / 2 + 0.5,
            "out/decode_from_lengths_subset": networks.decode(
                motion.mean[:2], torch.tensor([5, 9])
            ),
        }.items():
            report.compare(case, name, value, arrays[name], atol=OUTPUT)
    views = _views(networks, arrays, arrays)
    for name, value in (("t_latents", views.z_text), ("m_latents", views.z_motion)):
        report.compare(case, f"loss/{name}", value, arrays[f"loss/{name}"], atol=OUTPUT)
    found = _check_terms(case, arrays, report, networks, views, settings, "loss/")
    found.backward()
    gradients(report, case, "", networks, our_name, arrays)
    with torch.no_grad():
        unfiltered = LossSettings(**{**vars(settings), "threshold": 0.0})
        _check_terms(case, arrays, report, networks, views, unfiltered, "loss_nofilter/")
        parts = {
            "loss_parts/kl_text_to_motion": divergence(views.text, views.motion),
            "loss_parts/kl_motion_to_text": divergence(views.motion, views.text),
            "loss_parts/kl_motion_ref": divergence(views.motion),
            "loss_parts/kl_text_ref": divergence(views.text),
        }
        scalars(report, case, parts, arrays)
        together = all_divergences(views.text, views.motion)
        report.compare(case, "loss_parts, all", together, arrays["loss/kl"], **LOSS)


def _check_outputs(
    case: str, arrays: Arrays, networks: TMRNetworks, report: Any
) -> tuple[Latent, Latent]:
    """Latents of texts and of motions."""
    found = []
    lengths = _tensor(arrays, "in/motion_length")
    for kind, encoder in ((TEXTS, networks.text_encoder), (MOTIONS, networks.motion_encoder)):
        items, counts = _tensor(arrays, f"in/{kind}_x"), _tensor(arrays, f"in/{kind}_length")
        latent, noise = encoder(items, counts), _tensor(arrays, f"in/eps_{kind}")
        drawn = latent.sample(noise)
        for name, value in {
            "tokens": encoder.outputs(items, counts),
            "mu": latent.mean,
            "logvar": latent.log_variance,
            "z": drawn,
            "z_fact0.5": latent.sample(noise, 0.5),
            "decoded": networks.decode(drawn, lengths),
        }.items():
            full = f"out/{kind}/{name}"
            report.compare(case, full, value, arrays[full], atol=OUTPUT)
        found.append(latent)
    return found[0], found[1]


def _views(networks: TMRNetworks, inputs: Arrays, noise: Arrays) -> Views:
    """What the losses are of, with the noise that the file has for them."""
    features, lengths = _tensor(inputs, "in/motion_x"), _tensor(inputs, "in/motion_length")
    text = networks.encode_text(_tensor(inputs, "in/text_x"), _tensor(inputs, "in/text_length"))
    motion = networks.encode_motion(features, lengths)
    return Views(
        text=text,
        motion=motion,
        z_text=text.sample(_tensor(noise, "in/loss_eps_text")),
        z_motion=motion.sample(_tensor(noise, "in/loss_eps_motion")),
        features=features,
        lengths=lengths,
        sentences=_tensor(inputs, "in/sent_emb"),
    )


def _check_terms(
    case: str,
    arrays: Arrays,
    report: Any,
    networks: TMRNetworks,
    views: Views,
    settings: LossSettings,
    at: str,
) -> Tensor:
    """Each term below `at`, and their weighted sum, which is returned."""
    terms = loss_terms(networks, views, settings)
    total = total_loss(terms, settings)
    expected = {TERMS[name.removeprefix(at)] for name in arrays if name.removeprefix(at) in TERMS}
    report.exact(case, f"{at}terms", sorted(terms), sorted(expected))
    found = {f"{at}{name}": terms[ours] for name, ours in TERMS.items() if ours in terms}
    scalars(report, case, {**found, f"{at}loss": total}, arrays)
    return total


@torch.no_grad()
def _check_variants(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """TEMOS with and without a variance; inputs and weights of terms are those of model.npz."""
    with np.load(folder / "model.npz", allow_pickle=False) as stored:
        inputs = dict(stored)
    settings = LossSettings(**{**vars(_settings(inputs)), "contrastive": 0.0})
    for variant in ("temos_vae", "temos_novae"):
        networks = _networks(arrays, int(inputs["cfg/num_heads"]), f"{variant}/weight/")
        report.exact(case, variant, networks.sizes.variational, variant == "temos_vae")
        for kind, encoder in ((TEXTS, networks.text_encoder), (MOTIONS, networks.motion_encoder)):
            name = f"{variant}/out/{kind}_tokens"
            items, counts = _tensor(inputs, f"in/{kind}_x"), _tensor(inputs, f"in/{kind}_length")
            report.compare(case, name, encoder.outputs(items, counts), arrays[name], atol=OUTPUT)
        views = _views(networks, inputs, inputs)
        _check_terms(case, arrays, report, networks, views, settings, f"{variant}/loss/")


def _check_loading(case: str, arrays: Arrays, report: Any) -> None:
    """Crops by the times of a caption, as the source of HumanML3D cuts them, and normalisation."""
    motion, mean, std = (arrays[f"in/{name}"] for name in ("motion", "mean", "std"))
    crops = {name.split("/")[1] for name in arrays if name.startswith("out/crop_")}
    for crop in sorted(crops):
        start, end = (float(part) for part in crop.removeprefix("crop_").split("_"))
        rows = motion[Span(start, end).frames(FPS)]
        normalised = ((rows - mean) / std)[:, :SHOWN]
        report.exact(case, f"{crop}, frames", len(rows), int(arrays[f"out/{crop}/length"]))
        report.compare(case, crop, normalised, arrays[f"out/{crop}/x"], atol=OUTPUT)
    name = "out/inverse_of_first_row"
    first = (motion[:1] - mean) / std
    report.compare(case, name, first * std + mean, arrays[name], atol=OUTPUT)


@torch.no_grad()
def _check_retrieval(case: str, arrays: Arrays, report: Any) -> None:
    networks = _networks(arrays, int(arrays["cfg/num_heads"]))
    text = networks.encode_text(_tensor(arrays, "in/text_x"), _tensor(arrays, "in/text_length"))
    motion = networks.encode_motion(
        _tensor(arrays, "in/motion_x"), _tensor(arrays, "in/motion_length")
    )
    for name, latent in (("out/text_mu", text), ("out/motion_mu", motion)):
        report.compare(case, name, latent.mean, arrays[name], atol=OUTPUT)
    found = F.normalize(text.mean, dim=-1) @ F.normalize(motion.mean, dim=-1).T
    check_protocols(case, arrays, found.numpy(), report)


def _tensor(arrays: Arrays, name: str) -> Tensor:
    return torch.from_numpy(np.array(arrays[name]))
