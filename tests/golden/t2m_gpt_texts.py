"""Captions of parts of a clip, as T2M-GPT's data set cuts its tokens; ours cuts the frames.

Caption files are read by the platform's own reader.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.data.humanml3d_texts import Span, read_captions

FPS, FRAMES_PER_TOKEN = 20.0, 4
BLOCK_SIZE = {4: 51, 8: 26}  # frames of a token -> positions of the released network
TOKENS, CAPTIONS = "in/clip/tokens_", "in/clip/captions_"


def check_sliced_captions(case: str, arrays: Mapping[str, np.ndarray], report: Any) -> None:
    """Names, tokens and captions of the entries, in their order."""
    found: dict[str, tuple[np.ndarray, list[str]]] = {}
    for name in [n.removeprefix(TOKENS) for n in arrays if n.startswith(TOKENS)]:
        found |= _entries(name, arrays[TOKENS + name], arrays[CAPTIONS + name].tolist())
    report.exact(case, "out/clip/names", list(found), arrays["out/clip/names"].tolist())
    for name, (tokens, captions) in found.items():
        report.exact(case, f"tokens of {name}", tokens, arrays[f"out/clip/tokens/{name}"])
        expected = arrays[f"out/clip/captions/{name}"].tolist()
        report.exact(case, f"captions of {name}", captions, expected)
    size = BLOCK_SIZE[FRAMES_PER_TOKEN]
    report.exact(case, "out/clip/max_tokens", size, int(arrays["out/clip/max_tokens"]))


def _entries(
    name: str, tokens: np.ndarray, lines: list[str]
) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Entries of one token file (1, L), the whole clip's after those of its parts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "captions.txt")
        path.write_text("\n".join(lines))
        captions = read_captions(path)
    entries = {}
    for span, of_span in sorted(captions.items(), key=lambda item: item[0].whole):
        part = tokens if span.whole else tokens[:, _tokens_of(span)]
        if part.size:
            entry = name if span.whole else f"{name}_{span.start:f}_{span.end:f}"
            entries[entry] = (part, [caption.text for caption in of_span])
    return entries


def _tokens_of(span: Span) -> slice:
    return span.frames(FPS / FRAMES_PER_TOKEN)
