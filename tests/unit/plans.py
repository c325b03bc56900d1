"""Plans of made-up stages, for what only looks at the graph."""

from pathlib import Path

from omegaconf import OmegaConf

from launch.plans.graph import Planned
from launch.runs.ledger import Run

TARGETS = {
    "tokenizer": "motiongpt.codecs.vq_vae.stage.TokenizerStage",
    "tokens": "motiongpt.methods.motiongpt.training.tokens_stage.TokensStage",
    "pretrain": "motiongpt.methods.motiongpt.training.language_stages.PretrainStage",
}


def planned(root, stage, signature, parents=(), **settings):
    settings = {"_target_": TARGETS[stage], **settings}
    stages = {one.run.stage: dict(one.settings) for one in parents}
    own = {**settings, "parents": list(stages)}
    return Planned(
        run=Run(Path(root), stage, signature),
        settings=settings,
        parents={one.run.stage: one.run for one in parents},
        data=Path(root) / "data",
        fingerprint="f",
        config=OmegaConf.create(
            {
                "group": "test",
                "logger": {},
                "data": {"name": "test"},
                "stage": {**stages, stage: own},
            }
        ),
        needed_for=("a=1",),
    )
