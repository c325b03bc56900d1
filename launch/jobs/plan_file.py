"""A planned stage as a file, for the job that runs it."""

import json
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from launch.plans.graph import Planned
from launch.runs.ledger import Run
from motiongpt.errors import UserError
from motiongpt.files import read_json


def planned_as_json(stage: Planned) -> str:
    """Text of the file. Paths are absolute, whatever folder the job starts in."""
    return json.dumps(
        {
            "root": str(Path(stage.run.root).resolve()),
            "stage": stage.run.stage,
            "signature": stage.run.signature,
            "settings": stage.settings,
            "parents": {name: run.signature for name, run in stage.parents.items()},
            "data": str(Path(stage.data).resolve()),
            "fingerprint": stage.fingerprint,
            "config": stage.plain_config,
            "needed_for": list(stage.needed_for),
        }
    )


def read_planned(path: Path) -> Planned:
    """The stage that `planned_as_json` wrote.

    Raises:
        UserError: no such file, or a broken one.
    """
    found = read_json(path, None)
    if found is None:
        raise UserError(f"{path}: no such file; submit the sweep again")
    root = Path(found["root"])
    config = OmegaConf.create(found["config"])
    assert isinstance(config, DictConfig)
    OmegaConf.set_readonly(config, True)
    return Planned(
        run=Run(root, found["stage"], found["signature"]),
        settings=found["settings"],
        parents={name: Run(root, name, one) for name, one in found["parents"].items()},
        data=Path(found["data"]),
        fingerprint=found["fingerprint"],
        config=config,
        needed_for=tuple(found["needed_for"]),
    )
