"""The facts of T2M-GPT's release: names, shapes and counts of weights, sizes, recipes, token ids.

What is said in words only (where the code comes from, how it evaluates) has nothing to compare.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from motiongpt.codecs.vq_vae.losses import velocity_range
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.original_names import from_original_state_dict, original_sizes
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.original_names import (
    CONTAINER,
    SINUSOIDS,
    UNUSED_POSITIONS,
    original_state_dict,
)
from motiongpt.methods.t2m_gpt.original_names import (
    original_sizes as transformer_sizes,
)
from motiongpt.methods.t2m_gpt.rows import DROP_PROBABILITY
from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.published.importers.base import SKELETONS
from motiongpt.published.importers.t2m_gpt import PREFIXES, T2MGPTImporter
from tests.golden.recipes import configured

WORDS = {  # their constructor's arguments -> ours
    "num_vq": "codebook_size",
    "embed_dim": "width",
    "clip_dim": "text_width",
    "block_size": "block_size",
    "num_layers": "blocks",
    "n_head": "heads",
    "drop_out_rate": "dropout",
    "fc_rate": "expansion",
}
VQ_VAE_WORDS = {
    "nb_code": "codebook_size",
    "code_dim": "code_dim",
    "width": "width",
    "depth": "depth",
    "dilation_growth_rate": "dilation_growth",
    "activation": "activation",
}
SETS = {"t2m": HUMANML3D, "kit": KIT}
Facts = Mapping[str, Any]


def check_facts(case: str, facts: Facts, report: Any) -> None:
    """Everything in the file that our code or configuration says too."""
    _check_transformer(case, facts["transformer"], report)
    _check_vq_vae(case, facts["vqvae"], report)
    _check_recipe(case, facts["training_transformer"], report)
    _check_vq_vae_recipe(case, facts["training_vqvae"], report)
    _check_tokens(case, facts, report)


def _check_transformer(case: str, facts: Facts, report: Any) -> None:
    sizes = {ours: facts["constructor_readme_command"][name] for name, ours in WORDS.items()}
    with torch.device("meta"):
        network = CodeTransformer(**sizes)
    state = original_state_dict(network)
    _check_shapes(case, "transformer", state, facts["state_dict"], report)
    report.exact(
        case, "sizes told by the shapes", transformer_sizes(state), _without_dropout(sizes)
    )
    yaml = configured("transformer", "t2m_gpt")
    for name, value in sizes.items():
        if name not in ("codebook_size", "text_width"):  # which the stage adds
            report.exact(case, f"transformer.{name}", yaml[name], value)
    defaults = facts["constructor_argparse_defaults"]
    small = {**sizes, **{WORDS[name]: value for name, value in defaults.items()}}
    with torch.device("meta"):
        shapes = original_state_dict(CodeTransformer(**small))
    report.exact(case, "default heads", transformer_sizes(shapes), _without_dropout(small))
    unused, fixed = (state[name].numel() for name in (UNUSED_POSITIONS, SINUSOIDS))
    counts = {
        "parameters_trainable": _numbers(state, "") - fixed,
        "parameters_frozen": fixed,
        "parameters_total": _numbers(state, ""),
        "parameters_base": _numbers(state, "trans_base."),
        "parameters_head": _numbers(state, "trans_head."),
    }
    for name, value in counts.items():
        report.exact(case, name, value, facts[name])
    ours = sum(parameter.numel() for parameter in network.parameters())
    report.exact(case, "our parameters", ours + unused, facts["parameters_trainable"])
    report.exact(case, "never used", [UNUSED_POSITIONS], facts["never_used_parameters"])
    report.exact(case, "blocks_total", len(network.blocks), facts["blocks_total"])
    report.exact(case, "container of transformer", CONTAINER, facts["checkpoint_container_key"])


def _check_vq_vae(case: str, facts: Facts, report: Any) -> None:
    """Names and shapes of all weights for both data sets, and the sizes of the constructor."""
    prefix, shapes = PREFIXES[0], dict(facts["state_dict_t2m"])
    for data, skeleton in SETS.items():
        if data == "kit":
            shapes |= facts["state_dict_kit_differences"]
        state = {name: torch.empty(tuple(shape), device="meta") for name, shape in shapes.items()}
        sizes = original_sizes(state, prefix)
        with torch.device("meta"):
            network = VQVAE(quantizer=EMAResetQuantizer, **sizes)
        renamed = from_original_state_dict(state, prefix)
        _check_shapes(case, f"VQ-VAE, {data}", renamed, _shapes(network.state_dict()), report)
        trained = sum(parameter.numel() for parameter in network.parameters())
        report.exact(case, f"parameters, {data}", trained, facts["parameters"][data])
        report.exact(case, f"features, {data}", sizes["n_features"], facts["feature_dim"][data])
        report.exact(case, f"skeleton, {data}", skeleton.n_features, facts["feature_dim"][data])
    codebook = state[f"{prefix}quantizer.codebook"].numel()
    report.exact(case, "codebook_buffer_values", codebook, facts["codebook_buffer_values"])
    unsaved = set(network.state_dict()) - set(_renamed_only(state, prefix))
    words = {"quantizer.code_sum", "quantizer.code_count", "quantizer.initialised"}
    report.exact(case, "not_saved", (len(unsaved), unsaved), (len(facts["not_saved"]), words))
    container = facts["checkpoint_container_key"]
    report.exact(case, "container of VQ-VAE", T2MGPTImporter().recognises({container: state}), True)
    theirs, yaml = facts["constructor_readme_command"], configured("tokenizer", "vq_vae")
    for name, ours in VQ_VAE_WORDS.items():
        report.exact(case, f"VQ-VAE {name}", yaml[ours], theirs[name])
    for name, ours in (("code_dim", "code_dim"), ("output_emb_width", "code_dim")):
        report.exact(case, f"VQ-VAE {name} of the weights", sizes[ours], theirs[name])
    report.exact(case, "down_t", sizes["frames_per_token"], theirs["stride_t"] ** theirs["down_t"])
    report.exact(case, "mu", yaml.quantizer.get("decay", 0.99), theirs["mu"])
    target = yaml.quantizer["_target_"].split(".")[-2]
    report.exact(case, "quantizer", target, theirs["quantizer"])
    report.exact(case, "norm", theirs["norm"], None)


def _check_recipe(case: str, facts: Facts, report: Any) -> None:
    """conf/stage/t2m_gpt_paper.yaml, and the dropout of conf/transformer/t2m_gpt.yaml."""
    yaml = configured("stage", "t2m_gpt_paper")
    optimizer, schedule = yaml.optimizer, yaml.schedule
    with torch.device("meta"):
        eps = torch.optim.AdamW([torch.zeros(1)]).defaults["eps"]
    found = {
        "optimizer": optimizer["_target_"].split(".")[-1],
        "lr_readme": yaml.learning_rate,
        "betas": list(optimizer.betas),
        "eps": optimizer.get("eps", eps),
        "weight_decay": optimizer.weight_decay,
        "batch": schedule.batch_size,
        "iterations_readme": schedule.steps,
        "milestones_readme": list(yaml.scheduler.milestones),
        "gamma": yaml.scheduler.gamma,
        "gradient_clipping": schedule.gradient_clip,
        "warmup": yaml.scheduler.warmup_steps or None,
        "keep_probability_readme": yaml.keep_probability,
        "evaluate_every_readme": schedule.validate_every,
        "dropout": configured("transformer", "t2m_gpt").dropout,
    }
    for name, value in found.items():
        report.exact(case, f"recipe: {name}", value, facts[name])
    report.exact(case, "recipe: drop", round(yaml.drop_probability, 6), round(DROP_PROBABILITY, 6))


def _check_vq_vae_recipe(case: str, facts: Facts, report: Any) -> None:
    """conf/stage/tokenizer.yaml, as far as it is the released recipe."""
    yaml, adamw = configured("stage", "tokenizer"), configured("optimizer", "adamw")
    found = {
        "optimizer": adamw["_target_"].split(".")[-1],
        "lr": yaml.learning_rate,
        "betas": list(adamw.betas),
        "weight_decay": adamw.weight_decay,
        "window": yaml.window,
        "velocity_weight_readme": yaml.losses.velocity,
        "commit_weight": yaml.losses.commitment,
    }
    for name, value in found.items():
        report.exact(case, f"VQ-VAE recipe: {name}", value, facts[name])
    loss = facts["recons_loss_readme"].split()[0]
    report.exact(case, "VQ-VAE recipe: loss", yaml.losses.reconstruction, loss)
    for data, skeleton in SETS.items():
        report.exact(case, f"joints, {data}", skeleton.n_joints, facts["joints"][data])
        channels = velocity_range(yaml.losses.velocity_channels, skeleton)
        first, end = facts["velocity_slice"]
        end = {"4+3*(joints-1)": 4 + 3 * (skeleton.n_joints - 1)}[end]
        report.exact(case, f"velocity_slice, {data}", (channels.start, channels.stop), (first, end))


def _check_tokens(case: str, facts: Facts, report: Any) -> None:
    """Ids, and how long rows may be."""
    tokens, inference = facts["tokens"], facts["inference"]
    sizes = facts["transformer"]["constructor_readme_command"]
    with torch.device("meta"):
        network = CodeTransformer(tokens["codes"], sizes["clip_dim"], sizes["block_size"], blocks=1)
    found = {
        "codes": network.codebook_size,
        "stop_id": network.stop,
        "pad_id": network.pad,
        "embedding_rows": network.token_embedding.num_embeddings,
        "output_classes": network.output.out_features,
    }
    for name, value in found.items():
        report.exact(case, f"tokens: {name}", value, tokens[name])
    report.exact(case, "max_row_length", network.block_size, tokens["max_row_length"]["unit_4"])
    report.exact(case, "max_codes", network.max_codes, inference["max_codes"])
    for data, skeleton in SETS.items():
        fps = SKELETONS[skeleton.n_features][1]
        report.exact(case, f"fps, {data}", fps, float(tokens["fps"][data]))
    longest = network.max_codes * tokens["unit_length"]
    for data, words in facts["preprocessing"]["tokenised_motion_length"].items():
        report.exact(case, f"longest clip, {data}", longest, int(words.split()[-1]))


def _check_shapes(
    case: str, of: str, found: Mapping[str, Tensor], expected: Mapping[str, Sequence[int]],
    report: Any,
) -> None:  # fmt: skip
    report.exact(case, f"names of {of}", sorted(found), sorted(expected))
    for name in sorted(found.keys() & expected.keys()):
        report.exact(case, name, list(found[name].shape), list(expected[name]))


def _shapes(state: Mapping[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in state.items()}


def _numbers(state: Mapping[str, Tensor], prefix: str) -> int:
    """Parameters in the release: all that is saved but the masks."""
    own = {n: t for n, t in state.items() if n.startswith(prefix) and not n.endswith("attn.mask")}
    return sum(tensor.numel() for tensor in own.values())


def _renamed_only(state: Mapping[str, Tensor], prefix: str) -> set[str]:
    """Our names of the weights that are saved, without what is made up for the others."""
    made = {"quantizer.code_sum", "quantizer.code_count", "quantizer.initialised"}
    return set(from_original_state_dict(state, prefix)) - made


def _without_dropout(sizes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sizes.items() if name != "dropout"}
