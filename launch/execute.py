"""Run a plan in this process: what is finished is skipped, the rest runs in order."""

import importlib
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import OmegaConf

from launch.graph import Planned, recorded_settings
from launch.ledger import CONFIG, finished_metrics
from launch.loggers import StageLoggers
from launch.sources import git_state
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError, user_error_behind
from motiongpt.files import write_json, write_text
from motiongpt.training.stage import Hardware, StageContext

# Keys of a stage's yaml that the graph reads; the stage itself does not get them.
GRAPH_KEYS = ("parents", "version", "hardware")


def execute(plan: Sequence[Planned]) -> dict[str, str]:
    """Run every unfinished stage, parents first.

    A stage that fails does not stop the others; its children are not started.

    Returns:
        Signature -> one line on what went wrong, empty where all went well.
    """
    failed: dict[str, str] = {}
    for place, stage in enumerate(plan, start=1):
        name = f"[{place}/{len(plan)}] {stage.run.stage} {stage.run.signature}"
        broken = [parent.stage for parent in stage.parents.values() if parent.signature in failed]
        if broken:
            failed[stage.run.signature] = f"not started: {broken[0]} failed"
            print(f"{name}: not started, because {broken[0]} failed", flush=True)
        elif stage.finished:
            print(f"{name}: reused", flush=True)
        else:
            print(
                f"{name}: {'goes on' if stage.run.state == 'interrupted' else 'starts'}", flush=True
            )
            started = time.monotonic()
            try:
                run_stage(stage)
            except Exception as error:  # the log has the traceback; other points still run
                said = user_error_behind(error) or f"{type(error).__name__}: {error}"
                failed[stage.run.signature] = str(said)
                print(
                    f"{name}: failed: {said}\n  traceback: {stage.run.folder / 'error.txt'}",
                    flush=True,
                )
            else:
                print(f"{name}: finished in {time.monotonic() - started:.0f} s", flush=True)
    return failed


def run_stage(stage: Planned) -> None:
    """Run one stage to its end and record it.

    Raises:
        UserError: the run folder is being written by another process.
        Exception: whatever the stage raises, after its status and traceback were written.
    """
    run = stage.run
    with run.locked():
        if run.state == "finished":  # another process finished it while we waited
            return
        write_json(run.folder / CONFIG, recorded_settings(stage))
        run.set_state(
            "running",
            stage=run.stage,
            signature=run.signature,
            **git_state(),
            started=run.status.get("started", round(time.time(), 3)),
            points=list(stage.needed_for),
            fingerprint=stage.fingerprint,
        )
        loggers = StageLoggers(stage)
        try:
            metrics = build_stage(stage).run(context_of(stage, loggers))
            loggers.finish(metrics)
        except (KeyboardInterrupt, SystemExit) as error:  # Lightning exits on Ctrl-C and SIGTERM
            run.set_state("interrupted")
            loggers.close("interrupted")
            raise KeyboardInterrupt from error
        except BaseException as error:
            write_text(run.folder / "error.txt", traceback.format_exc())
            said = user_error_behind(error) or f"{type(error).__name__}: {error}"
            run.set_state("failed", error=str(said).splitlines()[0])
            loggers.close("failed")
            raise
        finished_metrics(run, metrics)


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
    return instantiate(OmegaConf.create(settings), _recursive_=False)


def context_of(stage: Planned, loggers: StageLoggers) -> StageContext:
    """What the stage may use besides its own settings."""
    parents = {name: Path(run.folder) for name, run in stage.parents.items()}
    hardware = Hardware(**stage.settings.get("hardware", {}))
    return StageContext(
        folder=stage.run.folder,
        parents=parents,
        store=MotionStore.open(stage.data),
        hardware=hardware,
        source=git_state(),
        cache=stage.run.folder.parents[2] / "cache",
        make_logger=loggers.open,
        say=lambda line: print(line, flush=True),
    )
