"""What every stage of an experiment is, and what it is given when it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lightning.pytorch.loggers import Logger

from motiongpt.data.store import MotionStore


@dataclass(frozen=True)
class Hardware:
    """Where a stage runs. Nothing here may change its result, so it is not part of a signature.

    Attributes:
        accelerator, devices, num_nodes, strategy: as Lightning's `Trainer` takes them.
        workers: processes that prepare batches; 0 prepares them in this process.
        threads: CPU threads of one process, or None for torch's own choice.
    """

    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    workers: int = 0
    threads: int | None = None


@dataclass(frozen=True)
class StageContext:
    """What a stage may use besides its own settings.

    Attributes:
        folder: the run's folder, the only place that the stage writes to.
        parents: folders of the finished stages it builds on, by stage name.
        store: the motion it works on.
        hardware: where it runs.
        cache: folder for what is dear to compute and may be deleted; None keeps nothing.
        source: commit of the code and whether it was changed, for the record.
        make_logger: opens the experiment logger on first use, or returns None for none.
        say: prints one line of progress for a person.
    """

    folder: Path
    parents: Mapping[str, Path]
    store: MotionStore
    hardware: Hardware = field(default_factory=Hardware)
    cache: Path | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    make_logger: Callable[[], Sequence[Logger]] = tuple
    say: Callable[[str], None] = print


class Stage(Protocol):
    """One step of an experiment; built by Hydra from one yaml of `conf/stage`."""

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Do the work, leave what children need in `context.folder`, return the final metrics."""
        ...
