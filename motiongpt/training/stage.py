"""What every stage of an experiment is, and what it is given when it runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from motiongpt.data.store import MotionStore
from motiongpt.preflight import Outlook
from motiongpt.training.start import Start
from motiongpt.training.stopping import StopRequest

if TYPE_CHECKING:
    import torch
    from lightning.fabric.plugins.environments import ClusterEnvironment
    from lightning.pytorch.loggers import Logger

MODEL = "model"
"""Folder of a run in which a stage leaves what it trained."""


@dataclass(frozen=True)
class Hardware:
    """Where a stage runs. Nothing here may change its result, so it is not part of a signature.

    Attributes:
        accelerator: as Lightning's `Trainer` takes it.
        devices: of each node, one for each process.
        num_nodes: that the processes run on.
        strategy: "auto", "ddp", or "fsdp": each process keeps a part of a language model's weights,
            gradients and optimizer states (a stage of another network is as with "ddp"); alone a
            process may take any of Lightning's.
        workers: processes that prepare batches; 0 prepares them in this process.
        threads: CPU threads of one process, or None for torch's own choice.
        accumulate: parts that a language stage computes a process's share of a step in, one after
            the other, to need less memory (gradient accumulation). The tokenizer's step stays
            whole: its codebook learns from all vectors of a step.
        checkpoint_activations: whether a language model computes its layers once more in the
            backward, to keep less of them in memory.
        compile: whether torch.compile makes the networks' own code; worth its minutes on a GPU.
    """

    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    workers: int = 0
    threads: int | None = None
    accumulate: int = 1
    checkpoint_activations: bool = False
    compile: bool = False


@dataclass(frozen=True)
class Processes:
    """The processes that run one stage together, and which of them this is.

    Attributes:
        rank: index of this process, from 0 to world - 1; only the first one writes results.
        world: how many there are.
        environment: how Lightning finds the others; None for Lightning's own way.
    """

    rank: int = 0
    world: int = 1
    environment: "ClusterEnvironment | None" = None

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0


@dataclass(frozen=True)
class StageContext:
    """What a stage may use besides its own settings.

    Attributes:
        stage, signature: name and signature of the run.
        folder: where the run writes, its only place; finished, it is moved to where it is read.
        parents: folders of the finished stages it builds on, by stage name.
        store: the motion it works on.
        hardware: where it runs.
        cache: folder for what is dear to compute and may be deleted; None keeps nothing.
        source: commit of the code and whether it was changed, for the record.
        lineage: gives the training seeds behind the run and the overrides that make it, for the
            record; see `launch.jobs.lineage`.
        processes: that run this stage together.
        stop: whether the process was asked to stop.
        make_logger: opens the experiment loggers on first use; none in all but the first process.
        log: prints one line of progress for a person.
        start: the weights that its network starts from; random ones where none is named.
    """

    stage: str
    signature: str
    folder: Path
    parents: Mapping[str, Path]
    store: MotionStore
    hardware: Hardware = field(default_factory=Hardware)
    cache: Path | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    lineage: Callable[[], Mapping[str, Any]] = dict
    processes: Processes = field(default_factory=Processes)
    stop: StopRequest = field(default_factory=StopRequest)
    make_logger: Callable[[], Sequence["Logger"]] = tuple
    log: Callable[[str], None] = print
    start: Start = field(default_factory=Start)

    @property
    def device(self) -> "torch.device":
        """Where a stage that trains nothing runs its models: this process's GPU, or the CPU."""
        import torch  # takes a second, which a plan needn't wait for

        if self.hardware.accelerator == "cpu" or not torch.cuda.is_available():
            return torch.device("cpu")
        environment = self.processes.environment
        rank = 0 if environment is None else environment.local_rank()
        return torch.device("cuda", rank % torch.cuda.device_count())


class Stage(Protocol):
    """One step of an experiment; built by Hydra from one yaml of `conf/stage`.

    Attributes:
        distributed: whether several processes may run it together, each calling `run` with the same
            folder; another stage is given one.
        disposable: whether what it leaves is of use only to the stages that build on it: it may go
            when these have their results, and is made anew when another needs it.
        evaluates: whether it is of the evaluation (a judge, predictions, scores): its seed then is
            no training seed, and where several sources are trained on (data=mix) it reads the one
            that is judged.
        can_start: whether its networks can start from the weights of another run (`init_from`):
            `run` then asks `context.start` for them.
    """

    distributed: ClassVar[bool] = False
    disposable: ClassVar[bool] = False
    evaluates: ClassVar[bool] = False
    can_start: ClassVar[bool] = False

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Look for all that `run` will need, before anything of the experiment runs.

        Quick, and writes nothing.

        Returns:
            One line about each thing that will be left out, and what would keep it.

        Raises:
            UserError: something is missing; names the option.
        """
        return ()

    def disk_bytes(self, store: MotionStore) -> int:
        """The most that it will write besides models and checkpoints."""
        return 0

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Do the work, leave what children need in `context.folder`, return the final metrics."""
        ...
