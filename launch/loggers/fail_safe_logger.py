"""A logger around whichever the configuration names, for Lightning and for stages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger

from launch.loggers.tensorboard_media import log_films, markdown
from launch.loggers.wandb_logger import WandbStageLogger
from motiongpt.training.shown import Cell, ShownFile


class FailSafeLogger(Logger):
    """A logger that is given up, with one line, when it fails: no training ends for a log.

    Args:
        key: its name in the configuration.
        make: opens it.
    """

    def __init__(self, key: str, make: Callable[[], Logger]) -> None:
        self.key = key
        self._inner: Logger | None = None
        self.attempt(lambda: self._take(make()))

    @property
    def works(self) -> bool:
        """Whether it was opened and has not failed since."""
        return self._inner is not None

    @property
    def name(self) -> str:
        """Of the configuration."""
        return self.key

    @property
    def version(self) -> str:
        """None of its own."""
        return ""

    @property
    def save_dir(self) -> str | None:
        """Where the logger itself writes."""
        return None if self._inner is None else self._inner.save_dir

    def attempt(self, action: Callable[[], object]) -> None:
        """Do something with the logger; after a failure it is not used any more."""
        try:
            action()
        except Exception as error:
            self._inner = None
            print(
                f"  logger {self.key}: {_reason(error)}; the stage goes on without it "
                "(logger=csv or logger=none use no other package)",
                flush=True,
            )

    def use(self, action: Callable[[Logger], object]) -> None:
        """Do something with the logger unless it has failed before."""
        inner = self._inner
        if inner is not None:
            self.attempt(lambda: action(inner))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Called by Lightning, whose `epoch` is always 0 here; `train/epoch` is the true one."""
        told = {name: value for name, value in metrics.items() if name != "epoch"}
        self.use(lambda inner: inner.log_metrics(told, step))

    @property
    def shows(self) -> bool:
        """Whether films, scenes and tables are of use to it."""
        return isinstance(self._inner, WandbStageLogger | TensorBoardLogger)

    def log_files(self, name: str, files: Sequence[ShownFile], step: int | None) -> None:
        """Films or scenes, in W&B and TensorBoard."""

        def show(inner: Logger) -> None:
            if isinstance(inner, WandbStageLogger):
                inner.log_files(name, files, step)
            elif isinstance(inner, TensorBoardLogger):
                log_films(inner.experiment, name, files, step)

        self.use(show)

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """A table, in W&B and TensorBoard."""

        def show(inner: Logger) -> None:
            if isinstance(inner, WandbStageLogger):
                inner.log_table(name, columns, rows)
            elif isinstance(inner, TensorBoardLogger):
                inner.experiment.add_text(name, markdown(columns, rows))

        self.use(show)

    def log_model(self, told: Mapping[str, Any]) -> None:
        """The artifact of `launch.loggers.wandb_artifacts`, in W&B."""
        self.use(lambda one: one.log_model(told) if isinstance(one, WandbStageLogger) else None)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Called by Lightning."""
        self.use(lambda inner: inner.log_hyperparams(params, *args, **kwargs))

    def save(self) -> None:
        """Called by Lightning."""
        self.use(lambda inner: inner.save())

    def finalize(self, status: str) -> None:
        """Called by Lightning at the end of a training; the stage may log more afterwards."""
        self.use(lambda inner: inner.finalize(status))

    def close(self, status: str) -> None:
        """End it; `status` is Lightning's word: success, failed or interrupted."""
        self.finalize(status)
        self.use(lambda inner: inner.end(status) if isinstance(inner, WandbStageLogger) else None)
        self._inner = None

    def _take(self, inner: Logger) -> None:
        self._inner = inner


def _reason(error: BaseException) -> str:
    """One line: the first cause, which libraries wrap in errors of their own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).partition("\n")[0] or type(error).__name__
