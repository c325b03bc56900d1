"""A W&B run on its server, by the public functions of `wandb`: opened, told rows, asked for them.

Without Lightning, which takes longer to import than most runs take to send.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

from launch.loggers.wandb_rows import FILES, TABLE
from motiongpt.reachable import PATIENCE_SECONDS, why_unreachable

GLOBAL_STEP = "trainer/global_step"
"""Lightning's name of the optimiser step, the axis of all plots."""


def open_run(facts: Mapping[str, Any], save_dir: str, **settings: Any) -> Any:
    """The W&B run that `facts` describe, gone on with if its server has it, streamed.

    Args:
        facts: what `wandb.init` takes, with `settings` as a mapping.
        save_dir: where W&B makes its own folder `wandb`.
        settings: of `wandb.Settings`, besides.

    Raises:
        Exception: whatever W&B raises; also if it is not installed.
    """
    wandb = quiet_wandb()
    chosen = wandb.Settings(**{**facts["settings"], **settings})
    run = wandb.init(**{**facts, "settings": chosen}, dir=save_dir, mode="online")
    run.define_metric(GLOBAL_STEP)
    run.define_metric("*", step_metric=GLOBAL_STEP, step_sync=False)
    return run


def log_row(run: Any, values: Mapping[str, Any], step: int) -> None:
    """Log a row of `launch.loggers.wandb_rows`; all rows of one step are one of W&B's."""
    told = {name: _as_wandb(value) for name, value in values.items()}
    run.log({name: value for name, value in told.items() if value is not None}, step=step)


def check_arrived(run: Any, step: int) -> None:
    """Return if the server of a finished run has its rows up to W&B's `step`.

    W&B itself ends without an error after most failures.

    Raises:
        ConnectionError: it can't be asked, or has not.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    check_server(run.settings.base_url)
    while (there := _last_step(run.path)) < step:
        if time.monotonic() > deadline:
            raise ConnectionError(f"the server has the rows up to step {there} of {step}")
        time.sleep(0.5)


def _last_step(path: str) -> int:
    """W&B's step of the last row that the server has of the run `path`, -1 for none."""
    try:
        api = quiet_wandb().Api(timeout=int(PATIENCE_SECONDS))
        return int(api.run(path).lastHistoryStep)
    except Exception as error:  # W&B's, and those of what it builds on
        raise ConnectionError(f"the server does not say what it has ({error})") from error


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
    if why := why_unreachable(url):
        raise ConnectionError(f"{url} can't be reached ({why})")


def _as_wandb(value: Any) -> Any:
    """A row's value as an object of W&B's; None of files that are all gone since."""
    kind = value.get("_type") if isinstance(value, dict) else None
    if kind == TABLE:
        return quiet_wandb().Table(columns=value["columns"], data=value["data"])
    if kind == FILES:
        make = {"video": _video, "scene": _scene}[value["kind"]]
        return [make(one) for one in value["files"] if os.path.exists(one["path"])] or None
    return value


def _video(one: Mapping[str, str]) -> Any:
    ending = os.path.splitext(one["path"])[1].lstrip(".")
    return quiet_wandb().Video(one["path"], caption=one["caption"], format=ending)


def _scene(one: Mapping[str, str]) -> Any:
    return quiet_wandb().Object3D(one["path"], caption=one["caption"])
