"""Tensors that are dear to compute, kept in a cache folder under a name that tells their origin."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.files import save_with
from motiongpt.training.stage import StageContext


def cached(
    name: str,
    folder: Path,
    context: StageContext,
    make: Callable[[], dict[str, Tensor]],
    *settings: object,
) -> dict[str, Tensor]:
    """What `make` gives for the context's store, from the cache where it is there already.

    Args:
        name: of what it is, for the file's name.
        folder: of the model that `make` uses; its content tells one origin from another.
        settings: what else the result depends on.

    Raises:
        UserError: the file in the cache is damaged.
    """
    if context.cache is None:
        return make()
    origin = (context.store.fingerprint, _content(folder), *settings)
    digest = hashlib.sha256(repr(origin).encode()).hexdigest()[:16]
    path = context.cache / f"{name}-{digest}.safetensors"
    try:
        return load_file(path)
    except FileNotFoundError:
        made = make()
    except SafetensorError as error:
        raise UserError(f"{path}: damaged ({error}); remove it and run again") from error
    if context.processes.is_first:
        whole = {key: tensor.detach().cpu().contiguous() for key, tensor in made.items()}
        save_with(path, lambda file: save_file(whole, file))
    return made


def _content(folder: Path) -> Sequence[tuple[str, str]]:
    """Names and hashes of all files below a folder."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    found = []
    for path in files:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found.append((str(path.relative_to(folder)), digest))
    return found
