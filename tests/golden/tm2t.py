"""Golden vectors of TM2T: subfolder `tm2t`. A case is recognised by the arrays it holds.

Each file has its weights. Tolerances are those that came with the vectors: 2e-5 for activations,
1e-5 relative for losses, 1e-4 relative for gradients, 5e-4 after several steps of training; 1e-4
for the transformer of words into codes; ids exactly.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from motiongpt.methods.tm2t.rows import token_losses
from tests.golden.tm2t_case import LARGE_WEIGHTS, LOSSES, Case
from tests.golden.tm2t_data import check_rules
from tests.golden.tm2t_decoding import check_decoding, greedy_rows
from tests.golden.tm2t_facts import check_facts
from tests.golden.tm2t_names import translator_name
from tests.golden.tm2t_recurrent import check_recurrent, check_samples
from tests.golden.tm2t_vq import check_tokenizer

SMOOTHING = 0.1


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    name = f"tm2t/{path.name}"
    if path.suffix == ".json":
        check_facts(name, arrays, report)
        return
    known: dict[str, Callable[[Case], None]] = {
        "out/encoder_attn_first": _check_to_text,
        "in/beam_alpha": check_decoding,
        "out/forced_logits": check_recurrent,
        "out/greedy_ids_first": check_samples,
        "w/encoder.emb.weight": _check_transformer,
        "in/drop_last": check_rules,
        "out/embedding_loss": check_tokenizer,
    }
    for array, run in known.items():
        if array in arrays:
            run(Case(name, path.parent, arrays, report))
            return
    report.unchecked(name, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _check_to_text(case: Case) -> None:
    """Codes into words: the blocks, the logits, the losses and their gradients."""
    network, codes, words = (
        case.translator,
        case.tensor("in/motion_tokens"),
        case.tensor("in/word_ids"),
    )
    present, marks = codes != case.config("src_pad"), case.words
    case.exact(
        {
            "in/text_lengths": (words != marks.pad).sum(1),
            "in/motion_lengths": present.sum(1) - 2,
            "cfg/mot_start": codes[0, 0],
            "cfg/mot_end": codes[0][present[0]][-1],
        }
    )
    read, targets = words[:, :-1], words[:, 1:]
    encoded = network.encode(codes, present)
    decoded = network.decode(read, encoded, present, read != marks.pad)
    logits = network.logits(decoded)
    first = {}
    network.encoder[0].attention.register_forward_hook(_kept(first, "encoder_attn_first"))
    network.decoder[0].cross.register_forward_hook(_kept(first, "decoder_cross_first"))
    network.decoder[0].register_forward_hook(_kept(first, "decoder_layer_first"))
    network(codes, present, read, read != marks.pad)
    case.compare({"out/encoder": encoded, "out/decoder": decoded, "out/logits": logits})
    case.compare({f"out/{name}": one for name, one in first.items()})
    _check_losses(case, logits, targets, LOSSES)
    loss = token_losses(logits, targets, marks.pad).losses
    case.gradients("grad/", loss, network, translator_name)


def _kept(found: dict[str, Any], name: str) -> Any:
    def keep(module: Any, inputs: Any, output: Any) -> None:
        found[name] = output

    return keep


def _check_losses(case: Case, logits: torch.Tensor, targets: torch.Tensor, rtol: float) -> None:
    pad = case.words.pad
    plain = token_losses(logits, targets, pad)
    smooth = token_losses(logits, targets, pad, SMOOTHING)
    case.compare(
        {"out/loss_sum": plain.losses, "out/loss_sum_smoothed": smooth.losses}, atol=0, rtol=rtol
    )
    case.exact({"out/correct": plain.hits, "out/counted": plain.counted})
    if "out/log_loss" in case.arrays:
        means = {
            "out/log_loss": plain.losses / plain.counted,
            "out/log_accuracy": plain.hits / plain.counted,
        }
        case.compare(means, atol=0, rtol=rtol)


@torch.no_grad()
def _check_transformer(case: Case) -> None:
    """The other way of words into codes: a transformer that reads vectors of words."""
    network, words = case.translator, case.tensor("in/word_vectors")
    codes, marks = case.tensor("in/motion_tokens"), case.words
    present = torch.arange(words.shape[1]) < case.tensor("in/text_lengths")[:, None]
    read = codes[:, :-1]
    encoded = network.encode(words, present)
    decoded = network.decode(read, encoded, present, read != marks.pad)
    logits = network.logits(decoded)
    found = {"out/encoder": encoded, "out/decoder": decoded, "out/logits": logits}
    case.compare(found, atol=LARGE_WEIGHTS)
    _check_losses(case, logits, codes[:, 1:], LARGE_WEIGHTS)
    greedy_rows(case, network, words, present, case.number("in/max_steps"))
