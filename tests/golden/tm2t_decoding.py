"""Golden vectors of TM2T's decoding of words: greedy, drawn, by beams, and some steps of training."""

import numpy as np
import torch
from torch import Tensor

from motiongpt.methods.tm2t.beams import beam_steps, best_beam
from motiongpt.methods.tm2t.generating import (
    Marks,
    Rows,
    Source,
    TranslatedSource,
    draw_weights,
    drawn,
    generate_rows,
)
from motiongpt.methods.tm2t.rows import token_losses
from motiongpt.methods.tm2t.translator import Translator
from tests.golden.tm2t_case import ATOL, MANY_STEPS, Case

TOP_OF_ONE_ROW = 5


class Watched:
    """A source whose logits are kept."""

    def __init__(self, source: Source) -> None:
        self.source, self.logits = source, list[Tensor]()

    @property
    def rows(self) -> int:
        return self.source.rows

    @property
    def device(self) -> torch.device:
        return self.source.device

    def next_logits(self, ids: Tensor) -> Tensor:
        self.logits.append(self.source.next_logits(ids))
        return self.logits[-1]

    def pick(self, rows: Tensor) -> None:
        self.source.pick(rows)


def filled(ids: Tensor, columns: int) -> Tensor:
    """Ids (B, L) with -1 in the columns that are missing."""
    return torch.nn.functional.pad(ids, (0, columns - ids.shape[1]), value=-1)


def greedy_rows(
    case: Case, network: Translator, source: Tensor, present: Tensor, most: int
) -> None:
    """Each row alone: the likeliest id, whatever it is, until that is the end."""
    for row in range(len(source)):
        one = TranslatedSource(network, source[row : row + 1], present[row : row + 1])
        watched = Watched(one)
        ids = torch.full((1, 1), case.words.start)
        for _ in range(most):
            following = watched.next_logits(ids).argmax(-1)
            if int(following) == case.words.end:
                break
            ids = torch.cat((ids, following[:, None]), 1)
        else:
            watched.next_logits(ids)
        count = ids.shape[1]
        wanted = case.arrays["out/greedy_ids"]
        found = filled(ids, wanted.shape[1])[0].numpy()
        case.report.exact(case.name, f"greedy_ids of {row}", found, wanted[row])
        lengths = case.arrays["out/greedy_length"]
        case.report.exact(case.name, f"greedy_length of {row}", count, int(lengths[row]))
        if (name := f"out/greedy_logits_{row}") in case.arrays:
            case.compare({name: torch.cat(watched.logits)[: len(case.arrays[name])]})


@torch.no_grad()
def check_decoding(case: Case) -> None:
    network, codes = case.translator, case.tensor("in/motion_tokens")
    present, most = codes != case.config("src_pad"), case.number("in/max_steps")
    case.exact({f"cfg/mot_{name}": at for name, at in (("start", codes[0, 0]),)})
    case.exact({"cfg/mot_end": codes[0][present[0]][-1]})
    greedy_rows(case, network, codes, present, most)
    _check_batches(case, network, codes, present, most)
    _check_one_row(case, network, codes[:1], present[:1], most)
    for beams in case.arrays["in/beam_sizes"].tolist():
        for row in range(len(codes)):
            source = TranslatedSource(network, codes[row : row + 1], present[row : row + 1])
            _check_beams(case, f"out/beam{beams}_{row}", source, beams)
    _check_training(case)


def _check_batches(
    case: Case, network: Translator, codes: Tensor, present: Tensor, most: int
) -> None:
    """Rows together: the likeliest id, and ids drawn of all and of the likeliest."""
    marks = case.words
    columns = case.arrays["out/batch_greedy_ids"].shape[1]
    found = _likeliest_together(TranslatedSource(network, codes, present), marks, most)
    _check_ids(case, "out/batch_greedy", found, columns)
    for name, likeliest in (("full", None), ("top3", 3)):
        source = Watched(TranslatedSource(network, codes, present))
        uniforms = case.tensor(f"in/draw_uniforms_{name}").T
        found = generate_rows(source, marks, most, uniforms, likeliest)
        weights = torch.stack([draw_weights(one, marks.all, likeliest) for one in source.logits])
        wanted = case.arrays[f"out/draw_weights_{name}"]
        steps = min(len(wanted), len(weights))
        case.report.compare(
            case.name, f"draw_weights_{name}", weights[:steps], wanted[:steps], atol=ATOL
        )
        _check_ids(case, f"out/draw_ids_{name}", found, columns, f"out/draw_length_{name}")


