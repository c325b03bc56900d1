"""Golden vectors of VPoser-t: subfolder `vposer_t`. A case is recognised by the arrays it holds.

Tolerances are those that came with the vectors: 1e-5 on outputs, 2e-5 on joints, 1e-4 relative on
losses, gradients and sums.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evaluation.metrics.joint_errors import ERRORS, MILLIMETRES
from evaluation.metrics.padded_errors import PaddedJointError
from motiongpt.codecs.continuous.losses import ContinuousLosses
from motiongpt.codecs.vposer_t.network import SLOPE, VPoserT
from motiongpt.codecs.vposer_t.original_names import (
    from_original_state_dict,
    load_original,
    original_sizes,
    our_name,
)
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D, KIT, Skeleton
from tests.golden import codec_checks as checks
from tests.golden.codec_checks import OUTPUT, RELATIVE, Arrays

# Facts about where the vectors and the numbers come from, which nothing here could differ from.
PROVENANCE = frozenset(
    {
        "source", "environment", "released_checkpoint", "config", "text_encoder", "preprocessing",
        "runtime_notes", "what_is_known", "inference", "not_found", "tolerance",
    }
)  # fmt: skip
METRICS = {"MPJPE": "mpjpe", "PAMPJPE": "pa_mpjpe", "ACCEL": "acceleration_error"}


def check(path: Path, content: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"vposer_t/{path.name}"
    if "state_dict" in content:
        _check_facts(case, content, report)
    elif "cfg/key_order" in content:
        _check_formula(case, content, report)
    elif "in/joints_rst" in content:
        _check_metrics(case, content, report)
    elif any(name.startswith("weight/") for name in content):
        _check_network(case, content, report)
    else:
        names = ", ".join(sorted(content)[:5])
        report.unchecked(case, names, "no known case holds these arrays")


def skeleton_of(n_features: int) -> Skeleton:
    """The skeleton whose features have this width."""
    return {one.n_features: one for one in (HUMANML3D, KIT)}[n_features]


def _check_network(case: str, arrays: Arrays, report: Any) -> None:
    """A small network: outputs, losses and gradients, with stored and with a batch's statistics."""
    weights = checks.tensors(arrays, "weight/")
    n_features = int(arrays["cfg/F"])
    sizes = original_sizes(weights, n_features)
    report.exact(case, "cfg/T", sizes["frames"], int(arrays["cfg/T"]))
    report.exact(case, "cfg/neurons", sizes["width"], int(arrays["cfg/neurons"]))
    report.exact(case, "cfg/latent", sizes["latent"], int(arrays["cfg/latent"]))
    for at in sorted({name.split("/")[0] for name in arrays if "/out/" in name}):
        codec = VPoserT(**sizes, dropout=0.0, hide_padding=False)
        load_original(codec, weights)
        codec.train(at.startswith("train"))
        _check_pass(case, f"{at}/", codec, arrays, report)
        after = checks.tensors(arrays, f"{at}/after/")
        state = codec.state_dict()
        found = {f"{at}/after/{name}": state[our_name(name)] for name in after}
        for name, value in found.items():
            report.compare(case, name, value, arrays[name], atol=OUTPUT, rtol=RELATIVE)
        codec.hide_padding = True
        _check_hidden(case, f"{at}/", codec.eval(), arrays, report)


def _check_pass(case: str, at: str, codec: VPoserT, arrays: Arrays, report: Any) -> None:
    features, lengths = (torch.from_numpy(arrays[f"in/{name}"]) for name in ("x", "lengths"))
    mean, std, noise = (torch.from_numpy(arrays[f"in/{n}"]) for n in ("mean", "std", "eps"))
    skeleton = skeleton_of(features.shape[-1])
    latent = codec.encode(features, lengths)
    latents = latent.sample(noise[:, None])
    whole = torch.full_like(lengths, features.shape[1])
    output = codec.decode(latents, whole)
    weight = float(arrays[f"{at}loss/lambda_kl"])
    losses = ContinuousLosses(skeleton, kl=weight, padding="counted")
    parts = losses(output, features, latent, lengths, mean, std)
    total = losses.total(parts)
    total.backward()
    checks.outputs(
        report,
        case,
        {
            "out/mu": latent.mean[:, 0],
            "out/std": latent.std[:, 0],
            "out/z": latents.transpose(0, 1),
            "out/output": output,
        },
        arrays,
        at,
    )
    joints = {"joints_rst": output, "joints_ref": features}
    found = {
        f"{at}out/{n}": features_to_joints(v * std + mean, skeleton) for n, v in joints.items()
    }
    checks.positions(report, case, found, arrays)
    named = {"recons_feature": "features", "recons_joints": "joints", "kl_motion": "kl"}
    values = {f"{at}loss/{name}": parts[ours] for name, ours in named.items()}
    checks.scalars(report, case, values | {f"{at}loss/total": total}, arrays)
    checks.gradients(report, case, at, codec, our_name, arrays)


