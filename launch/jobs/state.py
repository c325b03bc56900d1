"""How a scheduler says that a job is."""

from dataclasses import dataclass

WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"})
AT_WORK = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "SIGNALING", "STAGE_OUT", "STOPPED"})
LIVE = WAITING | AT_WORK | {"RESIZING", "SPECIAL_EXIT"}


@dataclass(frozen=True)
class JobState:
    """What a scheduler says of one job, in SLURM's words.

    Attributes:
        state: as RUNNING.
        node: where it runs or ran, or why it waits.
        exit_code: "code:signal" of a job that has ended.
        in_queue: whether the scheduler still has it; SLURM's accounts lag some seconds behind.
    """

    state: str
    node: str = ""
    exit_code: str = ""
    in_queue: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it has yet to start, for the first time or again."""
        return self.in_queue and self.state in WAITING

    @property
    def is_live(self) -> bool:
        """Whether it runs or will run, if nobody cancels it."""
        return self.in_queue and self.state in LIVE

    @property
    def is_ending(self) -> bool:
        """Whether it is just being stopped; requeued, it will come again."""
        return self.state == "COMPLETING"

    @property
    def is_settling(self) -> bool:
        """Whether it has left the queue, and the accounts do not yet say how."""
        return not self.in_queue and self.state in LIVE

    def __str__(self) -> str:
        code = f", exit status {self.exit_code}" if self.exit_code not in ("", "0:0") else ""
        where = f" on {self.node}" if self.node and not self.is_live else ""
        return f"{self.state.lower()}{where}{code}"
