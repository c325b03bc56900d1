"""Golden vectors of ACTOR: subfolder `actor`. A case is recognised by the arrays it holds.

Tolerances are those that came with the vectors: 1e-5 on outputs, 2e-5 on positions, 1e-4 relative on
losses and gradients.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.actor.action_network import (
    ActionActor,
    generation_latents,
    noise_rows,
)
from motiongpt.codecs.actor.network import Actor
from motiongpt.codecs.actor.original_names import load_original, original_sizes, our_name
from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.continuous.losses import ContinuousLosses
from motiongpt.motion.recover import features_to_joints
from tests.golden import codec_checks as checks
from tests.golden.actor_body import Body, body_points
from tests.golden.actor_dataset import check_items
from tests.golden.actor_facts import check_facts
from tests.golden.codec_checks import OUTPUT, Arrays
from tests.golden.vposer_t import skeleton_of

FACTOR = 0.5  # of the noise in gen_modes/*


def check(path: Path, content: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"actor/{path.name}"
    if "constructor_defaults" in content:
        check_facts(case, content, report)
    elif "in/num_frames" in content:
        check_items(case, content, report)
    elif "weight/encoder.mu_token" in content:
        _check_features(case, content, report)
    elif "weight/encoder.muQuery" in content:
        _check_actions(case, content, report)
    elif any("/weight/" in name for name in content):
        for variant in sorted({n.split("/")[0] for n in content if "/weight/" in n}):
            _check_ablation(case, variant, content, report)
    else:
        report.unchecked(case, ", ".join(sorted(content)[:5]), "no known case holds these arrays")


def _check_features(case: str, arrays: Arrays, report: Any) -> None:
    """MLD's action-free rewrite on motion features."""
    weights = checks.tensors(arrays, "weight/")
    sizes = original_sizes(weights)
    _check_sizes(case, sizes, arrays, report)
    codec = Actor(**sizes, heads=int(arrays["cfg/num_heads"])).eval()
    load_original(codec, weights)
    features, lengths = (torch.from_numpy(arrays[f"in/{name}"]) for name in ("x", "lengths"))
    mean, std, noise = (torch.from_numpy(arrays[f"in/{n}"]) for n in ("mean", "std", "eps"))
    skeleton = skeleton_of(features.shape[-1])
    latent = codec.encode(features, lengths)
    latents = latent.sample(noise[:, None])
    output = codec.decode(latents, lengths)
    weight = float(arrays["loss/lambda_kl"])
    losses = ContinuousLosses(skeleton, kl=weight, padding="counted")
    parts = losses(output, features, latent, lengths, mean, std)
    total = losses.total(parts)
    total.backward()
    found = {
        "out/mu": latent.mean[:, 0],
        "out/std": latent.std[:, 0],
        "out/z": latents.transpose(0, 1),
        "out/z_mean": latent.mean.transpose(0, 1),
        "out/output": output,
    }
    checks.outputs(report, case, found, arrays)
    joints = {"out/joints_rst": output, "out/joints_ref": features}
    points = {n: features_to_joints(v * std + mean, skeleton) for n, v in joints.items()}
    checks.positions(report, case, points, arrays)
    named = {"recons_feature": "features", "recons_joints": "joints", "kl_motion": "kl"}
    values = {f"loss/{name}": parts[ours] for name, ours in named.items()}
    checks.scalars(report, case, values | {"loss/total": total}, arrays)
    checks.gradients(report, case, "", codec, our_name, arrays)


