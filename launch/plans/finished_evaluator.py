"""The plan of a card for an evaluator that is finished already, from what its run recorded."""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from launch.composition.compose import compose_config
from launch.composition.overrides import CONF
from launch.plans.graph import Planned, plan_experiment
from launch.runs.ledger import RUNS, Run, find_run
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

EVALUATOR, CLASSIFIER, CARD = "evaluator", "classifier", "card"


def plan_of_evaluator(words: str) -> list[Planned]:
    """Stages of the card of one run.

    The evaluator is the run's, on its data. The judge of actions and the card are as they were
    recorded with it, or as conf/stage has them today where that is another version.

    Args:
        words: the run's folder, or the beginning of its signature below the usual root.

    Raises:
        UserError: no such run, one of another stage, or its data has changed or is gone.
    """
    run = _run(words)
    if run.stage != EVALUATOR:
        raise UserError(f"{words}: a run of the stage {run.stage}; name one of {EVALUATOR}")
    if not run.is_finished:
        raise UserError(f"{words}: the run is {run.state}; `motiongpt run` finishes it first")
    record = run.config
    data = Path(str(record.get("data", {}).get("folder", "")))
    store = MotionStore.open(data)
    if store.fingerprint != record["data"].get("fingerprint"):
        raise UserError(f"{words}: the data in {data} is no longer what it was trained on")
    config = _config(record["config"], run.root)
    plan = plan_experiment(config, data, store.fingerprint, words)
    mine = next(stage for stage in plan if stage.run.stage == EVALUATOR)
    if mine.run.signature != run.signature:
        raise UserError(
            f"{words}: made by a version whose settings today's code signs otherwise; train it "
            "again: motiongpt evaluators card with the overrides of its experiment"
        )
    return plan


def _run(words: str) -> Run:
    folder = Path(words)
    if folder.is_dir() and folder.resolve().parts[-3:-2] == (RUNS,):
        folder = folder.resolve()
        return Run(folder.parents[2], folder.parent.name, folder.name)
    return find_run(Path(compose_config().paths.root), words)


def _config(recorded: dict, root: Path) -> DictConfig:
    """The recorded configuration, with today's yaml of stages that have changed since."""
    config = OmegaConf.create(recorded)
    assert isinstance(config, DictConfig)
    for name in (CLASSIFIER, CARD):
        today = OmegaConf.load(CONF / "stage" / f"{name}.yaml")
        if OmegaConf.select(config, f"stage.{name}.version") != today.version:
            config.stage[name] = today
    config.goal, config.paths.root = CARD, str(root)
    OmegaConf.resolve(config)
    return config
