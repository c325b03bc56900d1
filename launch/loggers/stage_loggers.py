"""Experiment loggers of one stage: W&B, TensorBoard or CSV, as `logger=` says."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from omegaconf import DictConfig, OmegaConf

from launch.composition.build import build
from launch.loggers.naming import logged_settings, run_id, run_name, tags
from launch.loggers.tensorboard_media import log_films, markdown
from launch.loggers.wandb_logger import WandbStageLogger
from launch.plans.graph import Planned
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


class StageLoggers:
    """Opened when first asked for, closed with the final metrics when the stage ends.

    Args:
        stage: what runs.
        folder: where it writes.
        group: under which loggers show it; empty for what the configuration says.
    """

    def __init__(self, stage: Planned, folder: Path, group: str = "") -> None:
        self.stage, self.folder = stage, folder
        self.group = group or str(stage.config.group)
        self._open: list[FailSafeLogger] | None = None

    def open(self) -> Sequence[Logger]:
        """The loggers that the configuration names, with the whole configuration in them."""
        if self._open is None:
            self._open = open_loggers(self.stage.config, self._facts())
            settings = logged_settings(self.stage)
            for logger in self._open:
                logger.log_hyperparams(settings)
        return [logger for logger in self._open if logger.works]

    def finish(self, metrics: Mapping[str, float]) -> None:
        """Log the final metrics and close: the next stage of this process is a run of its own."""
        for logger in self.open():
            logger.log_metrics({f"final/{name}": value for name, value in metrics.items()})
        self.close("success")

    def close(self, status: str) -> None:
        """Close what is open; `status` is Lightning's word: success, failed or interrupted."""
        for logger in self._open or ():
            logger.close(status)
        self._open = None

    def _facts(self) -> dict[str, Any]:
        run = self.stage.run
        return {
            "folder": str(self.folder),
            "attempt": self.folder.name,
            "stage": run.stage,
            "signature": run.signature,
            "run_name": run_name(self.stage),
            "run_id": run_id(run),
            "group": self.group,
            "tags": tags(self.stage),
        }


def open_loggers(config: DictConfig, facts: Mapping[str, Any]) -> list[FailSafeLogger]:
    """The loggers that `config.logger` names.

    Args:
        facts: what `<names in brackets>` stand for.
    """

    def make(node: Any) -> Logger:
        settings = _fill(OmegaConf.to_container(node, resolve=True), facts)
        logger: Logger = build(settings, _convert_="all")
        return logger

    return [
        FailSafeLogger(str(key), lambda node=node: make(node))  # type: ignore[misc]
        for key, node in config.logger.items()
    ]


def _fill(value: Any, facts: Mapping[str, Any]) -> Any:
    """Replace `<name>` by the fact of that name, at any depth: what only a running stage knows."""
    if isinstance(value, dict):
        return {key: _fill(part, facts) for key, part in value.items()}
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return facts.get(value[1:-1], value)
    return value


def _reason(error: BaseException) -> str:
    """One line: the first cause, which libraries wrap in errors of their own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).partition("\n")[0] or type(error).__name__
