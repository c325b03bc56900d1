"""Experiment loggers of one stage: W&B, TensorBoard or CSV, as `logger=` says."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from launch.composition.build import build
from launch.composition.signatures import digest
from launch.loggers.wandb_logger import WandbStageLogger
from launch.plans.graph import Planned, recorded_settings
from launch.runs.ledger import Run
from launch.runs.sources import git_state

LONGEST_TAG = 64
"""Letters, as W&B takes them."""
MOST_POINTS = 20
"""Sweep points that a run names among its tags; its configuration names all."""


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
        """Called by Lightning."""
        self.use(lambda inner: inner.log_metrics(dict(metrics), step))

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
            "run_name": short_name(run),
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


def logged_settings(stage: Planned) -> dict[str, Any]:
    """What loggers keep as the run's configuration: all that the run folder keeps, and links."""
    return {
        **recorded_settings(stage),
        **git_state(),
        "parent_runs": {name: run_id(run) for name, run in stage.parents.items()},
        "points": list(stage.needed_for),
    }


def tags(stage: Planned) -> list[str]:
    """The stage, the data, the parents, each override of the sweep points, and the points."""
    words = [word for point in stage.needed_for for word in point.split()]
    parents = [f"parent:{short_name(run)}" for run in stage.parents.values()]
    points = [f"point:{point}" for point in stage.needed_for if len(point.split()) > 1]
    if len(points) > MOST_POINTS:
        points = []
    data = str(stage.config.data.name)
    found = [stage.run.stage, data, *parents, *words, *points]
    return list(dict.fromkeys(_shortened(tag) for tag in found if tag))


def short_name(run: Run) -> str:
    """As a person reads it, and as children's tags name it."""
    return f"{run.stage}-{run.signature[:8]}"


def run_id(run: Run) -> str:
    """The same for all attempts: a resumed stage goes on with its W&B run."""
    return f"{run.stage}-{run.signature}"


def _shortened(tag: str) -> str:
    """Long tags that differ stay different."""
    return tag if len(tag) <= LONGEST_TAG else f"{tag[: LONGEST_TAG - 9]}~{digest(tag)[:8]}"


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