def _check_actions(case: str, arrays: Arrays, report: Any) -> None:
    """The whole model with action labels: on rotations with a body, or on plain features."""
    weights = checks.tensors(arrays, "weight/")
    sizes = original_sizes(weights)
    _check_sizes(case, sizes, arrays, report)
    report.exact(case, "cfg/latent_dim", sizes["width"], int(arrays["cfg/latent_dim"]))
    n_actions, heads = len(weights["encoder.muQuery"]), int(arrays["cfg/num_heads"])
    network = ActionActor(n_actions=n_actions, heads=heads, **sizes).eval()
    load_original(network, weights)
    rows, actions, mask = (torch.from_numpy(arrays[f"in/{n}"]) for n in ("x", "y", "mask"))
    lengths = torch.from_numpy(arrays["in/lengths"])
    report.exact(case, "in/mask", _mask(lengths, rows.shape[-1]).numpy(), arrays["in/mask"])
    latent = network.encode(_frames(rows), actions, lengths)
    latents = latent.sample(torch.from_numpy(arrays["in/eps"])[:, None])
    made = _rows(network.decode(latents, actions, lengths), rows)
    found = {
        "out/mu": latent.mean[:, 0],
        "out/logvar": 2 * latent.std[:, 0].log(),
        "out/z": latents[:, 0],
        "out/output": made,
    }
    checks.outputs(report, case, found, arrays)
    body = Body(checks.tensors(arrays, "body/")) if "body/f" in arrays else None
    points = {"out/x_xyz": rows, "out/output_xyz": made}
    if body is not None:
        points = {name: body_points(body, value, mask) for name, value in points.items()}
        _check_joint_sets(case, body, rows, mask, arrays, report)
    checks.positions(report, case, points, arrays)
    pairs = {"": (made, rows), "xyz": (points["out/output_xyz"], points["out/x_xyz"])}
    _check_losses(case, pairs, latent, lengths, arrays, report)
    checks.gradients(report, case, "", network, our_name, arrays)
    with torch.no_grad():
        _check_generation(case, network, rows, arrays, report)


def _check_losses(
    case: str,
    pairs: dict[str, tuple[Tensor, Tensor]],
    latent: Gaussian,
    lengths: Tensor,
    arrays: Arrays,
    report: Any,
) -> None:
    """Losses as ACTOR weights them; leaves the gradients of their sum."""
    kl_weight = float(arrays["cfg/lambda_kl"])
    losses = ContinuousLosses(
        skeleton_of(263),
        distance="l2",
        features=float(arrays["cfg/lambda_rc"]),
        joints=float(arrays["cfg/lambda_rcxyz"]),
        kl=kl_weight,
        kl_reduction="sum",
        clips=len(lengths),
    )
    frames = {name: tuple(_frames(values) for values in pair) for name, pair in pairs.items()}
    means = {name: losses.frame_mean(*pair, lengths) for name, pair in frames.items()}
    parts = {"features": means[""], "joints": means["xyz"], "kl": losses.kl(latent)}
    parts = {name: value for name, value in parts.items() if name in losses.names}
    total = losses.total(parts)
    total.backward(retain_graph=True)
    found = {"loss/rc": parts["features"], "loss/kl": parts["kl"], "loss/mixed": total}
    if "loss/rcxyz" in arrays:
        found["loss/rcxyz"] = parts["joints"]
    for name, pair in frames.items():
        steps = [values[:, 1:] - values[:, :-1] for values in pair]
        # A step counts where the later of its two frames is the clip's.
        found[f"loss_extra/vel{name}"] = losses.frame_mean(*steps, lengths - 1)
    checks.scalars(report, case, found, arrays)


def _check_joint_sets(
    case: str, body: Body, rows: Tensor, mask: Tensor, arrays: Arrays, report: Any
) -> None:
    """`xyz/*`: joint sets, translation, a fixed root, another shape."""
    for name in [one for one in arrays if one.startswith("xyz/")]:
        joint_set, _, way = name.removeprefix("xyz/").partition("_")
        frames = arrays[name].shape[-1]
        noted = {
            "vertstrans0": {},
            "vertstrans1": {"translated": True},
            "noglob": {"with_root": False, "translated": True},
            "beta": {"second_shape": 1.5, "translated": True},
        }[way]
        given = rows[:, 1:] if way == "noglob" else rows
        found = body_points(body, given[..., :frames], mask[:, :frames], joint_set, **noted)
        checks.positions(report, case, {name: found}, arrays)


