"""Golden vectors of MoMask: subfolder `momask`. A case is recognised by the arrays it holds.

Its residual VQ-VAE is checked by momask_codec.py, its decoding by momask_decoding.py. Tolerances
are those that came with the vectors: 1e-4 for guided logits, 2e-5 elsewhere, ids are exact;
gradients may be off by 1e-4 of their size besides. What weights don't tell (the heads) is what
gives the stored logits.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.losses import token_means
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.masking import (
    EARLY,
    IGNORED,
    RELEASED,
    drawn_codebook,
    lowest,
    masked_row,
)
from motiongpt.methods.momask.original_names import (
    from_original_state_dict,
    length_from_original,
    length_sizes,
    load_original,
    masked_sizes,
    our_name,
    residual_sizes,
)
from motiongpt.methods.momask.residual import ResidualTransformer
from tests.golden.momask_codec import check_codec_training, check_evaluation
from tests.golden.momask_decoding import (
    check_editing,
    check_forward,
    check_generation,
    check_residual_decoding,
)
from tests.golden.momask_facts import check_facts
from tests.golden.momask_parts import GRADIENTS, OUTPUT, Arrays, beside, tensor

LAST_ROW = "output_proj_bias"
FIRST_ROWS = "__first64"


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case, folder = f"momask/{path.name}", path.parent
    if path.suffix == ".json":
        check_facts(case, arrays, report)
        return
    known: dict[str, Callable[..., None]] = {
        "dec_full": check_evaluation,
        "s0/enc_out": check_codec_training,
        "qsched_u": _check_residual,
        "r0/rand_time": _check_training,
        "sched6/t": _check_forward,
        "edit_mask": _check_editing,
        "probs": _check_length,
    }
    for array, check_case in known.items():
        if array in arrays:
            check_case(case, arrays, report, folder)
            return
    if any(name.endswith("/arg_timesteps") for name in arrays):
        check_generation(case, arrays, report, _masked(beside(folder, "sched6/t")))
        return
    report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _weights(arrays: Arrays) -> dict[str, Tensor]:
    """The released weights of a file; of the table of positions it has the first rows."""
    named = {name[2:].removesuffix(FIRST_ROWS): name for name in arrays if name.startswith("w/")}
    return {released: tensor(arrays, name) for released, name in named.items()}


def _fitted(make: Callable[[int], nn.Module], width: int, error: Callable[[Any], Tensor]) -> Any:
    """The network with the number of heads that gives what the file holds."""
    made = [make(heads).eval() for heads in range(1, width + 1) if width % heads == 0]
    with torch.no_grad():
        errors = [float(error(network).abs().max()) for network in made]
    return made[int(np.argmin(errors))]


def _masked(arrays: Arrays) -> MaskedTransformer:
    state = _weights(arrays)

    def make(heads: int) -> MaskedTransformer:
        network = MaskedTransformer(**masked_sizes(state, heads))
        load_original(network, state)
        return network

    inputs = (tensor(arrays, name) for name in ("ids_in", "cond", "padding_mask"))
    ids, text, padding = inputs
    expected = tensor(arrays, "logits").transpose(1, 2)
    width = state["cond_emb.weight"].shape[0]
    network = _fitted(make, width, lambda made: made(ids, text, padding) - expected)
    assert isinstance(network, MaskedTransformer)
    return network


def _residual(arrays: Arrays) -> ResidualTransformer:
    state = _weights(arrays)

    def make(heads: int) -> ResidualTransformer:
        network = ResidualTransformer(**residual_sizes(state, heads))
        load_original(network, state)
        return network

    names = ("motion_codes", "qids", "cond", "padding_mask")
    inputs = [tensor(arrays, name) for name in names]
    expected = tensor(arrays, "trans_out").transpose(1, 2)
    width = state["cond_emb.weight"].shape[0]
    network = _fitted(make, width, lambda made: made.hidden(*inputs) - expected)
    assert isinstance(network, ResidualTransformer)
    return network


def _check_weights(case: str, network: nn.Module, arrays: Arrays, report: Any) -> None:
    """Every weight is the released one, and so are the positions."""
    state, ours = _weights(arrays), network.state_dict()
    renamed = from_original_state_dict(state)
    report.exact(case, "names", sorted(ours), sorted(renamed))
    for name in sorted(ours.keys() & renamed.keys()):
        report.exact(case, f"weights {name}", ours[name], renamed[name])
    table = state["position_enc.pe"][:, 0]
    found = network.get_buffer("positions")[: len(table)]
    report.compare(case, "positions", found, table[: len(found)], atol=OUTPUT)


def _check_forward(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    network = _masked(arrays)
    _check_weights(case, network, arrays, report)
    check_forward(case, arrays, report, network)


def _check_editing(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    check_editing(case, arrays, report, _masked(beside(folder, "sched6/t")))


def _check_training(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """What is hidden of a batch, the loss and its gradients, by the weights beside it."""
    network = _masked(beside(folder, "sched6/t"))
    ids, lengths = arrays["ids"], arrays["m_lens"]
    size, longest = network.codebook_size, ids.shape[1]
    padding = np.arange(longest) >= lengths[:, None]
    ids = np.where(padding, network.pad, ids)
    for at in sorted({name.partition("/")[0] for name in arrays if "/" in name}):
        draw = {name: arrays[f"{at}/{name}"] for name in ("rand_time", "rand_order")}
        count = RELEASED.count(draw["rand_time"], longest)
        report.exact(case, f"{at}/num_token_masked", count, arrays[f"{at}/num_token_masked"])
        report.exact(case, f"{at}/perm", draw["rand_order"].argsort(-1), arrays[f"{at}/perm"])
        targets = lowest(draw["rand_order"], count) & ~padding
        report.exact(case, f"{at}/mask", targets, arrays[f"{at}/mask"])
        random, masked = arrays[f"{at}/bern_rid"], arrays[f"{at}/bern_mid"]
        report.exact(case, f"{at}/mask_rid", targets & random, arrays[f"{at}/mask_rid"])
        report.exact(case, f"{at}/mask_mid", targets & ~random & masked, arrays[f"{at}/mask_mid"])
        row = masked_row(ids, targets, random, arrays[f"{at}/rand_id"], masked, size)
        report.exact(case, f"{at}/x_ids", row.inputs, arrays[f"{at}/x_ids"])
        labels = np.where(row.labels == IGNORED, size, row.labels)
        report.exact(case, f"{at}/labels", labels, arrays[f"{at}/labels"])
        text = tensor(arrays, "cond") * ~tensor(arrays, f"{at}/cond_drop")[:, None]
        logits = network(torch.from_numpy(row.inputs), text, torch.from_numpy(padding))
        _check_loss(case, at, network, logits, torch.from_numpy(row.labels), arrays, report)


def _check_loss(
    case: str, at: str, network: nn.Module, logits: Tensor, labels: Tensor, arrays: Arrays,
    report: Any,
) -> None:  # fmt: skip
    """Logits, loss, hits and all gradients of one batch."""
    found = token_means(logits, labels)
    report.compare(
        case, f"{at}/logits", logits.transpose(1, 2), arrays[f"{at}/logits"], atol=OUTPUT
    )
    report.compare(case, f"{at}/loss", found.loss, arrays[f"{at}/loss"], atol=OUTPUT)
    report.compare(case, f"{at}/acc", found.accuracy, arrays[f"{at}/acc"], atol=OUTPUT)
    report.exact(case, f"{at}/pred_id", logits.argmax(-1), arrays[f"{at}/pred_id"])
    network.zero_grad()
    found.loss.backward()
    expected = [name for name in arrays if name.startswith(f"{at}/grad/")]
    checked = set()
    for name in expected:
        released = name.removeprefix(f"{at}/grad/")
        gradient = network.get_parameter(our_name(released)).grad
        assert gradient is not None, released
        checked.add(our_name(released))
        wanted = arrays[name][:-1] if released == LAST_ROW else arrays[name]
        report.compare(case, name, gradient, wanted, **GRADIENTS)
        if released == LAST_ROW:
            report.exact(case, f"{name} of no codebook", arrays[name][-1].any().item(), False)
    ours = {name for name, p in network.named_parameters() if p.grad is not None and p.numel()}
    report.exact(case, f"{at}: weights with a gradient", sorted(ours), sorted(checked))


def _check_residual(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """Tables, logits, training and decoding of one residual transformer."""
    network = _residual(arrays)
    _check_weights(case, network, arrays, report)
    for name, value in (
        ("token_embed_weight_effective", network.embeddings),
        ("output_proj_weight_effective", network.outputs),
    ):
        report.exact(case, name, value.detach(), arrays[name])
    uniforms = arrays["qsched_u"]
    for name, codebooks in (("qsched_Q6", 6), ("qsched_thisQ", network.codebooks)):
        report.exact(case, name, drawn_codebook(uniforms, codebooks, EARLY), arrays[name])
    check_residual_decoding(case, arrays, report, network)
    lengths, codes = arrays["m_lens"], arrays["all_indices"]
    padding = np.arange(codes.shape[1]) >= lengths[:, None]
    codes = torch.from_numpy(np.where(padding[..., None], network.pad, codes))
    for at in ("train0", "train1"):
        which = drawn_codebook(arrays[f"{at}/q_noise"], network.codebooks, EARLY)
        report.exact(case, f"{at}/active_q", which, arrays[f"{at}/active_q"])
        codebook = torch.from_numpy(which)
        history = network.history(codes, codebook)
        name = f"{at}/history_sum"
        report.compare(case, name, history, arrays[name], atol=OUTPUT)
        labels = codes[torch.arange(len(codes)), :, codebook]
        report.exact(case, f"{at}/labels", labels, arrays[f"{at}/labels"])
        text = tensor(arrays, "cond") * ~tensor(arrays, f"{at}/cond_drop")[:, None]
        logits = network(history, codebook, text, torch.from_numpy(padding))
        labels = labels.masked_fill(torch.from_numpy(padding), IGNORED)
        _check_loss(case, at, network, logits, labels, arrays, report)


@torch.no_grad()
def _check_length(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    state = {name: value.float() for name, value in _weights(arrays).items()}
    network = LengthEstimator(**length_sizes(state)).eval()
    network.load_state_dict(length_from_original(state))
    logits = network(tensor(arrays, "x"))
    labels = torch.from_numpy(arrays["m_lens"] // 4)
    report.exact(case, "labels", labels, arrays["labels"])
    found = token_means(logits, labels)
    for name, value in {
        "logits": logits,
        "probs": logits.softmax(-1),
        "loss": found.loss,
        "acc": found.accuracy,
    }.items():
        report.compare(case, name, value, arrays[name], atol=OUTPUT)
