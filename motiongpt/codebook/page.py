"""A codebook as one HTML page that opens from disk and asks nothing of any host.

Shape letters: Q codebooks, K codes of each.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.codebook.figures import CodeFigure
from motiongpt.codebook.learnt import LearntCodebook, LearntCodec
from motiongpt.codebook.sentences import ReadSentence
from motiongpt.codebook.timeline import Timeline
from motiongpt.viewer.clips import packed_skeleton
from motiongpt.viewer.html import PAGE, one_program, readable, rendered, self_contained
from motiongpt.viewer.packing import quantised

HERE = Path(__file__).parent / "page"
# In the order in which they need each other.
PARTS = ("figures", "screen", "charts", "codes", "chosen", "timelines", "sentences", "begin")
MILLIMETRE = 0.001


def codebook_page(learnt: LearntCodec, title: str, sentences: Sequence[ReadSentence] = ()) -> str:
    """The HTML of a page about a codec.

    Args:
        sentences: that its method generated.
    """
    scripts = [one_program([PAGE / "arrays.js", *(HERE / f"{name}.js" for name in PARTS)])]
    style = readable(HERE / "style.css")
    policy, tags = self_contained(scripts)
    return rendered(
        HERE / "codebook.html",
        title,
        style,
        _data(learnt) | {"sentences": [_sentence(one) for one in sentences]},
        policy,
        tags,
        facts=learnt.facts,
        summaries=[_summary(one, len(learnt.codebooks) > 1) for one in learnt.codebooks],
    )


def _summary(one: LearntCodebook, several: bool) -> dict[str, str]:
    """A row of the table on top; of `several` codebooks it says what each adds."""
    usage, size = one.usage, len(one.usage.counts)
    used = size - len(usage.dead)
    row = {
        "codebook": str(one.number + 1),
        "codes": str(size),
        "used": f"{used} ({100 * used / size:.1f} %)",
        "dead": str(len(usage.dead)),
        "perplexity": f"{usage.perplexity:.1f}",
        "half of all tokens": f"{usage.covering(0.5)} codes",
        "90 %": f"{usage.covering(0.9)} codes",
    }
    if several:
        row["moves joints by"] = "–" if one.adds is None else f"{one.adds:.1f} mm"
    return row


def _data(learnt: LearntCodec) -> dict[str, Any]:
    return {
        "skeleton": packed_skeleton(learnt.skeleton),
        "fps": learnt.fps,
        "height": learnt.height,
        "framesPerToken": learnt.frames_per_token,
        "codebooks": [_codebook(one) for one in learnt.codebooks],
        "clips": [_clip(one) for one in learnt.clips],
    }


def _codebook(one: LearntCodebook) -> dict[str, Any]:
    points, shares = one.map
    return {
        "counts": one.usage.counts.tolist(),
        "words": [
            [[word.word, word.clips, round(word.odds, 2), round(word.score, 1)] for word in words]
            for words in one.words
        ],
        "neighbours": [_rounded(near, 4) for near in one.neighbours],
        "map": {"points": np.round(points, 4).tolist(), "shares": shares},
        "figures": _figures(one.figures),
    }


def _figures(figures: Sequence[CodeFigure]) -> Mapping[str, Any]:
    """All figures of a codebook end to end, and where each of them lies."""
    context, repeated = (
        [one.joints for one in figures if one.context is not None],
        [one.repeated for one in figures if one.repeated is not None],
    )
    where: list[dict[str, Any]] = []
    at = {"context": 0, "repeated": 0}
    for one in figures:
        row: dict[str, Any] = {"code": one.code}
        if one.context is not None:
            row["context"] = [at["context"], len(one.joints), *one.own]
            row["before"] = _rounded(one.context.before, 3)
            row["after"] = _rounded(one.context.after, 3)
            at["context"] += len(one.joints)
        if one.repeated is not None:
            row["repeated"] = [at["repeated"], len(one.repeated), 0, len(one.repeated)]
            at["repeated"] += len(one.repeated)
        if one.adds is not None:
            row["adds"] = round(one.adds, 1)
        where.append(row)
    return {"codes": where, "context": _joints(context), "repeated": _joints(repeated)}


def _clip(one: Timeline) -> dict[str, Any]:
    return {
        "name": one.name,
        "captions": one.captions,
        "codes": one.codes.tolist(),
        "real": _joints([one.real]),
        "decoded": _joints([one.decoded]),
        "frames": [len(one.real), len(one.decoded)],
    }


def _sentence(one: ReadSentence) -> dict[str, Any]:
    return {
        "text": one.text,
        "words": one.attended.words,
        "codes": one.attended.codes.tolist(),
        "weights": np.round(one.attended.weights.astype(np.float64), 3).tolist(),
        "joints": _joints([one.joints]),
        "frames": len(one.joints),
    }


def _joints(motions: Sequence[np.ndarray]) -> dict[str, Any] | None:
    """Joints (T, J, 3) of several motions end to end, to the millimetre."""
    return quantised(np.concatenate(motions), MILLIMETRE) if motions else None


def _rounded(pairs: Sequence[tuple[int, float]], digits: int) -> list[list[float]]:
    return [[code, round(value, digits)] for code, value in pairs]
