"""W&B as the logger of a stage: never asks, never waits for long, counts in optimiser steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger

from launch.loggers.wandb_artifacts import send_artifact
from launch.loggers.wandb_mode import wandb_mode
from launch.loggers.wandb_rows import (
    FILES,
    TABLE,
    Part,
    RowsFile,
    joined_rows,
    mark_sent,
    part_files,
    read_part,
    wandb_step,
)
from launch.loggers.wandb_server import (
    GLOBAL_STEP,
    check_arrived,
    check_server,
    log_row,
    open_run,
    quiet_wandb,
)
from motiongpt.training.shown import Cell, ShownFile


class WandbStageLogger(Logger):
    """All that is logged goes to a file of `launch.loggers.wandb_rows`, online to a server as well.

    The optimiser step is W&B's own step too: a run that goes on from a checkpoint goes on with that
    step. Rows of steps that its server has already are left out, and those between, which the
    attempt before had no time to send, are sent first.

    Args:
        offline: write the file alone; `motiongpt sync` uploads it later. So it is too, after one
            line, if the server can't be reached or does not know who we are. WANDB_MODE and
            WANDB_DISABLED, where they are set, say instead how to log, or that nothing is.
        save_dir: where the folder `wandb` is made.
        settings: of `wandb.Settings`.
        artifacts: log models as well, see `launch.loggers.wandb_artifacts`.
        init: what else `wandb.init` takes.

    Raises:
        UserError: WANDB_MODE has a value that W&B does not know.
        OSError: `save_dir` can't be written.
    """

    def __init__(
        self,
        offline: bool,
        save_dir: str,
        settings: Mapping[str, Any] | None = None,
        artifacts: bool = False,
        **init: Any,
    ) -> None:
        mode = wandb_mode("offline" if offline else "online")
        self._save_dir, self._name = save_dir, str(init.get("name") or "")
        facts = {**init, "settings": dict(settings or {})}
        self._earlier: list[Part] = []
        self._rows = RowsFile(None if mode == "disabled" else Path(save_dir), facts)
        self._run = _stream(save_dir, facts) if mode == "online" else None
        if self._run is not None:
            parts = filter(None, map(read_part, part_files(Path(save_dir))))
            self._earlier = [one for one in parts if one.run_id == init["id"]][:-1]
        self._artifacts, self._lacks_artifact = artifacts, False
        self._last, self._known = -1, 0 if self._run is None else self._run.step

    @property
    def name(self) -> str:
        """As W&B shows the run."""
        return self._name

    @property
    def version(self) -> str:
        """None of its own."""
        return ""

    @property
    def save_dir(self) -> str:
        """Where the folder `wandb` is."""
        return self._save_dir

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Add to the run's configuration."""
        self._rows.config(params)
        if self._run is not None:
            self._run.config.update(dict(params), allow_val_change=True)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Write one row; training and validation after the same step are one row of W&B."""
        values = dict(metrics) if step is None else {**metrics, GLOBAL_STEP: step}
        self._rows.row(values, step)
        if self._run is None:
            return
        last = self._last if step is not None else max(self._last, self._known - 1)
        self._last = wandb_step(step, last)
        self._send_earlier()
        if self._last >= self._known:  # what is below, the server has of an earlier attempt
            log_row(self._run, values, self._last)

    def _send_earlier(self) -> None:
        """Rows of earlier attempts before the first of this one, those that the server lacks."""
        for step, values in joined_rows(self._earlier).items():
            if self._known <= step < self._last:
                log_row(self._run, values, step)
        self._earlier = []

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Write a table, as a row."""
        table = {"_type": TABLE, "columns": list(columns), "data": [list(row) for row in rows]}
        self.log_metrics({name: table})

    def log_files(self, name: str, files: Sequence[ShownFile], step: int | None) -> None:
        """Write films or scenes, all of one kind, as a row; they stay where they are."""
        kind = "scene" if Path(files[0].path).suffix == ".glb" else "video"
        told = [{"path": str(Path(one.path).absolute()), "caption": one.caption} for one in files]
        self.log_metrics({name: {"_type": FILES, "kind": kind, "files": told}}, step)

    def log_model(self, told: Mapping[str, Any]) -> None:
        """Write the artifact of `wandb_artifacts.artifact_of`; a server that does not take it ends
        nothing, and gets it by `motiongpt sync`."""
        if not self._artifacts:
            return
        self._rows.artifact(told)
        if self._run is None:
            return
        try:
            send_artifact(self._run, told)
        except Exception as error:  # W&B's, and those of what it builds on
            self._lacks_artifact = True
            said = str(error).partition("\n")[0]
            print(f"  W&B: {told['name']}: {said}; `motiongpt sync` uploads it", flush=True)

    def end(self, status: str) -> None:
        """Finish the W&B run; it counts as failed unless `status` is success."""
        self._rows.end(status)
        if self._run is None:
            return
        self._run.finish(exit_code=0 if status == "success" else 1)
        try:
            check_arrived(self._run, self._last)
        except ConnectionError as error:
            print(f"  W&B: {error}; `motiongpt sync` uploads what it lacks", flush=True)
            return
        if not self._lacks_artifact:
            mark_sent(self._rows.path, self._rows.path.stat().st_size)


def _stream(save_dir: str, facts: Mapping[str, Any]) -> Any:
    """The W&B run of a server; None, after one line, if there can be none."""
    try:
        wandb = quiet_wandb()
        if wandb.run is not None:  # of a stage that could not close it
            wandb.finish(exit_code=1)
        server = wandb.setup().settings
        if server.mode != "online":  # `wandb offline` was called here
            return None
        check_server(server.base_url)
        return open_run(facts, save_dir)
    except Exception as error:
        said = str(error).partition("\n")[0]
        print(f"  W&B: {said}; logs offline, `motiongpt sync` uploads it", flush=True)
        return None
