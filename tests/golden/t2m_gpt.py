"""Golden vectors of T2M-GPT: subfolder `t2m_gpt`. A case is recognised by the arrays it holds.

Tolerances are those that came with the vectors: 2e-5 for activations and logits, 1e-5 for losses,
1e-4 relative for gradients, 2e-4 for what optimizer steps lead to; ids are exact.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.original_names import (
    UNUSED_POSITIONS,
    original_name,
    original_state_dict,
    transformer_from_state,
)
from motiongpt.methods.t2m_gpt.rows import corrupted, drop_token, row_means, target_row
from motiongpt.methods.t2m_gpt.sampling import released_greedy_batch, sample_codes
from motiongpt.training.schedulers import milestones
from tests.golden.t2m_gpt_facts import check_facts
from tests.golden.t2m_gpt_texts import check_sliced_captions

Arrays = Mapping[str, np.ndarray]

ACTIVATIONS, LOSSES, TRAINED = {"atol": 2e-5}, {"atol": 1e-5}, {"atol": 2e-4}
GRADIENTS = {"atol": 5e-7, "rtol": 1e-4}
CONFIGURED = {  # their constructor's arguments, in the words of ours
    "num_vq": "codebook_size",
    "embed_dim": "width",
    "clip_dim": "text_width",
    "block_size": "block_size",
    "num_layers": "blocks",
    "n_head": "heads",
    "drop_out_rate": "dropout",
    "fc_rate": "expansion",
}


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"t2m_gpt/{path.name}"
    known: dict[str, Callable[..., None]] = {
        "out/embedded": _check_forward,
        "in/keep_mask": _check_loss,
        "out/losses": _check_optimizer,
        "in/draw_uniforms": _check_sampling,
        "in/raw": _check_rows,
    }
    if "transformer" in arrays:
        check_facts(case, arrays, report)
        return
    for array, check_case in known.items():
        if array in arrays:
            check_case(case, arrays, report, path.parent)
            return
    report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _check_forward(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """Every intermediate result of one forward, and the logits of shorter rows."""
    network = released(case, arrays, report, folder)
    text, codes = _tensors(arrays, "in/text", "in/codes")
    with torch.no_grad(), _outputs(network) as seen:
        logits = network(text, codes)
        found = {
            "out/cond": network.text_projection(text),
            "out/embedded": network.embed(text, codes),
            "out/attn_first": seen["base.0.attention"],
            "out/block_first": seen["base.0"],
            "out/base": seen[f"base.{len(network.base) - 1}"],
            "out/head_norm": seen["output_norm"],
            "out/logits": logits,
        }
        found["out/logits_short"] = network(text, *_tensors(arrays, "in/codes_short"))
        found["out/logits_nocodes"] = network(text, codes[:, :0])
    for name, value in found.items():
        report.compare(case, name, value, arrays[name], **ACTIVATIONS)


def _check_loss(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """Corruption, logits, losses, hits and gradients."""
    network = released(case, arrays, report, folder)
    text, targets, codes = _tensors(arrays, "in/text", "in/target", "in/lengths")
    clean, random = arrays["in/target"][:, :-1], arrays["in/random_codes"]
    inputs = corrupted(clean, arrays["in/keep_mask"] > 0, random)
    report.exact(case, "out/input_codes", inputs, arrays["out/input_codes"])
    report.exact(case, "out/counted", int((codes + 1).sum()), int(arrays["out/counted"]))
    logits = network(text, torch.from_numpy(inputs))
    found = row_means(logits, targets, codes + 1)
    report.compare(case, "out/logits", logits, arrays["out/logits"], **ACTIVATIONS)
    report.compare(case, "out/loss", found.loss, arrays["out/loss"], **LOSSES)
    report.compare(case, "out/loss_per_item", found.losses, arrays["out/loss_per_item"], **LOSSES)
    report.exact(case, "out/correct", int(found.hits), int(arrays["out/correct"]))
    found.loss.backward()
    gradients = {
        f"grad/{original_name(name)}": parameter.grad
        for name, parameter in network.named_parameters()
    }
    expected = [name for name in arrays if name.startswith("grad/")]
    report.exact(case, "names of gradients", sorted(gradients), sorted(expected))
    for name in expected:
        report.compare(case, name, gradients[name], arrays[name], **GRADIENTS)
    with torch.no_grad():
        logits = network(text, torch.from_numpy(clean))
        found = row_means(logits, targets, codes + 1)
        report.compare(case, "out/logits_clean", logits, arrays["out/logits_clean"], **ACTIVATIONS)
        report.compare(case, "out/loss_clean", found.loss, arrays["out/loss_clean"], **LOSSES)
        report.exact(case, "out/correct_clean", int(found.hits), int(arrays["out/correct_clean"]))
        inputs = corrupted(clean, np.zeros(clean.shape, bool), random)
        found = row_means(network(text, torch.from_numpy(inputs)), targets, codes + 1)
        report.compare(
            case, "out/loss_allrandom", found.loss, arrays["out/loss_allrandom"], **LOSSES
        )


def _check_optimizer(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """AdamW steps from the weights and on the batch of the case with a loss beside this one."""
    begun = _beside(folder, "in/keep_mask")
    network = released(case, begun, report, folder)
    text, targets, codes = _tensors(begun, "in/text", "in/target", "in/lengths")
    inputs = torch.from_numpy(begun["out/input_codes"])
    betas = tuple(float(beta) for beta in arrays["out/betas"])
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=float(arrays["in/lr"]),
        betas=betas,  # type: ignore[arg-type]  # two of them
        weight_decay=float(arrays["in/weight_decay"]),
    )
    schedule = milestones(
        optimizer,
        steps=len(arrays["out/losses"]),
        milestones=[int(arrays["in/milestone"])],
        gamma=float(arrays["in/gamma"]),
    )
    losses, rates = [], []
    for _ in arrays["out/losses"]:
        loss = row_means(network(text, inputs), targets, codes + 1).loss
        losses.append(loss.item())
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    report.compare(case, "out/losses", losses, arrays["out/losses"], **TRAINED)
    report.compare(case, "out/lrs", rates, arrays["out/lrs"], rtol=1e-9)
    after = original_state_dict(network)
    after[UNUSED_POSITIONS] = torch.from_numpy(begun[f"w/{UNUSED_POSITIONS}"])  # never trained
    for name in [name for name in arrays if name.startswith("out/after/")]:
        report.compare(case, name, after[name.removeprefix("out/after/")], arrays[name], **TRAINED)


def _check_sampling(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """Greedy rows, the released rule for batches, draws, and the logits of every choice."""
    network = released(case, arrays, report, folder)
    text, drawn_text = _tensors(arrays, "in/text", "in/draw_text")
    uniforms = torch.from_numpy(arrays["in/draw_uniforms"])
    _check_ids(case, "out/ids", "out/length", sample_codes(network, text), arrays, report)
    drawn = sample_codes(network, drawn_text, uniforms)
    _check_ids(case, "out/draw_ids", "out/draw_length", drawn, arrays, report)
    steps = _step_logits(network, text, arrays["out/ids"])
    kinds = [_kind(network, *row) for row in zip(steps, arrays["out/length"], strict=True)]
    report.exact(case, "out/kind", kinds, arrays["out/kind"].tolist())
    known = ~np.isnan(arrays["out/step_logits"])
    report.exact(case, "out/step_logits, rows", known.any(2), _choices(arrays["out/length"], known))
    report.compare(
        case,
        "out/step_logits",
        np.where(known, steps, np.nan),
        arrays["out/step_logits"],
        **ACTIVATIONS,
    )
    steps = _step_logits(network, drawn_text, arrays["out/draw_ids"]).softmax(-1)
    known = ~np.isnan(arrays["out/draw_probs"])
    report.compare(
        case, "out/draw_probs", np.where(known, steps, np.nan), arrays["out/draw_probs"],
        **ACTIVATIONS,
    )  # fmt: skip
    (batch,) = _tensors(arrays, "in/batch_text")
    for name, rows in (("out/batch_ids", batch), ("out/batch_ids_reversed", batch.flip(0))):
        report.exact(case, name, released_greedy_batch(network, rows), arrays[name])


def _check_rows(case: str, arrays: Arrays, report: Any, folder: Path) -> None:
    """Dropping a token, the stop and the pads; captions of parts of a clip."""
    codes, size = int(arrays["cfg/num_vq"]), int(arrays["cfg/max_tokens"])
    rows, lengths = [], []
    cases = (arrays[f"in/{name}"] for name in ("raw", "raw_length", "drop", "drop_last"))
    for raw, length, drop, last in zip(*cases, strict=True):
        kept = drop_token(raw[:length], bool(last)) if drop else raw[:length]
        lengths.append(len(kept))
        rows.append(target_row(kept, size, stop=codes, pad=codes + 1))
    report.exact(case, "out/target", np.stack(rows), arrays["out/target"])
    report.exact(case, "out/length", np.array(lengths), arrays["out/length"])
    check_sliced_captions(case, arrays, report)


def released(case: str, arrays: Arrays, report: Any, folder: Path) -> CodeTransformer:
    """The network of a case, whose sizes are told by its weights' shapes.

    A case without weights has those of a case beside it.
    """
    stored = arrays if any(map(_is_weight, arrays)) else _beside(folder, f"w/{UNUSED_POSITIONS}")
    state = {name[2:]: torch.from_numpy(stored[name]) for name in filter(_is_weight, stored)}
    network = transformer_from_state(state, heads=int(arrays["cfg/n_head"]))
    arguments = network.arguments()
    for theirs, ours in CONFIGURED.items():
        report.exact(case, f"cfg/{theirs}", arguments[ours], arrays[f"cfg/{theirs}"].item())
    ours = original_state_dict(network)
    for name in state.keys() - {UNUSED_POSITIONS}:
        report.compare(case, f"w/{name}", ours[name], state[name], atol=1e-5)
    return network


def _is_weight(name: str) -> bool:
    return name.startswith("w/")


def _check_ids(
    case: str, ids: str, lengths: str, found: list[np.ndarray], arrays: Arrays, report: Any
) -> None:
    """Rows of codes against rows that are filled up with -1."""
    filled = np.full(arrays[ids].shape, -1, np.int64)
    for row, codes in zip(filled, found, strict=True):
        row[: len(codes)] = codes
    report.exact(case, ids, filled, arrays[ids])
    report.exact(case, lengths, np.array([len(codes) for codes in found]), arrays[lengths])


def _step_logits(network: CodeTransformer, text: Tensor, ids: np.ndarray) -> Tensor:
    """(S, N, V + 1) of every choice, code by code; after a row's end they mean nothing."""
    state = network.start(text)
    steps = [state.logits]
    for column in ids[:, : network.max_codes].T:
        state.append(torch.from_numpy(np.where(column < 0, network.pad, column)))
        steps.append(state.logits)
    return torch.stack(steps, 1).detach()


def _kind(network: CodeTransformer, logits: Tensor, length: int) -> str:
    """How a greedy row ended."""
    if length < network.max_codes:
        return "mid" if length else "first"
    return "limit_stop" if int(logits[-1].argmax()) == network.stop else "limit"


def _choices(lengths: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(S, N) whether a row of this length made a choice at a position: its end's is the last."""
    return np.arange(known.shape[1]) <= lengths[:, None]


def _beside(folder: Path, array: str) -> dict[str, np.ndarray]:
    """The arrays of the case in `folder` that holds one of this name."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            if array in arrays:
                return dict(arrays)
    raise ValueError(f"no case with {array} beside this one, from whose weights it goes on")


@contextmanager
def _outputs(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """What each module of the network gives, by name."""
    seen: dict[str, Tensor] = {}

    def keeping(name: str) -> Callable[..., None]:
        return lambda module, inputs, output: seen.__setitem__(name, output)

    handles = [m.register_forward_hook(keeping(name)) for name, m in network.named_modules()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _tensors(arrays: Arrays, *names: str) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(arrays[name]) for name in names)
