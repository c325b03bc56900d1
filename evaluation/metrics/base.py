"""What a metric is: a torchmetrics class with one `update`, the same on any number of processes.

Shape letters: N clips, D width of an embedding, S motions generated for one text.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import torchmetrics
from torch import Tensor
from torchmetrics.utilities import dim_zero_cat

from evaluation.case import Case, Scorers
from evaluation.requests.kinds import Kind
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook

Better = Literal["lower", "higher", "real"]
"""Which value of a number is better; "real": the one nearest to that of real motion."""
Judge = Literal["evaluator", "captions", "classifier", "none"]
"""What a number depends on besides the motions: the embedding network, the true captions as they
were prepared, the classifier of actions, or nothing."""
Embedded = Literal["motion", "reference", "caption", "sentence", "samples"]
"""Embeddings (N, D) of the method's motions, the real ones, the captions that asked and the
method's sentences; samples are (N, S, D)."""


MOTIONS: frozenset[Kind] = frozenset({"motion", "continuation", "inbetween", "reconstruction"})
"""Kinds of outputs that are one motion for each clip."""


@dataclass(frozen=True)
class Number:
    """One number of a metric: its unit ("m", "mm", "m/s", "%" or empty) and which way is better."""

    unit: str = ""
    better: Better = "lower"


class Size(NamedTuple):
    """How many clips a set of outputs has, and how many outputs each of them."""

    clips: int
    samples: int = 1


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


class Metric(torchmetrics.Metric, ABC):
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
    full_state_update = False
    is_differentiable = False

    def __init__(self, *lists: str) -> None:
        """Begin with empty lists of tensors, which are gathered from all processes."""
        super().__init__(compute_with_cache=False)
        for name in lists:
            self.add_state(name, [], dist_reduce_fx="cat")

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
        """Add rows (N, ...) to one of the lists, on the metric's device."""
        kept: list[Tensor] = self._list(name)
        kept.append(rows.detach().to(self.device))

    def joined_list(self, name: str) -> Tensor | None:
        """All rows of a list on the CPU, of all processes within `compute`; None before any."""
        kept: list[Tensor] | Tensor = self._list(name)
        return dim_zero_cat(kept).cpu() if len(kept) else None

    def _list(self, name: str) -> Any:
        return getattr(self, name)

    def mistake(self, text: str) -> UserError:
        """An error that names the metric."""
        return UserError(f"{type(self).__name__}: {text}")
