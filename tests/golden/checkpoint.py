"""Golden shapes of the released checkpoint: subfolder `checkpoint`.

A file of names and shapes is turned into a random checkpoint, which is imported and whose weights
must all be there, under the released names, with the released shapes and the same numbers. Names
that a checkpoint has besides (`metrics.`, `_losses.`) must be passed over.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.original_names import original_sizes
from motiongpt.published.folder import CODEC, LANGUAGE_MODEL
from motiongpt.published.import_checkpoint import recognised
from motiongpt.published.importers.base import ImportedParts, ImportOptions
from tests.unit.original_checkpoints import (
    original_vq_vae,
    state_of,
    statistics,
    text_tokenizer,
    vq_vae,
)

MODEL = ("vae.", "lm.")
TIED = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")
MARKS = 3  # motion tokens besides the codes
MEMORY = 1 << 16  # numbers that are drawn; larger weights repeat them


def check(path: Path, shapes: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"checkpoint/{path.name}"
    if any(name.startswith("vae.") for name in shapes):
        _check_model(case, shapes, report)
    elif not any(name.startswith(MODEL) for name in shapes):
        _check_further(case, shapes, report)
    else:
        report.unchecked(case, ", ".join(sorted(shapes)[:5]), "a model without vae.*")


def _check_model(case: str, shapes: Mapping[str, Sequence[int]], report: Any) -> None:
    state = random_state(shapes)
    codes = original_sizes(state, "vae.")["codebook_size"]
    words = next(s[0] for n, s in shapes.items() if n.endswith("shared.weight")) - codes - MARKS
    parts = _parts(state, words)
    ours = _under_original_names(parts)
    report.exact(case, "names", sorted(ours), sorted(shapes))
    report.exact(case, "passed over", parts.ignored, ())
    for name in sorted(ours.keys() & shapes.keys()):
        report.exact(case, name, list(ours[name].shape), list(shapes[name]))
        report.exact(case, f"{name}, numbers", bool(torch.equal(ours[name], state[name])), True)


def _check_further(case: str, shapes: Mapping[str, Sequence[int]], report: Any) -> None:
    """A small model with these names beside it."""
    small = {name: t for name, t in state_of(vq_vae()).items() if name.startswith("vae.")}
    parts = _parts({**small, **random_state(shapes)}, 0)
    report.exact(case, "passed over", sorted(parts.ignored), sorted(shapes))
    report.exact(case, "the rest", sorted(_under_original_names(parts)), sorted(small))


def random_state(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Weights of these shapes, each with numbers of its own but for tied embeddings."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes.items():
        if not name.endswith(TIED):
            size = int(np.prod(shape))
            drawn = torch.randn(min(size, MEMORY), generator=generator)
            state[name] = drawn.repeat(-(-size // len(drawn)))[:size].reshape(tuple(shape))
    for name in shapes:
        if name.endswith(TIED):
            state[name] = state[
                f"{name.rpartition('language_model.')[0]}language_model.shared.weight"
            ]
    return state


def _parts(state: Mapping[str, Tensor], words: int) -> ImportedParts:
    content = {"state_dict": state}
    with tempfile.TemporaryDirectory() as folder:
        options = ImportOptions(
            statistics=statistics(Path(folder, "meta")),
            text_tokenizer=text_tokenizer(Path(folder, "words"), words) if words else None,
        )
        return recognised(Path(folder), content).parts(content, options)


def _under_original_names(parts: ImportedParts) -> dict[str, Tensor]:
    """Weights of the parts as they are saved and read again."""
    with tempfile.TemporaryDirectory() as name:
        folders = {part: Path(name, part) for part in parts.parts}
        for part, save in parts.parts.items():
            save(folders[part])
        named = original_vq_vae(TrainedTokenizer.load(folders[CODEC]).tokenizer)  # type: ignore[arg-type]
        if LANGUAGE_MODEL in folders:
            weights = load_backbone(folders[LANGUAGE_MODEL]).language_model.state_dict()
            named |= {f"lm.language_model.{name}": tensor for name, tensor in weights.items()}
    return named
