"""Which form the files of a folder have."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation.external import forms
from evaluation.external.forms.base import Form, Options, Target, array_shape, unreadable
from motiongpt.errors import UserError
from motiongpt.registry import classes_in

TRIED = 5  # files that all must be of the form


def known_forms() -> dict[str, type[Form]]:
    """Name -> form, of all files in `forms`."""
    found = classes_in(forms, Form).values()  # type: ignore[type-abstract]
    return {form.name: form for form in sorted(found, key=lambda form: form.name)}


def chosen_form(files: Sequence[Path], name: str | None, options: Options, target: Target) -> Form:
    """The form that some files have, or the one that is named.

    Args:
        files: at least one.

    Raises:
        UserError: no form of this name, none or several fit, or an option that means nothing to it.
    """
    known = known_forms()
    if name is not None:
        if name not in known:
            raise UserError(f"--form {name}: no such form; valid: {', '.join(known)}")
        return known[name](options, target)
    endings = sorted({path.suffix.lower() for path in files})
    if len(endings) > 1:
        fitting = [form for form in known.values() if form.ending in endings]
        by_ending = " and ".join(
            f"{sum(path.suffix.lower() == one for path in files)} {one}" for one in endings
        )
        names = ", ".join(form.name for form in fitting)
        raise UserError(f"{files[0].parent} holds {by_ending} files; say which by --form: {names}")
    tried = spread(files, TRIED)
    fitting = [form for form in known.values() if all(_fits(form, path, target) for path in tried)]
    if len(fitting) == 1:
        return fitting[0](options, target)
    if fitting:
        names = ", ".join(form.name for form in fitting)
        raise UserError(f"{files[0]}: several forms fit; say which by --form: {names}")
    raise UserError(_none_fits(tried, known, target))


def spread(files: Sequence[Path], count: int) -> list[Path]:
    """At most `count` of them, from the first to the last."""
    chosen = np.unique(np.linspace(0, len(files) - 1, min(count, len(files))).astype(int))
    return [files[int(index)] for index in chosen]


def _fits(form: type[Form], path: Path, target: Target) -> bool:
    if path.suffix.lower() != form.ending:
        return False
    try:
        return form.fits(path, target.skeleton)
    except (OSError, ValueError, UserError):
        return False


def _none_fits(tried: Sequence[Path], known: Mapping[str, type[Form]], target: Target) -> str:
    """What each form would have, or why a file can't be read at all."""
    ending = tried[0].suffix.lower()
    of_ending = {name: form for name, form in known.items() if form.ending == ending}
    for path in tried:
        for form in of_ending.values():
            try:
                form.fits(path, target.skeleton)
            except UserError as error:
                return str(error)
            except (OSError, ValueError) as error:
                return f"{path}: {unreadable(error)}"
    listed = "; ".join(f"{name}: {form.expects}" for name, form in of_ending.items())
    return (
        f"{tried[0]}: {_held(tried[0])}, which is no form of motion of the skeleton "
        f"{target.skeleton.name!r}; known are {listed}"
    )


def _held(path: Path) -> str:
    ending = path.suffix.lower()
    return f"an array of shape {array_shape(path)}" if ending == ".npy" else f"a {ending} file"
