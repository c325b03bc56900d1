"""Captions of a clip: what its name says it shows, in which style, and what was measured on it.

The data set has no sentences, only two words a clip. The sentences made of them differ in wording
from clip to clip, always the same for the same clip.
"""

import hashlib
import re

import numpy as np

from motiongpt.data.bandai_namco.measurements import Measurements
from motiongpt.data.bandai_namco.phrases import phrases
from motiongpt.data.bandai_namco.splits import ClipName
from motiongpt.data.bandai_namco.styles import STYLES
from motiongpt.data.clip import Caption
from motiongpt.data.synthetic.words import present, progressive

CAPTIONS_PER_CLIP = 3
_PEOPLE = ("a person", "a person", "the person", "someone", "a human", "a figure")
# How often a sentence says "is walking", leaves the style out, or makes it the subject's.
_CONTINUOUS, _WITHOUT_STYLE, _STYLE_AS_SUBJECT = 0.2, 0.15, 0.3
# Chances of no, one or two measured details in one sentence: more would read like a list.
_DETAILS = (0.15, 0.6, 0.25)
_COMPARISONS = ("like ", "as ", "to the beat", "swaggering")


def captions(name: ClipName, measured: Measurements) -> tuple[Caption, ...]:
    """Three different sentences about one clip; the same name and figures give the same ones."""
    digest = hashlib.sha256(str(name).encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    texts: list[str] = []
    while len(texts) < CAPTIONS_PER_CLIP:
        # The first sentence always names the style.
        text = _sentence(rng, name, measured, with_style=not texts)
        if text.rstrip(".") not in (other.rstrip(".") for other in texts):
            texts.append(text)
    return tuple(Caption(text) for text in texts)


def _sentence(
    rng: np.random.Generator, name: ClipName, measured: Measurements, with_style: bool
) -> str:
    ways = phrases(name.content, measured)
    subject, manner = _style(rng, name.style, with_style)
    core = ways.cores[int(rng.integers(len(ways.cores)))]
    count = min(int(rng.choice(len(_DETAILS), p=_DETAILS)), len(ways.details))
    indices = sorted(rng.choice(len(ways.details), size=count, replace=False)) if count else []
    details = [str(rng.choice(ways.details[index])) for index in indices]
    told = _told(core, details, manner).replace("{their}", "their")
    continuous = rng.random() < _CONTINUOUS
    form = progressive if continuous else present
    told = re.sub(r"<(\w+)>", lambda match: form(match[1]), told)
    text = f"{subject} is {told}" if continuous else f"{subject} {told}"
    return _tidy(text) + ("." if rng.random() < 0.5 else "")


def _told(core: str, details: list[str], manner: str) -> str:
    """Core and details in one; a comparison comes after all but the details set off by commas."""
    if not manner.startswith(_COMPARISONS):
        return " ".join([core.replace("{manner}", manner), *details])
    within = [detail for detail in details if not detail.startswith(",")]
    after = [detail for detail in details if detail.startswith(",")]
    return " ".join([core.replace("{manner}", ""), *within, manner, *after])


def _style(rng: np.random.Generator, name: str, wanted: bool) -> tuple[str, str]:
    """Subject and manner; the style is in the one or in the other, or in neither."""
    style = STYLES[name]
    subject = str(rng.choice(_PEOPLE))
    if not style.manners or (not wanted and rng.random() < _WITHOUT_STYLE):
        return subject, ""
    if style.people and rng.random() < _STYLE_AS_SUBJECT:
        return str(rng.choice(style.people)), ""
    return subject, str(rng.choice(style.manners))


def _tidy(text: str) -> str:
    return re.sub(r"\s+,", ",", re.sub(r"\s+", " ", text)).strip()
