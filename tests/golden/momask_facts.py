"""The facts of MoMask's release: names, shapes and counts of weights, sizes, recipes, defaults.

What is said in words only (where the code comes from, how its data sets cut) has nothing to
compare.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from launch.composition.build import build
from motiongpt.codecs.residual_vq.network import ResidualVQVAE
from motiongpt.codecs.residual_vq.original_names import from_original_state_dict as codec_names
from motiongpt.codecs.residual_vq.original_names import original_sizes as codec_sizes
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.method import Sampling
from motiongpt.methods.momask.original_names import (
    from_original_state_dict,
    length_from_original,
    length_sizes,
    masked_sizes,
    residual_sizes,
)
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.published.importers.momask import CONTAINERS
from tests.golden.recipes import configured

Facts = Mapping[str, Any]

TRANSFORMER = {  # their constructor's arguments, in the words of ours
    "latent_dim": "width",
    "ff_size": "feed_forward",
    "num_layers": "layers",
    "num_heads": "heads",
    "dropout": "dropout",
    "code_dim": "code_dim",
    "num_tokens": "codebook_size",
    "clip_dim": "text_width",
}
TRANSFORMERS = ("mask_transformer", "residual_transformer")
CODEC = {
    "nb_code": "codebook_size",
    "code_dim": "code_dim",
    "width": "width",
    "depth": "depth",
    "dilation_growth_rate": "dilation_growth",
    "activation": "activation",
    "mu": "decay",
    "quantize_dropout_prob": "codebook_dropout",
    "conv_block_dropout_hardcoded": "dropout",
    "num_quantizers_readme_and_released": "codebooks",
}


def check_facts(case: str, facts: Facts, report: Any) -> None:
    """Everything in the file that our code or configuration says too."""
    with torch.device("meta"):
        _check_codec(case, facts, report)
        _check_transformers(case, facts, report)
    _check_recipes(case, facts, report)
    _check_sampling(case, facts, report)
    for part, described in facts["checkpoint_files"].items():
        keys = described["top_level_keys"]
        report.exact(case, f"{part} in its file", CONTAINERS[part][0] in keys, True)
        other = described.get("alternate_weight_key_accepted_on_load")
        report.exact(case, f"{part} elsewhere", other in (None, *CONTAINERS[part]), True)


def _check_codec(case: str, facts: Facts, report: Any) -> None:
    wanted, counts = facts["constructors"]["rvqvae"], facts["parameter_counts"]
    yaml = configured("residual_tokenizer", "momask")
    for theirs, ours in CODEC.items():
        report.exact(case, f"residual_tokenizer.{ours}", yaml[ours], wanted[theirs])
    yaml.frames_per_token = wanted["stride_t"] ** wanted["down_t"]
    report.exact(case, "features", HUMANML3D.n_features, wanted["input_width"])
    codec: ResidualVQVAE = build(yaml)(n_features=HUMANML3D.n_features)
    kit = build(yaml)(n_features=wanted["input_width_kit"])
    report.exact(case, "features of KIT", KIT.n_features, wanted["input_width_kit"])
    count = counts["rvqvae_Q6_parameters(codebooks are buffers)"]
    report.exact(case, "codec's parameters", _count(codec), count)
    report.exact(case, "the same for KIT", _count(kit), counts["rvqvae_kit_Q6_parameters"])
    codebooks = sum(layer.get_buffer("codebook").numel() for layer in codec.quantizer.layers)
    report.exact(case, "numbers of codes", codebooks, counts["rvqvae_Q6_codebook_elements"])
    state = _state(facts["state_dict_shapes"]["rvqvae_Q6"])
    _check_shapes(case, "codec", codec, codec_names(state), report)
    told = codec_sizes(state)
    report.exact(case, "codec's sizes", told, {name: codec.arguments()[name] for name in told})


def _check_transformers(case: str, facts: Facts, report: Any) -> None:
    wanted, counts = facts["constructors"], facts["parameter_counts"]
    text = wanted["mask_transformer"]["clip_dim"]
    common = {
        "codebook_size": wanted["mask_transformer"]["num_tokens"],
        "text_width": text,
    }
    masked: MaskedTransformer = build(configured("mask_transformer", "momask"))(**common)
    _check_sizes(case, masked, wanted["mask_transformer"], report)
    report.exact(case, "masked parameters", _count(masked), counts["mask_transformer_without_clip"])
    codebooks = wanted["residual_transformer"]["num_quantizers"]
    for shared, key, extra in (
        (True, "share_weight", 0),
        (False, "no_share", common["codebook_size"] + 1),  # a bias of no codebook
    ):
        both = {name: configured(name, "momask") for name in TRANSFORMERS}
        both["residual_transformer"].share_weights = shared
        yaml = OmegaConf.create(both).residual_transformer
        residual: ResidualTransformer = build(yaml)(codebooks=codebooks, **common)
        _check_sizes(case, residual, wanted["residual_transformer"], report)
        count = counts[f"residual_transformer_{key}_without_clip"]
        report.exact(case, f"residual parameters, {key}", _count(residual) + extra, count)
        state = _state(facts["state_dict_shapes"][f"residual_transformer_{key}"])
        _check_shapes(case, f"residual {key}", residual, from_original_state_dict(state), report)
        told = residual_sizes(state)
        told["doubled"] = False
        ours = {name: residual.arguments()[name] for name in told}
        report.exact(case, f"residual sizes, {key}", told, ours)
    default = configured("residual_transformer", "momask").share_weights
    released = wanted["residual_transformer"]["share_weight_readme_and_released"]
    report.exact(case, "weights are shared", default, released)
    state = _state(facts["state_dict_shapes"]["mask_transformer"])
    _check_shapes(case, "masked", masked, from_original_state_dict(state), report)
    told = masked_sizes(state)
    report.exact(case, "masked sizes", told, {name: masked.arguments()[name] for name in told})
    estimator = LengthEstimator(text, wanted["length_estimator"]["output_size"] - 1)
    report.exact(case, "length parameters", _count(estimator), counts["length_estimator"])
    state = _state(facts["state_dict_shapes"]["length_estimator"])
    _check_shapes(case, "length", estimator, length_from_original(state), report)
    told = length_sizes(state)
    report.exact(case, "length sizes", told, {name: estimator.arguments()[name] for name in told})


def _check_sizes(case: str, network: Any, wanted: Facts, report: Any) -> None:
    arguments = network.arguments()
    for theirs, ours in TRANSFORMER.items():
        report.exact(case, f"{type(network).__name__}.{ours}", arguments[ours], wanted[theirs])


def _check_recipes(case: str, facts: Facts, report: Any) -> None:
    """conf/stage/…_paper.yaml against what was released."""
    recipes, sizes = facts["optimisation"], facts["constructors"]
    codec = _recipe("momask_tokenizer_paper")
    wanted = recipes["rvqvae"]
    warmup = wanted["warm_up_iter"]
    found: dict[str, tuple[Any, Any]] = {
        "rate": (codec.learning_rate, wanted["lr"]),
        "batch": (codec.schedule.batch_size, wanted["batch_readme_command"]),
        "window": (codec.window, wanted["window_size"]),
        "velocity": (codec.losses.velocity, wanted["loss_vel"]),
        "commitment": (codec.losses.commitment, wanted["commit"]),
        "milestones": (
            list(codec.scheduler.milestones),
            [warmup + one for one in wanted["milestones"]],
        ),
        "gamma": (codec.scheduler.gamma, wanted["gamma_option_default"]),
        "warm-up": (codec.scheduler.warmup_steps, warmup),
        "gradient clip": (codec.schedule.gradient_clip, wanted["gradient_clipping"]),
        "distance": (codec.losses.reconstruction, wanted["recons_loss"]),
    }
    found["betas"] = (list(codec.optimizer.betas), wanted["betas"])
    found["weight decay"] = (codec.optimizer.weight_decay, wanted["weight_decay"])
    _report(case, "codec", found, report)
    wanted = recipes["mask_transformer"]
    for name in ("momask", "momask_residual"):
        stage = _recipe(f"{name}_paper")
        dropped = (
            sizes["mask_transformer"]["cond_drop_prob"]
            if name == "momask"
            else recipes["residual_transformer"]["cond_drop_prob_readme"]
        )
        found = {
            "rate": (stage.learning_rate, wanted["lr"]),
            "batch": (stage.schedule.batch_size, wanted["batch_t2m"]),
            "milestones": (list(stage.scheduler.milestones), wanted["milestones"]),
            "gamma": (stage.scheduler.gamma, wanted["gamma"]),
            "warm-up": (stage.scheduler.warmup_steps, wanted["warm_up_iter"]),
            "betas": (list(stage.optimizer.betas), wanted["betas"]),
            "weight decay": (stage.optimizer.weight_decay, wanted["weight_decay"]),
            "gradient clip": (stage.schedule.gradient_clip, wanted["gradient_clipping"]),
            "hidden texts": (stage.drop_text, dropped),
        }
        _report(case, name, found, report)
    stage = _recipe("momask_length_paper")
    wanted = recipes["length_estimator"]
    found = {
        "rate": (stage.learning_rate, wanted["lr"]),
        "batch": (stage.schedule.batch_size, wanted["batch"]),
        "gradient clip": (stage.schedule.gradient_clip, wanted["gradient_clip_norm"]),
    }
    _report(case, "length", found, report)


def _check_sampling(case: str, facts: Facts, report: Any) -> None:
    wanted, ours = facts["inference_defaults"], Sampling()
    found = {
        "steps": (ours.steps, wanted["time_steps_readme_evaluation"]),
        "guidance": (ours.guidance, wanted["cond_scale"]),
        "temperature": (ours.temperature, wanted["temperature"]),
        "left out": (ours.left_out, wanted["topk_filter_thres"]),
        "guidance of residuals": (
            ours.residual_guidance,
            wanted["residual_cond_scale_generate_demo"],
        ),
    }
    _report(case, "sampling", found, report)


def _report(case: str, part: str, found: Mapping[str, tuple[Any, Any]], report: Any) -> None:
    for name, (ours, theirs) in found.items():
        report.exact(case, f"{part}: {name}", ours, theirs)


def _check_shapes(
    case: str, part: str, network: nn.Module, renamed: Mapping[str, Tensor], report: Any
) -> None:
    ours = {name: list(t.shape) for name, t in network.state_dict().items()}
    report.exact(case, f"{part} weights", ours, {n: list(t.shape) for n, t in renamed.items()})


def _recipe(name: str) -> Any:
    """A stage's yaml beside the optimizer that it may refer to."""
    parts = {"optimizer": configured("optimizer", "adamw"), "stage": configured("stage", name)}
    return OmegaConf.create(parts).stage


def _state(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    return {name: torch.empty(tuple(shape)) for name, shape in shapes.items()}


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