def _check_generation(
    case: str, network: ActionActor, rows: Tensor, arrays: Arrays, report: Any
) -> None:
    actions, durations = (torch.from_numpy(arrays[f"gen/{n}"]) for n in ("classes", "durations"))
    latents = torch.from_numpy(arrays["gen/z"])
    times = len(latents) // len(actions)
    made = network.generate(actions, durations, latents)
    lengths = durations.repeat(times)
    report.exact(case, "gen/y", actions.repeat(times).numpy(), arrays["gen/y"])
    report.exact(case, "gen/lengths", lengths.numpy(), arrays["gen/lengths"])
    report.exact(case, "gen/mask", _mask(lengths, made.shape[1]).numpy(), arrays["gen/mask"])
    checks.outputs(report, case, {"gen/output": _rows(made, rows)}, arrays)
    for name in [one for one in arrays if one.startswith("gen_modes/") and one.endswith("/z")]:
        same, other = name.split("/")[1].split("_")
        noise = torch.from_numpy(arrays[f"gen_modes/{same}_{other}/noise"])
        samples = len(arrays[name]) // len(actions)
        report.exact(
            case,
            f"{name}: rows of noise",
            noise_rows(len(actions), samples, same, other),
            len(noise),
        )
        found = generation_latents(noise, len(actions), samples, same, other, FACTOR)
        report.compare(case, name, found, arrays[name], atol=OUTPUT)


def _check_ablation(case: str, variant: str, arrays: Arrays, report: Any) -> None:
    """One half of the network with one option that the paper does not keep."""
    at = f"{variant}/"
    weights = checks.tensors(arrays, f"{at}weight/")
    sizes = original_sizes(weights)
    rows, actions, lengths = (
        torch.from_numpy(arrays[f"{at}in/{n}"]) for n in ("x", "y", "lengths")
    )
    latents = torch.from_numpy(arrays[f"{at}in/z"])
    report.exact(
        case, f"{at}in/mask", _mask(lengths, rows.shape[-1]).numpy(), arrays[f"{at}in/mask"]
    )
    options: Any = {
        "average_encoder": {"summary": "average_padded"},
        "zandtime": {"condition": "linear"},
        "concat_bias": {"condition": "token"},
        "time_encoding": {"queries": "time"},
    }[variant]
    sizes["n_actions"] = _n_actions(weights, sizes["width"])
    name = "encoder" if "summary" in options else "decoder"

    def outputs(heads: int) -> dict[str, Tensor]:
        network = ActionActor(**sizes, heads=heads, **options).eval()
        half = network.encoder if name == "encoder" else network.decoder
        load_original(torch.nn.ModuleDict({name: half}), weights)
        with torch.no_grad():
            if name == "decoder":
                made = network.decode(latents[:, None], actions, lengths)
                return {"out/output": _rows(made, rows)}
            latent = network.encode(_frames(rows), actions, lengths)
            return {"out/mu": latent.mean[:, 0], "out/logvar": 2 * latent.std[:, 0].log()}

    # The file does not tell the number of heads, and it leaves no trace in the weights.
    possible = [heads for heads in range(1, sizes["width"] + 1) if sizes["width"] % heads == 0]
    found = [outputs(heads) for heads in possible]
    key = next(iter(found[0]))
    nearest = min(found, key=lambda one: float(np.abs(one[key].numpy() - arrays[at + key]).max()))
    checks.outputs(report, case, nearest, arrays, at)


def _n_actions(weights: dict[str, Tensor], width: int) -> int:
    """Told by the biases or the layer that mixes labels in; an averaging encoder has no labels."""
    if "decoder.actionBiases" in weights:
        return len(weights["decoder.actionBiases"])
    mixing = weights.get("decoder.ztimelinear.weight")
    return 1 if mixing is None else mixing.shape[1] - width


def _check_sizes(case: str, sizes: dict[str, int], arrays: Arrays, report: Any) -> None:
    report.exact(case, "cfg/num_layers", sizes["layers"], int(arrays["cfg/num_layers"]))
    report.exact(case, "cfg/ff_size", sizes["feedforward"], int(arrays["cfg/ff_size"]))


def _frames(rows: Tensor) -> Tensor:
    """(B, T, rows x numbers) of ACTOR's (B, rows, numbers, T)."""
    return rows.permute(0, 3, 1, 2).flatten(2)


def _rows(frames: Tensor, like: Tensor) -> Tensor:
    """ACTOR's (B, rows, numbers, T) of (B, T, rows x numbers)."""
    return frames.unflatten(2, like.shape[1:3]).permute(0, 2, 3, 1)


def _mask(lengths: Tensor, frames: int) -> Tensor:
    return torch.arange(frames)[None] < lengths[:, None]
