"""Looking for all that an experiment needs before any of it runs.

A stage says what it needs in `Stage.preflight`, and asks its parts in turn, by `preflight` below:
an object for a method of that name, a function that builds one later for the check that
`checked_by` gave it. A new kind of part brings its own check and is listed nowhere.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from motiongpt.data.store import MotionStore

Function = TypeVar("Function", bound=Callable[..., Any])
CHECK = "preflight"


@dataclass(frozen=True)
class Outlook:
    """What is known of a stage before anything of its experiment has run.

    Attributes:
        store: the motion that it will work on; None where that is still to be prepared.
        most_clips: split -> clips that such a store will have at most.
        parents: the disposable ones of the stages that it builds on, by name: they can say ahead
            what they will leave.
        init_from: folder of the weights that it starts from; None for random ones.
    """

    store: MotionStore | None = None
    most_clips: Mapping[str, int] = field(default_factory=dict)
    parents: Mapping[str, object] = field(default_factory=dict)
    init_from: Path | None = None


def checked_by(check: Callable[..., Iterable[str]]) -> Callable[[Function], Function]:
    """Have a function's arguments checked ahead of its call, where a yaml names it.

    Args:
        check: called as `check(outlook, **arguments)`; raises `UserError` for what can't be had,
            returns lines about what will be left out.
    """

    def mark(function: Function) -> Function:
        setattr(function, CHECK, check)
        return function

    return mark


def preflight(part: Any, outlook: Outlook) -> Iterable[str]:
    """What `part`, as Hydra built it of a yaml, says ahead; nothing where it has no check.

    Raises:
        UserError: it needs what can't be had.
    """
    if isinstance(part, partial):
        check = getattr(part.func, CHECK, None)
        return () if check is None else tuple(check(outlook, **part.keywords))
    check = getattr(part, CHECK, None)
    return () if check is None else tuple(check(outlook))
