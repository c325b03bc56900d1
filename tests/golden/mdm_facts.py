"""Golden facts of MDM: full-size networks, their names and sizes, noise and recipe."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from launch.composition.build import build
from motiongpt.methods.mdm.method import Sampling
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.original_names import BERT_WIDTH, from_original_state_dict
from motiongpt.methods.mdm.schedule import MOST_VARIANCE, NoiseSchedule
from tests.golden.recipes import configured

CONFIGURED = {
    "latent_dim": "width",
    "ff_size": "feed_forward",
    "num_layers": "layers",
    "num_heads": "heads",
    "dropout": "dropout",
    "activation": "activation",
    "pos_embed_max_len": "positions",
    "emb_trans_dec": "step_token",
}


def check_facts(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """Compare what facts.json says with the networks, the schedule and the recipes of conf/."""
    wanted, denoising = (
        facts["constructor_arguments_default_humanml"],
        configured("motion_denoiser", "mdm"),
    )
    for theirs, ours in CONFIGURED.items():
        report.exact(case, theirs, denoising[ours], wanted[theirs])
    report.exact(case, "frames", denoising.frames, facts["preprocessing"]["max_frames"])
    with torch.device("meta"):
        for name, described in facts["named_configs"].items():
            _check_network(case, name, described, facts, report)
    _check_noise(case, facts, report)
    _check_recipe(case, facts, report)


def _check_network(
    case: str, name: str, described: Mapping[str, Any], facts: Mapping[str, Any], report: Any
) -> None:
    overrides = described["overrides"]
    decodes = overrides.get("arch") == "trans_dec"
    words = overrides.get("text_encoder_type") == "bert"
    features = described.get("njoints", facts["constructor_arguments_default_humanml"]["njoints"])
    network: MotionDenoiser = build(configured("motion_denoiser", "mdm"))(
        n_features=features,
        text_width=BERT_WIDTH if words else facts["constructor_defaults_not_passed"]["clip_dim"],
        kind="decoder" if decodes else "encoder",
        words=words,
    )
    report.exact(case, f"{name} parameters", _count(network), described["params"])
    if name in facts["state_dict_shapes"]:
        shapes = facts["state_dict_shapes"][name]
        state = {one: torch.empty(tuple(shape)) for one, shape in shapes.items()}
        renamed = _shapes(from_original_state_dict(state))
        report.exact(case, f"{name} weights", _shapes(network.state_dict()), renamed)


def _check_noise(case: str, facts: Mapping[str, Any], report: Any) -> None:
    found, schedule = facts["diffusion"], NoiseSchedule()
    report.exact(case, "schedule", schedule.kind, found["schedule"])
    report.exact(case, "steps", len(schedule), found["steps_default"])
    report.exact(case, "largest variance", MOST_VARIANCE, found["max_beta"])
    report.exact(case, "guidance", Sampling().guidance, found["guidance_scale_default"])
    report.exact(case, "all steps", Sampling().steps, None)
    later = facts["named_configs"]["humanml_trans_enc_512_50steps"]["overrides"]
    stage = configured("stage", "mdm_50_steps")
    report.exact(case, "later steps", stage.noise.steps, later["diffusion_steps"])
    average = facts["optimiser"]["ema"]["flag_use_ema"]["decay"]
    report.exact(case, "later average", stage.average, average)


def _check_recipe(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """conf/stage/mdm_paper.yaml against the released training."""
    stage, optimiser = configured("stage", "mdm_paper"), facts["optimiser"]
    for name, ours, expected in (
        ("dropped captions", stage.drop_text, optimiser["cond_mask_prob"]),
        ("learning rate", stage.learning_rate, optimiser["lr"]),
        ("batch", stage.schedule.batch_size, optimiser["batch"]),
        ("steps of training", stage.schedule.steps, optimiser["steps"]),
        ("gradient clip", stage.schedule.gradient_clip, optimiser["grad_clip"]),
        ("betas", list(stage.optimizer.betas), optimiser["betas"]),
        ("weight decay", stage.optimizer.weight_decay, optimiser["weight_decay"]),
        ("average", stage.average is None, optimiser["ema"]["default"] == "off"),
        ("unit", stage.unit, facts["preprocessing"]["unit"]),
        ("velocity", stage.losses.velocity, facts["training_argument_defaults"]["lambda_vel"]),
    ):
        report.exact(case, name, ours, expected)


def _shapes(state: Mapping[str, Any]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in state.items()}


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