def _likeliest_together(source: Source, marks: Marks, most: int) -> Rows:
    """As `generate_rows`, but marks may be chosen: the released batch without random numbers."""
    ids = torch.full((source.rows, 1), marks.start)
    lengths = torch.full((source.rows,), most)
    for step in range(most):
        likeliest = source.next_logits(ids).argmax(-1)
        lengths = torch.where((likeliest == marks.end) & (lengths == most), step, lengths)
        if bool((lengths < most).all()):
            break
        ids = torch.cat((ids, likeliest[:, None]), 1)
    return Rows(ids, lengths)


def _check_ids(case: Case, name: str, found: Rows, columns: int, of_lengths: str = "") -> None:
    ids, lengths = (name, of_lengths) if of_lengths else (f"{name}_ids", f"{name}_length")
    case.exact({lengths: found.lengths[:, None]})
    wanted = case.tensor(ids)
    for row, count in enumerate(found.lengths.tolist()):
        pair = found.ids[row, : count + 1], wanted[row, : count + 1]
        case.report.exact(case.name, f"{ids} of {row}", *(one.numpy() for one in pair))
    # What stands behind a row's length is no part of it; the columns are those of the longest.
    case.report.exact(case.name, f"{ids} columns", columns, wanted.shape[1])


def _check_one_row(
    case: Case, network: Translator, codes: Tensor, present: Tensor, most: int
) -> None:
    """One row alone may draw padding; a start or an end that is drawn is drawn again."""
    source, uniforms = (
        TranslatedSource(network, codes, present),
        iter(case.arrays["in/single_uniforms"]),
    )
    ids, weights = torch.full((1, 1), case.words.start), []
    for _ in range(most):
        logits = source.next_logits(ids)
        if int(logits.argmax(-1)) == case.words.end:
            break
        shares = draw_weights(logits, (), TOP_OF_ONE_ROW)
        weights.append(shares[0])
        following = torch.tensor([case.words.end])
        while following.item() in (case.words.start, case.words.end):
            following = drawn(shares, torch.tensor([float(next(uniforms))]).double())
        ids = torch.cat((ids, following[:, None]), 1)
    wanted = case.arrays["out/single_weights"]
    found = np.full_like(wanted, wanted[-1])
    found[: len(weights)] = torch.stack(weights)
    case.report.compare(
        case.name, "single_weights", found[: len(weights)], wanted[: len(weights)], atol=ATOL
    )
    columns = case.arrays["out/single_ids"].shape[1]
    case.exact({"out/single_ids": filled(ids, columns)})


def _check_beams(case: Case, name: str, source: TranslatedSource, beams: int) -> None:
    """After every step from the second on."""
    marks, most = case.words, case.number("in/beam_max_len")
    steps = list(beam_steps(source, marks, beams, most, released=True))
    shown = steps[1:]
    wanted = case.arrays[f"{name}/beams"]
    case.report.exact(case.name, f"{name} steps", len(shown), len(wanted))
    for number, (step, expected) in enumerate(zip(shown, wanted, strict=False)):
        kept = expected[:, : step.ids.shape[1]]
        case.report.exact(case.name, f"{name}/beams {number}", step.ids.numpy(), kept)
    case.compare({f"{name}/scores": torch.stack([step.scores for step in shown])})
    best = best_beam(steps[-1], marks, case.number("in/beam_alpha"))
    case.exact({f"{name}/answer": best})


def _check_training(case: Case) -> None:
    """Steps of Adam, from the weights and the batch of m2t.npz."""
    other = case.beside("m2t.npz")
    network, codes, words = (
        other.translator,
        other.tensor("in/motion_tokens"),
        other.tensor("in/word_ids"),
    )
    present, pad = codes != other.config("src_pad"), other.words.pad
    optimizer = torch.optim.Adam(network.parameters(), lr=case.number("in/train_lr"))
    losses = []
    with torch.enable_grad():
        for _ in case.arrays["out/train_loss"]:
            read = words[:, :-1]
            found = token_losses(network(codes, present, read, read != pad), words[:, 1:], pad)
            optimizer.zero_grad()
            found.losses.backward()
            optimizer.step()
            losses.append((found.losses / found.counted).item())
    case.compare({"out/train_loss": np.array(losses)}, atol=MANY_STEPS)