def _check_hidden(case: str, at: str, codec: VPoserT, arrays: Arrays, report: Any) -> None:
    """What our own way gives where the clip has content is what the released way gives there."""
    if not at.startswith("eval"):
        return
    features, lengths = (torch.from_numpy(arrays[f"in/{name}"]) for name in ("x", "lengths"))
    latents = torch.from_numpy(arrays[f"{at}out/z"]).transpose(0, 1)
    noise = torch.full_like(features, torch.nan)  # of the padding nothing may be seen
    content = torch.arange(features.shape[1])[None] < lengths[:, None]
    with torch.no_grad():
        latent = codec.encode(torch.where(content[..., None], features, noise), lengths)
        output = codec.decode(latents, lengths)
    expected = torch.from_numpy(arrays[f"{at}out/output"])[:, : output.shape[1]]
    expected = expected * content[:, : output.shape[1], None]
    report.compare(case, f"{at}out/mu, padding hidden", latent.mean[:, 0], arrays[f"{at}out/mu"], atol=OUTPUT)  # fmt: skip
    report.compare(case, f"{at}out/output, padding hidden", output, expected, atol=OUTPUT)


def _check_formula(case: str, arrays: Arrays, report: Any) -> None:
    """The full-size network, its weights rebuilt by the recipe that came with the vectors."""
    n_features, latent = arrays["in/x_first_row"].shape[1], arrays["out/mu"].shape[1]
    n_clips = len(arrays["in/eps"])
    codec = VPoserT(n_features, latent=latent).eval()
    draws = np.random.RandomState(int(arrays["cfg/seed"]))
    ours, state = codec.state_dict(), {}
    for name in map(str, arrays["cfg/key_order"]):
        state[name] = _formula(name, ours[our_name(name)], draws)
        total = state[name].double().sum().item()
        report.compare(case, f"check/{name}", total, arrays[f"check/{name}"], atol=1e-6, rtol=1e-9)
    features = _drawn(draws, (n_clips, codec.longest or 0, n_features))
    load_original(codec, state)
    with torch.no_grad():
        found = codec.encode(features)
        latents = found.sample(torch.from_numpy(arrays["in/eps"])[:, None])
        output = codec.decode(latents, torch.full((n_clips,), codec.longest))
    checks.outputs(
        report,
        case,
        {
            "in/x_first_row": features[:, 0],
            "out/mu": found.mean[:, 0],
            "out/std": found.std[:, 0],
            "out/z": latents.transpose(0, 1),
        },
        arrays,
    )
    whole = output.double().abs().sum().item()
    checks.scalars(
        report, case, {"in/x_sum": features.double().sum(), "out/output_abs_sum": whole}, arrays
    )
    # Its terms cancel: rounding is of the size of all of them, not of what is left.
    name, total = "out/output_sum", output.double().sum().item()
    report.compare(case, name, total, arrays[name], atol=1e-6 * whole, rtol=RELATIVE)
    for name in [one for one in arrays if one.startswith("out/output_frames_")]:
        frames = [int(number) for number in re.findall(r"\d+", name)]
        report.compare(case, name, output[:, frames], arrays[name], atol=OUTPUT, rtol=RELATIVE)


def _formula(name: str, like: Tensor, draws: np.random.RandomState) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros_like(like)
    drawn = _drawn(draws, tuple(like.shape))
    if name.endswith("running_var"):
        return 1 + 0.25 * drawn.tanh()
    if drawn.ndim == 2:
        return drawn / drawn.shape[1] ** 0.5
    if name in ("encoder_net.1.weight", "encoder_net.4.weight"):
        return 1 + 0.1 * drawn
    return 0.1 * drawn


