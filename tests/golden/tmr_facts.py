"""Golden facts of TMR: the full-size networks, and the recipe of conf/evaluator/tmr_paper.yaml."""

from collections.abc import Mapping
from typing import Any

import torch

from evaluation.evaluators.tmr_networks import TMRNetworks, TMRSizes
from evaluation.evaluators.tmr_weights import from_original_state_dict
from evaluation.metrics.match_ranks import TOP
from launch.composition.compose import compose_config
from tests.golden.codec_checks import parameters, shapes, yaml

NETWORKS = ("motion_encoder", "text_encoder", "motion_decoder")
SIZES = {
    "latent_dim": "width",
    "ff_size": "feed_forward",
    "num_layers": "layers",
    "num_heads": "heads",
}
WEIGHTS = {"recons": "reconstruction", "latent": "latent", "kl": "kl", "contrastive": "contrastive"}
PUBLISHED = "evaluator/tmr_published.yaml"


def check_facts(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """Compare what facts.json says with our networks and with the paper's configuration."""
    config: Any = compose_config(["evaluator=tmr_paper"]).evaluator
    constructor = facts["constructor"]
    _check_networks(case, facts, report)
    for part in NETWORKS:
        for released, ours in SIZES.items():
            report.exact(
                case, f"{part} {released}", config.sizes[ours], constructor[part][released]
            )
        report.exact(case, f"{part} dropout", config.dropout, constructor[part]["dropout"])
        report.exact(case, f"{part} activation", "gelu", constructor[part]["activation"])
    report.exact(case, "vae", config.sizes.variational, constructor["vae"])
    for released, ours in WEIGHTS.items():
        report.exact(case, f"lmd {released}", config.losses[ours], constructor["lmd"][released])
    report.exact(case, "temperature", config.losses.temperature, constructor["temperature"])
    report.exact(case, "threshold", config.losses.threshold, constructor["threshold_selfsim"])
    report.exact(case, "lr", config.training.learning_rate, constructor["lr"])
    report.exact(case, "lr, twice", facts["optimisation"]["lr"], constructor["lr"])
    batch, epochs = facts["optimisation"]["batch_size"], facts["optimisation"]["max_epochs"]
    report.exact(case, "batch", config.training.batch_size, batch)
    steps = epochs * (facts["splits"]["humanml3d"]["train"] // batch)
    report.exact(case, "steps, in thousands", config.training.steps // 1000, steps // 1000)
    _check_texts(case, facts, config, report)
    _check_protocols(case, facts, constructor, report)
    longest = facts["preprocessing"]["min_max_frames_at_20fps"][1]
    report.exact(case, "longest", config.sizes.max_frames, longest)
    report.exact(case, "longest, published", yaml(PUBLISHED)["max_frames"], longest)
    heads = constructor["motion_encoder"]["num_heads"]
    report.exact(case, "heads, published", yaml(PUBLISHED)["heads"], heads)


def _check_networks(case: str, facts: Mapping[str, Any], report: Any) -> None:
    widths = facts["constructor"]
    sizes = TMRSizes(
        n_features=widths["motion_encoder"]["nfeats"], text_width=widths["text_encoder"]["nfeats"]
    )
    with torch.device("meta"):
        networks = TMRNetworks(sizes)
    counts = facts["parameter_counts"]
    report.exact(case, "parameters", parameters(networks), counts["params"])
    for part in NETWORKS:
        report.exact(case, f"{part} parameters", parameters(getattr(networks, part)), counts[part])
    shapes(report, case, "state_dict", networks, facts["state_dict"], from_original_state_dict)


def _check_texts(case: str, facts: Mapping[str, Any], config: Any, report: Any) -> None:
    """Which encoders read captions, and what of them."""
    said = facts["text_encoder"]
    for ours, released in (
        (config.text_encoder.source, said["token_embeddings"]),
        (config.sentence_encoder.source, said["sentence_embeddings"]),
    ):
        report.exact(case, f"source {ours}", ours.rpartition("/")[2] in released, True)
    report.exact(case, "token features", config.text_encoder.normalise, False)
    report.exact(case, "sentences", "L2-normalised" in said["sentence_embeddings"], True)


def _check_protocols(
    case: str, facts: Mapping[str, Any], constructor: Mapping[str, Any], report: Any
) -> None:
    ours = yaml("metrics/retrieval_protocols.yaml")["retrieval_protocols"]
    threshold = constructor["threshold_selfsim_metrics"]
    report.exact(case, "threshold of metrics", ours["threshold"], threshold)
    report.exact(case, "dissimilar", ours["dissimilar"], facts["splits"]["humanml3d"]["nsim_test"])
    said = facts["retrieval_protocols"]
    report.exact(case, "pools", f"pools of {ours['pool']}" in said["guo"], True)
    report.exact(case, "protocols", len(ours["protocols"]), len({*said} - {"latents", "default_batch_size"}))  # fmt: skip
    report.exact(case, "latents", said["latents"], "means (no sampling)")
    report.exact(case, "ranks", TOP, (1, 2, 3, 5, 10))
