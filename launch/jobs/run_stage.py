"""Run one stage to its end in this process, as the one owner of its run folder."""

import importlib
import math
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from launch.composition.build import build
from launch.composition.declarations import stripped
from launch.jobs.lineage import recorded_lineage
from launch.loggers.stage_loggers import StageLoggers
from launch.plans.graph import GRAPH_KEYS, Planned, recorded_settings
from launch.runs.attempts import (
    Attempt,
    Superseded,
    claimed,
    first_process_folder,
    wait_for_first_process,
)
from launch.runs.code import hashes, write_code
from launch.runs.ledger import CONFIG, ERROR, LOG, damage_of
from launch.runs.sources import git_state
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError, user_error_behind
from motiongpt.files import write_json, write_text
from motiongpt.registry import OPENED
from motiongpt.training.machine import machine_of
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.start import OPTION, Start
from motiongpt.training.stopping import Interrupted, StopRequest
from motiongpt.training.threads import cpu_threads


def run_stage(
    stage: Planned, stop: StopRequest, processes: Processes | None = None, group: str = ""
) -> None:
    """Run a stage and publish its result; returns at once if it is finished.

    Waits while another process is at work on the same run. Of several processes of one job the
    first owns the run; the others work in its folder.

    Args:
        group: under which loggers show it; empty for what the configuration says.

    Raises:
        Interrupted: the process was asked to stop; the next attempt goes on from here.
        Superseded: another process took the run over, because this one was silent for long.
        Exception: whatever the stage raises, after its status and traceback were written.
    """
    processes = processes or Processes()
    if not processes.is_first:
        folder = first_process_folder(stage.run)
        if folder is not None:
            try:
                loggers = StageLoggers(stage, folder, group)
                context = context_of(stage, folder, loggers, stop, processes, _silent)
                with cpu_threads(context.hardware.threads):
                    build_stage(stage).run(context)
            except Exception:
                wait_for_first_process(folder)
                raise
        return
    with claimed(stage.run, _print) as attempt:
        if attempt is None:
            return
        try:
            _run(stage, attempt, stop, processes, group)
        except (Exception, Interrupted) as error:
            if attempt.is_superseded and not isinstance(error, Superseded):
                raise Superseded(f"{stage.run.folder}: another process took it over") from error
            raise


def _run(
    stage: Planned, attempt: Attempt, stop: StopRequest, processes: Processes, group: str
) -> None:
    write_json(attempt.folder / CONFIG, recorded_settings(stage))
    attempt.set_state(
        "running",
        stage=stage.run.stage,
        signature=stage.run.signature,
        **git_state(),
        points=list(stage.needed_for),
        fingerprint=stage.fingerprint,
        machine=asdict(machine_of(_hardware(stage), processes.world)),
    )
    loggers = StageLoggers(stage, attempt.folder, group)
    try:
        with (attempt.folder / LOG).open("a", encoding="utf-8", errors="backslashreplace") as file:

            def log(line: str) -> None:
                _print(line)
                file.write(line.strip() + "\n")
                file.flush()

            _check_parents(stage)
            context = context_of(stage, attempt.folder, loggers, stop, processes, log)
            write_json(attempt.folder / CONFIG, recorded_settings(stage, context.store))
            hashes()
            OPENED.clear()
            with cpu_threads(context.hardware.threads):
                metrics = build_stage(stage).run(context)
        _check_finite(stage, metrics)
        write_code(attempt.folder, stage.settings, OPENED)
        loggers.finish(metrics)
    except (KeyboardInterrupt, SystemExit, Interrupted) as error:  # Lightning may exit on Ctrl-C
        attempt.set_state("interrupted")
        loggers.close("interrupted")
        raise Interrupted from error
    except Exception as error:
        _record_failure(attempt, error)
        loggers.close("failed")
        raise
    attempt.publish(metrics, stage.config.logger)


def _check_parents(stage: Planned) -> None:
    """Refuse to build on files that are not what a parent left; reads all of them.

    Raises:
        UserError: names the first.
    """
    for parent in stage.parents.values():
        if said := damage_of(parent, whole=True):
            raise UserError(said)


def _check_finite(stage: Planned, metrics: Mapping[str, float]) -> None:
    """Refuse metrics that are no numbers, which no result can hold.

    Raises:
        UserError: names the first.
    """
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise UserError(
                f"stage {stage.run.stage}: its metric {name} is {value}; likely the learning rate "
                "of a stage before it, or the data: `motiongpt data verify` looks at them"
            )


def _record_failure(attempt: Attempt, error: Exception) -> None:
    said = user_error_behind(error) or f"{type(error).__name__}: {error}"
    with suppress(OSError):  # a full disk is why it failed: the scheduler's log has it then
        write_text(attempt.folder / ERROR, traceback.format_exc())
        attempt.set_state("failed", error=str(said).splitlines()[0])


def build_stage(stage: Planned):  # type: ignore[no-untyped-def]  # any class a yaml names
    """The stage object that its yaml names; nested parts are left for it to build."""
    settings = {key: value for key, value in stage.settings.items() if key not in GRAPH_KEYS}
    module = str(settings["_target_"]).rpartition(".")[0]
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(
            f"stage {stage.run.stage}: {settings['_target_']} can't be imported "
            f"({error}); mend conf/stage/{stage.run.stage}.yaml"
        ) from error
    return build(settings, f"stage.{stage.run.stage}", _recursive_=False)


def context_of(
    stage: Planned,
    folder: Path,
    loggers: StageLoggers,
    stop: StopRequest,
    processes: Processes,
    log: Callable[[str], None],
) -> StageContext:
    """What the stage may use besides its own settings."""
    start, store = start_of(stage), MotionStore.open(stage.data)
    if (statistics := start.statistics()) is not None:
        store = store.normalised_by(*statistics)
    return StageContext(
        stage=stage.run.stage,
        signature=stage.run.signature,
        folder=folder,
        parents={name: Path(run.folder) for name, run in stage.parents.items()},
        store=store,
        start=start,
        hardware=_hardware(stage),
        source=git_state(),
        lineage=lambda: recorded_lineage(stage),
        cache=Path(stage.run.root) / "cache",
        processes=processes,
        stop=stop,
        make_logger=loggers.open if processes.is_first else tuple,
        log=log,
    )


def start_of(stage: Planned) -> Start:
    """The weights that the stage starts from."""
    folder = stage.settings.get(OPTION)
    return Start(None if folder is None else Path(str(folder)))


def _hardware(stage: Planned) -> Hardware:
    return Hardware(**stripped(stage.settings.get("hardware", {})))


def _print(line: str) -> None:
    print(line, flush=True)


def _silent(line: str) -> None:
    """Only the first process speaks."""
