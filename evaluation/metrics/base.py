"""What a metric is: a class with one `update`, the same on any number of processes.

Shape letters: N clips, D width of an embedding, S motions generated for one text.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from evaluation.case import Case, Scorers
from evaluation.metrics.numbers import Judge, Number, Size
from evaluation.requests.kinds import Kind
from motiongpt.distributed import several_processes
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook

Embedded = Literal["motion", "reference", "caption", "sentence", "samples"]
"""Embeddings (N, D) of the method's motions, the real ones, the captions that asked and the
method's sentences; samples are (N, S, D)."""


MOTIONS: frozenset[Kind] = frozenset({"motion", "continuation", "inbetween", "reconstruction"})
"""Kinds of outputs that are one motion for each clip."""


@dataclass(frozen=True)
class Batch:
    """Some clips of one method's outputs for one task.

    Attributes:
        cases: N clips; may be empty where a metric looks at embeddings only. Outputs of kind
            "samples" are N * S cases, those of a clip after one another.
        embeddings: by name; those that no metric `needs` are absent, and so are all where there
            is no evaluator.
        positions: (N,) int64, of the clips in the split: gathered from several processes, a clip
            counts once. None: every row counts, in order of arrival.
        scorers: trained judges and the skeleton.
    """

    cases: Sequence[Case] = ()
    embeddings: Mapping[str, Tensor] = field(default_factory=dict)
    positions: Tensor | None = None
    scorers: Scorers | None = None


class Metric(ABC):
    """One or several numbers over all outputs for a task; built by Hydra from `conf/metrics`.

    Nothing is cached: after a change of the seed, `compute` draws anew. Every process must have
    had at least one `update` before `compute`.

    Attributes:
        numbers: name -> what it is; `compute` returns these, or fewer where one has no meaning.
        kinds: which outputs it judges.
        needs: embeddings that `update` reads; empty for most.
        compares_sets: whether it looks at all motions as a set, never at which clip one is of; such
            numbers can also be had of another real sample.
        seed: of what it draws, set anew for each replication; None where it draws nothing.
    """

    numbers: Mapping[str, Number]
    kinds: frozenset[Kind]
    needs: frozenset[Embedded] = frozenset()
    compares_sets: ClassVar[bool] = False
    seed: int | None = None

    def __init__(self, *lists: str) -> None:
        """Begin with empty lists of tensors, which are gathered from all processes."""
        self._rows: dict[str, list[Tensor]] = {name: [] for name in lists}

    def add_list(self, name: str) -> None:
        """Begin one more list."""
        self._rows[name] = []

    def reset(self) -> None:
        """Forget all clips."""
        for kept in self._rows.values():
            kept.clear()

    @property
    def judge(self) -> Judge:
        """What its numbers depend on; the evaluator, where it `needs` embeddings."""
        return "evaluator" if self.needs else "none"

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """See `Stage.preflight`; for those that need files."""
        return ()

    def shortage(self, size: Size) -> str:
        """Why a set of this size is too small, and which option would fit; empty where it is not.

        It is asked before anything is trained, and again by `compute`.
        """
        return ""

    @abstractmethod
    def update(self, batch: Batch) -> None:
        """Take in some clips."""

    @abstractmethod
    def compute(self) -> dict[str, Tensor]:
        """Number name -> value over all clips, scalars.

        Raises:
            UserError: what was taken in is not finite or not enough.
        """

    def extend_list(self, name: str, rows: Tensor) -> None:
        """Add rows (N, ...) to one of the lists."""
        self._rows[name].append(rows.detach().cpu())

    def joined_list(self, name: str) -> Tensor | None:
        """All rows of a list, those of all processes, which ask together; None before any."""
        kept = self._rows[name]
        if not kept:
            return None
        own = torch.cat(kept)
        if not several_processes():
            return own
        # torchmetrics brings transformers along, which takes seconds that most processes don't need
        from torchmetrics.utilities.distributed import gather_all_tensors

        return torch.cat(gather_all_tensors(own))

    def mistake(self, text: str) -> UserError:
        """An error that names the metric."""
        return UserError(f"{type(self).__name__}: {text}")
