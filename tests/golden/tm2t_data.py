"""Golden vectors of TM2T's data set: rows of ids, slices of timed captions, windows of clips.

Rows are ours. Slices and windows are those of the released data set, quirks included, and rebuilt
here: the project's own sources cut clips, and its windows are drawn.
"""

import math

import numpy as np

from motiongpt.methods.tm2t.generating import Marks
from motiongpt.methods.tm2t.rows import code_row, padded, word_row
from tests.golden.tm2t_case import LOSSES, Case

TOKENS_A_SECOND = 5
ROOT, CONTACTS = 4, 4


def check_rules(case: Case) -> None:
    _check_rows(case)
    if "out/clip/names" in case.arrays:
        _check_slices(case)
    if "in/win/window" in case.arrays:
        _check_windows(case)


def _check_rows(case: Case) -> None:
    words = Marks(*(case.config(f"txt_{name}") for name in ("start", "end", "pad")))
    codes = Marks(*(case.config(f"mot_{name}") for name in ("start", "end", "pad")))
    most = case.config("max_text_len")
    said, moved, whole = [], [], []
    for row in range(len(case.arrays["in/words"])):
        own = case.arrays["in/words"][row][: case.arrays["in/words_length"][row]].tolist()
        tokens = case.arrays["in/tokens"][row][: case.arrays["in/tokens_length"][row]].tolist()
        lost = ("first", "last")[case.arrays["in/drop_last"][row]]
        said.append(word_row(own, most, words))
        moved.append(code_row(tokens, codes, lost if case.arrays["in/drop"][row] else ""))
        # One code alone is lost too in the released rows.
        whole.append(not (case.arrays["in/drop"][row] and len(tokens) == 1))
    kept = np.array(whole)
    wide = (most + 2, case.config("max_motion_len"))
    for name, rows, pad, columns in (
        ("word_ids", said, words.pad, wide[0]),
        ("motion_tokens", moved, codes.pad, wide[1]),
    ):
        found = np.full((len(rows), columns), pad)
        ids = padded(rows, pad).numpy()
        found[:, : ids.shape[1]] = ids
        there = kept if rows is moved else np.ones_like(kept)
        case.report.exact(case.name, name, found[there], case.arrays[f"out/{name}"][there])
    counts = np.array([len(row) for row in said]), np.array([len(row) - 2 for row in moved])
    case.exact({"out/text_length": counts[0]})
    found = counts[1][kept], case.arrays["out/motion_length"][kept]
    case.report.exact(case.name, "motion_length", *found)
    if "out/word_vectors" not in case.arrays:
        return
    shown = case.arrays["out/word_vectors"]
    ids = case.arrays["out/word_ids"][: len(shown)]
    unknown = np.where(ids == words.pad, case.config("txt_unknown"), ids)
    case.compare({"out/word_vectors": case.arrays["in/vectors"][unknown]}, atol=0)


def _check_slices(case: Case) -> None:
    """A timed caption cuts the token rows for all that follow in its file."""
    names, found = [], {}
    for file in ("aa", "bb", "cc"):
        tokens = case.arrays[f"in/clip/tokens_{file}"]
        of_whole = []
        for line in case.arrays[f"in/clip/captions_{file}"].tolist():
            caption, _, *times = line.split("#")
            first, last = (0.0 if math.isnan(float(time)) else float(time) for time in times)
            if not first and not last:
                of_whole.append(caption)
                continue
            tokens = tokens[:, int(first * TOKENS_A_SECOND) : int(last * TOKENS_A_SECOND)]
            names.append(f"{file}_{first:f}_{last:f}")
            found[names[-1]] = tokens, [caption]
        if of_whole:
            names.append(file)
            found[file] = tokens, of_whole
    case.exact({"out/clip/names": np.array(names)})
    for name, (tokens, captions) in found.items():
        case.exact(
            {f"out/clip/tokens/{name}": tokens, f"out/clip/captions/{name}": np.array(captions)}
        )


def _check_windows(case: Case) -> None:
    size, lengths = case.number("in/win/window"), case.arrays["in/win/lengths"].tolist()
    motions = [case.arrays[f"in/win/m{number}"] for number in range(len(lengths))]
    case.exact({"in/win/lengths": [len(motion) for motion in motions]})
    mean, std = case.arrays["in/win/mean"], case.arrays["in/win/std"].copy()
    case.exact({"in/win/joints": (len(mean) + 1) // 12})
    for channels in (slice(0, ROOT), slice(-CONTACTS, None)):
        std[channels] /= case.number("in/win/feat_bias")
    long_enough = [motion for motion in motions if len(motion) >= size]
    listed = [m[at : at + size] for m in long_enough for at in range(len(m) - size)]
    windows = np.stack([long_enough[0][:size], *listed[:-1]])
    case.compare({"out/win/std": std, "out/win/windows": (windows - mean) / std}, atol=LOSSES)
    case.exact({"out/win/count": len(windows)})