def _drawn(draws: np.random.RandomState, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(draws.standard_normal(int(np.prod(shape))).astype(np.float32)).view(
        shape
    )


def _check_metrics(case: str, arrays: Arrays, report: Any) -> None:
    """MLD's reconstruction metrics on random clips, with and without the padding."""
    found, wanted = (torch.from_numpy(arrays[f"in/{n}"]) for n in ("joints_rst", "joints_ref"))
    lengths = torch.from_numpy(arrays["in/lengths"])
    content = (torch.arange(found.shape[1])[None] < lengths[:, None])[..., None, None]
    equal = torch.where(content, found, wanted)
    for name, kind in METRICS.items():
        numbers = {
            "with_padding_counted": _over_the_padding(kind, found, wanted, lengths),
            "padding_equal_in_both": _over_the_padding(kind, equal, wanted, lengths),
            "per_sequence_cropped": _cropped(kind, found, wanted, lengths),
        }
        for way, value in numbers.items():
            key = f"out/{way}/{name}"
            report.compare(case, key, value, arrays[key], atol=0, rtol=RELATIVE)
    first = found[0], wanted[0]
    mirrored = first[0] * torch.tensor((-1.0, 1.0, 1.0))
    frames = {
        "mpjpe_seq0": ERRORS["mpjpe"](*first),
        "pampjpe_seq0": ERRORS["pa_mpjpe"](*first),
        "accel_seq0": ERRORS["acceleration_error"](*first),
        "mpjpe_noalign_seq0": ERRORS["mpjpe"](*first, align_root=False),  # type: ignore[call-arg]
        "pampjpe_mirrored_seq0": ERRORS["pa_mpjpe"](mirrored, first[1]),
    }
    for name, value in frames.items():
        key = f"out/frame/{name}"
        report.compare(case, key, value / MILLIMETRES, arrays[key], atol=2e-5, rtol=RELATIVE)


def _over_the_padding(kind: str, found: Tensor, wanted: Tensor, lengths: Tensor) -> np.ndarray:
    """As `protocol.metrics.padding: counted` has it: all frames of the batch, over the valid ones."""
    frames = found.shape[1]
    metric = PaddedJointError(kind, longest=frames)
    rows = [metric.of_frames(*pair) for pair in zip(found, wanted, strict=True)]
    spans = torch.stack((lengths, torch.zeros_like(lengths), lengths), dim=1)
    total = metric.total(torch.stack(rows).double(), spans, torch.full_like(lengths, frames))
    return total.numpy()


def _cropped(kind: str, found: Tensor, wanted: Tensor, lengths: Tensor) -> np.ndarray:
    rows = [
        ERRORS[kind](one[:n], other[:n])
        for one, other, n in zip(found, wanted, lengths.tolist(), strict=True)
    ]
    return torch.cat(rows).double().mean().numpy()


def _check_facts(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """Sizes, names and recipe against our yaml of the full size."""
    described = checks.yaml("codec/vposer_t.yaml")
    sizes = {name: value for name, value in described.items() if not name.startswith("_")}
    given = facts["constructor"]["hard_coded"]
    with torch.device("meta"):
        codec = VPoserT(given["features"], **sizes)
        plain = VPoserT(given["features"])
    report.exact(case, "constructor: our yaml", plain.arguments(), codec.arguments())
    for name, ours in (("frames", "frames"), ("neurons", "width"), ("latent", "latent"), ("dropout", "dropout")):  # fmt: skip
        report.exact(case, f"constructor: {name}", sizes[ours], given[name])
    report.exact(case, "constructor: leaky_relu_slope", SLOPE, given["leaky_relu_slope"])
    counts = {"total": codec, "encoder": codec.encoder, "decoder": codec.decoder}
    for name, value in facts["parameter_counts"].items():
        report.exact(case, f"parameter_counts: {name}", checks.parameters(counts[name]), value)
    rename = partial(from_original_state_dict, prefix="")
    checks.shapes(report, case, "state_dict", codec, facts["state_dict"], rename)
    _check_optimisation(case, facts["optimisation"], report)
    checks.published_row(
        report, case, "table8_row_VPoser_t", "VPoser-t", facts["table8_row_VPoser_t"]
    )
    read = {"constructor", "parameter_counts", "state_dict", "optimisation", "table8_row_VPoser_t"}
    for name in sorted(facts.keys() - read - PROVENANCE):
        report.unchecked(case, name, "no known fact is called so")


def _check_optimisation(case: str, text: str, report: Any) -> None:
    """MLD's recipe, in words: "AdamW, lr 1e-4, batch 128, …, LAMBDA_REC 1, …"."""
    stage = checks.yaml("stage/codec.yaml")
    ours = {
        "lr": stage["learning_rate"],
        "batch": stage["schedule"]["batch_size"],
        "LAMBDA_REC": stage["losses"]["features"],
        "LAMBDA_JOINT": stage["losses"]["joints"],
        "LAMBDA_KL": stage["losses"]["kl"],
    }
    for name, value in ours.items():
        (number,) = re.findall(rf"\b{name} ([\d.e-]*\d)", text)
        report.exact(case, f"optimisation: {name}", float(value), float(number))
    optimizer = checks.yaml("optimizer/adamw.yaml")["_target_"].rpartition(".")[2]
    report.exact(case, "optimisation: optimizer", optimizer in text, True)
