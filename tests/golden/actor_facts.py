"""ACTOR's facts: sizes, names of weights and recipes against our networks and yaml."""

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from motiongpt.codecs.actor.action_network import ActionActor
from motiongpt.codecs.actor.network import Actor
from motiongpt.codecs.actor.original_names import from_original_state_dict, our_name
from motiongpt.codecs.continuous.losses import ContinuousLosses
from motiongpt.motion.skeleton import HUMANML3D
from tests.golden import codec_checks as checks

# Facts about where the vectors and the numbers come from, and about data sets of ACTOR's that we
# have no part for: nothing here could differ from them.
PROVENANCE = frozenset(
    {
        "source", "environment", "optimisation", "text_encoder", "preprocessing",
        "evaluation_documented", "tolerance", "float32_vs_float64_max_abs",
    }
)  # fmt: skip
READ = frozenset(
    {
        "constructor_defaults", "loss", "parameter_counts", "state_dict_humanact12",
        "state_dict_other_datasets", "mld_actor_vae", "table8_row_ACTOR",
    }
)  # fmt: skip
OURS = {
    "latent_dim": "width",
    "ff_size": "feedforward",
    "num_heads": "heads",
    "dropout": "dropout",
    "num_layers": "layers",
    "num_layers_in_documented_training": "layers",
}
ACTION_FREE = "263 features, 9 layers (class default)"


def check_facts(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """Everything of `facts.json` that something of ours could differ from."""
    given = facts["constructor_defaults"]
    _check_defaults(case, "constructor_defaults", ActionActor, given, report)
    _check_with_actions(case, given, facts, report)
    _check_action_free(case, facts, report)
    _check_losses(case, facts["loss"], report)
    checks.published_row(report, case, "table8_row_ACTOR", "ACTOR", facts["table8_row_ACTOR"])
    for name in sorted(facts.keys() - READ - PROVENANCE):
        report.unchecked(case, name, "no known fact is called so")


def _check_defaults(case: str, key: str, kind: Any, given: Mapping[str, Any], report: Any) -> None:
    """The sizes that a class has where none are given."""
    defaults = {name: one.default for name, one in inspect.signature(kind).parameters.items()}
    for name, ours in OURS.items():
        if name in given:
            value = given[name]
            value = value[-1] if isinstance(value, list) else value  # [tokens, width] of MLD
            report.exact(case, f"{key}: {name}", defaults[ours], value)


def _check_with_actions(
    case: str, given: Mapping[str, Any], facts: Mapping[str, Any], report: Any
) -> None:
    n_features = given["njoints"] * given["nfeats"]
    rename = partial(from_original_state_dict, prefix="")
    for data, n_actions in given["num_classes"].items():
        with torch.device("meta"):
            network = ActionActor(n_features, n_actions)
        _check_counts(case, data, network, facts["parameter_counts"][data], report)
        if f"state_dict_{data}" in facts:
            key = f"state_dict_{data}"
            checks.shapes(report, case, key, network, facts[key], rename)
            with torch.device("meta"):
                other = ActionActor(n_features, n_actions + 1).state_dict()
            ours = network.state_dict()
            changed = {name for name in ours if ours[name].shape != other[name].shape}
            expected = set(_named_in(facts["state_dict_other_datasets"], facts[key]))
            report.exact(case, "state_dict_other_datasets", changed, expected)
    name = "263-number features, one class, 8 layers"
    with torch.device("meta"):
        network = ActionActor(263, 1, layers=8)
    report.exact(
        case, f"parameter_counts: {name}", checks.parameters(network),
        facts["parameter_counts"][name],
    )  # fmt: skip


def _named_in(text: str, state: Mapping[str, Any]) -> list[str]:
    """Weights that a sentence names, by our names."""
    return [our_name(name) for name in state if name in text]


def _check_counts(
    case: str, name: str, network: ActionActor, counts: Mapping[str, int], report: Any
) -> None:
    parts = {
        "params": network,
        "encoder_params": network.encoder,
        "decoder_params": network.decoder,
    }
    for part, value in counts.items():
        found = checks.parameters(parts[part])
        report.exact(case, f"parameter_counts: {name}: {part}", found, value)


def _check_action_free(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """MLD's rewrite: our class's defaults, our yaml, and its counts at several sizes."""
    described = checks.yaml("codec/actor.yaml")
    sizes = {name: value for name, value in described.items() if not name.startswith("_")}
    given = facts["mld_actor_vae"]
    n_features = given["constructor"]["nfeats"]
    _check_defaults(case, "mld_actor_vae", Actor, given["constructor"], report)
    with torch.device("meta"):
        codec, plain = Actor(n_features, **sizes), Actor(n_features)
    report.exact(case, "mld_actor_vae: our yaml", plain.arguments(), codec.arguments())
    rename = partial(from_original_state_dict, prefix="")
    key = "state_dict_263_features_9_layers"
    checks.shapes(report, case, key, codec, given[key], rename)
    for name, value in facts["parameter_counts"]["mld_actor_vae"].items():
        numbers = [int(word) for word in name.split() if word.isdigit()]
        with torch.device("meta"):
            one = Actor(numbers[0], layers=numbers[1])
        report.exact(case, f"parameter_counts: {name}", checks.parameters(one), value)
    stage, recipe = checks.yaml("stage/codec.yaml"), given["mld_vae_stage_config_humanml3d"]
    ours = {
        "optimizer": checks.yaml("optimizer/adamw.yaml")["_target_"].rpartition(".")[2],
        "lr": stage["learning_rate"],
        "batch_size": stage["schedule"]["batch_size"],
        "LAMBDA_REC": stage["losses"]["features"],
        "LAMBDA_JOINT": stage["losses"]["joints"],
        "LAMBDA_KL": stage["losses"]["kl"],
    }
    for name, value in ours.items():
        report.exact(case, f"mld_vae_stage_config_humanml3d: {name}", value, recipe[name])


def _check_losses(case: str, given: Mapping[str, Any], report: Any) -> None:
    """That ACTOR's mixture is one of ours: what it is made of, and each with a weight."""
    weights = given["weights"]
    losses = ContinuousLosses(
        HUMANML3D, "l2", weights["rc"], weights["rcxyz"], weights["kl"], "sum"
    )
    ones = {name: torch.tensor(1.0) for name in losses.names}
    found = losses.total(ones).item()
    report.compare(case, "loss: weights", found, sum(weights.values()), rtol=1e-6)
    report.exact(case, "loss: kl is a sum", "SUM" in given["kl"], losses.kl_reduction == "sum")
