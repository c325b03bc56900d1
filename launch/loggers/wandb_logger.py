"""W&B as the logger of a stage: never asks, never waits for long, counts in optimiser steps."""

import json
import math
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import WandbLogger

GLOBAL_STEP = "trainer/global_step"
"""Lightning's name of the optimiser step, the axis of all plots."""
ROWS = "rows.jsonl"
"""Beside W&B's own file: the rows again. W&B has up to 32 KiB of them in memory, some fifty, which
are lost when the node is."""
PATIENCE_SECONDS = 10.0


class WandbStageLogger(WandbLogger):
    """Lightning's logger, with the optimiser step as W&B's own step too.

    So a run that goes on from a checkpoint goes on with that step: a server that has seen it
    already keeps the first of the two equal rows, and `launch.loggers.wandb_parts` finds them in
    files.
    Every row is written at once; by itself W&B holds a row back until the next step.

    Args:
        offline: write below `save_dir` alone; `motiongpt sync` uploads it later. So it is too,
            after one line, if the server can't be reached or does not know who we are.
        save_dir: where W&B makes its folder `wandb`.
        settings: of `wandb.Settings`.
        init: what else `wandb.init` takes.

    Raises:
        Exception: whatever W&B raises; also if it is not installed.
    """

    def __init__(
        self,
        offline: bool,
        save_dir: str,
        settings: Mapping[str, Any] | None = None,
        **init: Any,
    ) -> None:
        run = _open(offline, {"dir": save_dir, **init}, dict(settings or {}))
        super().__init__(save_dir=save_dir, project=run.project, experiment=run)
        run.define_metric(GLOBAL_STEP)
        run.define_metric("*", step_metric=GLOBAL_STEP, step_sync=False)
        self._step, self._started = -1, time.time()
        self._rows = (Path(run.dir).parent / ROWS).open("a", buffering=1)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Write one row of the history.

        Training and validation log after the same step, one after the other: the second row takes
        the next of W&B's steps, its `trainer/global_step` stays.
        """
        if step is None:
            self.experiment.log(dict(metrics))
            return
        self._step = max(step, self._step + 1)
        row = {**metrics, GLOBAL_STEP: step}
        self.experiment.log(row, step=self._step, commit=True)
        now = time.time()
        row |= {"_step": self._step, "_timestamp": now, "_runtime": now - self._started}
        self._rows.write(json.dumps({key: _plain(value) for key, value in row.items()}) + "\n")

    def end(self, status: str) -> None:
        """Finish the W&B run; it counts as failed unless `status` is success."""
        self._rows.close()
        run = self.experiment
        run.finish(exit_code=0 if status == "success" else 1)
        if not run.offline:
            try:
                check_server(run.settings.base_url)
            except ConnectionError as error:
                offline = Path(run.dir).parent.name
                print(f"  W&B: {error}; what it lacks: wandb sync {offline}", flush=True)


def quiet_wandb() -> Any:
    """The module `wandb`, so that it does not ask for a key: a job has nobody to answer.

    Raises:
        ImportError: it is not installed.
    """
    os.environ["WANDB_SILENT"] = "true"  # read when it is first used
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # to its makers; offline means offline
    import wandb

    return wandb


def check_server(url: str) -> None:
    """Return if anything answers at `url`.

    Raises:
        ConnectionError: nothing does.
    """
    try:
        urllib.request.urlopen(url, timeout=PATIENCE_SECONDS).close()
    except urllib.error.HTTPError:
        pass  # it answers
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return  # so does this one; W&B has certificates of its own
        raise ConnectionError(f"{url} can't be reached ({reason})") from error


def _plain(value: Any) -> Any:
    """As W&B keeps it: JSON has no word for what is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value).replace("nan", "NaN").replace("inf", "Infinity")
    return value


def _open(offline: bool, init: dict[str, Any], settings: dict[str, Any]) -> Any:
    """The W&B run."""
    wandb = quiet_wandb()
    if wandb.run is not None:  # of a stage that could not close it
        wandb.finish(exit_code=1)
    if not offline:
        try:
            server = wandb.setup().settings
            if server.mode == "online":  # WANDB_MODE may say otherwise
                check_server(server.base_url)
            return wandb.init(**init, settings=wandb.Settings(**settings))
        except Exception as error:
            said = str(error).partition("\n")[0]
            print(f"  W&B: {said}; logs offline, `motiongpt sync` uploads it", flush=True)
    resume = {"resume": None}  # only a server can; W&B would warn
    return wandb.init(**{**init, **resume}, mode="offline", settings=wandb.Settings(**settings))
