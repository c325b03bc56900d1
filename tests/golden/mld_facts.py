"""Golden facts of MLD: full-size networks, noise schedule and recipe."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evaluation.evaluators.t2m_networks import T2MNetworks
from launch.composition.build import build
from motiongpt.codecs.mld_vae import original_names as vae_names
from motiongpt.codecs.mld_vae.network import MLDVAE
from motiongpt.methods.mld import original_names as denoiser_names
from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.method import Sampling
from motiongpt.methods.mld.schedule import NoiseSchedule
from tests.golden.recipes import configured

CONFIGURED = {  # their constructor's arguments, in the words of ours
    "ff_size": "feed_forward",
    "num_layers": "layers",
    "num_heads": "heads",
    "dropout": "dropout",
    "activation": "activation",
}
EVALUATOR = {
    "t2m_textencoder": "text_encoder",
    "t2m_moveencoder": "movement_encoder",
    "t2m_motionencoder": "motion_encoder",
}


def check_facts(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """Compare what facts.json says with the networks, the schedule and the recipes of conf/."""
    with torch.device("meta"):
        _check_networks(case, facts, report)
        _check_evaluator(case, facts, report)
    _check_schedule(case, facts, report)
    _check_recipe(case, facts, report)


def _check_networks(case: str, facts: Mapping[str, Any], report: Any) -> None:
    counts, wanted = facts["parameter_counts"], facts["constructor_arguments"]
    latent_tokens, width = wanted["vae"]["latent_dim"]
    codec, denoising = configured("codec", "mld_vae"), configured("denoiser", "mld")
    vae: MLDVAE = build(codec)(n_features=wanted["vae"]["nfeats"])
    denoiser: LatentDenoiser = build(denoising)(
        latent_tokens=latent_tokens,
        width=width,
        text_width=wanted["denoiser"]["text_encoded_dim"],
    )
    report.exact(case, "vae latent", [codec.latent_tokens, codec.width], [latent_tokens, width])
    for part, settings in (("vae", codec), ("denoiser", denoising)):
        for released, ours in CONFIGURED.items():
            report.exact(case, f"{part} {released}", settings[ours], wanted[part][released])
    report.exact(case, "vae parameters", _count(vae), counts["vae"])
    used = counts["denoiser_actually_used"]
    report.exact(case, "denoiser parameters", _count(denoiser), used)
    unused = facts["state_dict_shapes"]["denoiser"][f"denoiser.{denoiser_names.UNUSED}"]
    stored = _count(denoiser) + torch.Size(unused).numel()
    report.exact(case, "denoiser parameters, stored", stored, counts["denoiser"])
    for part, names, network in (
        ("vae", vae_names, vae),
        ("denoiser", denoiser_names, denoiser),
    ):
        state = _state(facts["state_dict_shapes"][part])
        renamed = names.from_original_state_dict(state, f"{part}.")
        report.exact(case, f"{part} weights", _shapes(network.state_dict()), _shapes(renamed))


def _check_evaluator(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """The published evaluator's networks, which a checkpoint of MLD has too."""
    networks = T2MNetworks()
    shapes = facts["state_dict_shapes"]["evaluators_in_same_checkpoint"]
    for released, ours in EVALUATOR.items():
        network: nn.Module = getattr(networks, ours)
        count = facts["parameter_counts"][released]
        report.exact(case, f"{released} parameters", _count(network), count)
        expected = {n.removeprefix(f"{released}."): s for n, s in shapes[released].items()}
        report.exact(case, f"{released} weights", _shapes(network.state_dict()), expected)


def _check_schedule(case: str, facts: Mapping[str, Any], report: Any) -> None:
    schedule, sampling = NoiseSchedule(), Sampling()
    inference = facts["scheduler"]["inference"]
    report.exact(case, "sampling steps", sampling.steps, inference["num_inference_timesteps"])
    report.exact(case, "guidance", sampling.guidance, facts["guidance"]["scale"])
    # What `NoiseSchedule` has no option for is as it must be.
    fixed = {
        "beta_schedule": "scaled_linear",
        "clip_sample": False,
        "set_alpha_to_one": False,
        "steps_offset": 1,
    }
    for part in ("inference", "training"):
        found = facts["scheduler"][part]["params"]
        ours = (schedule.steps, schedule.first, schedule.last)
        names = ("num_train_timesteps", "beta_start", "beta_end")
        report.exact(case, f"{part} noise", list(ours), [found[name] for name in names])
        for name in fixed.keys() & found.keys():
            report.exact(case, f"{part} {name}", fixed[name], found[name])
    report.exact(case, "eta", 0.0, inference["eta"])


def _check_recipe(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """conf/stage/mld_paper.yaml against the released diffusion stage."""
    stage = configured("stage", "mld_paper")
    optimiser = facts["optimiser"]
    for name, ours, expected in (
        ("dropped captions", stage.drop_text, facts["guidance"]["uncond_prob_in_training"]),
        ("learning rate", stage.learning_rate, optimiser["lr"]),
        ("batch", stage.schedule.batch_size, optimiser["diffusion_stage"]["batch"]),
        ("gradient clip", stage.schedule.gradient_clip, optimiser["grad_clip"]),
        ("betas", str(list(stage.optimizer.betas)), _in_brackets(optimiser["betas"])),
        (
            "weight decay",
            stage.optimizer.weight_decay,
            float(optimiser["weight_decay"].split()[-1]),
        ),
    ):
        report.exact(case, name, ours, expected)


def _in_brackets(words: str) -> str:
    """ "[0.9, 0.999]" of "library default 0.9, 0.999"."""
    return f"[{words.removeprefix('library default ')}]"


def _state(shapes: Mapping[str, list[int]]) -> dict[str, Tensor]:
    return {name: torch.empty(tuple(shape)) for name, shape in shapes.items()}


def _shapes(state: Mapping[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in state.items()}


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
