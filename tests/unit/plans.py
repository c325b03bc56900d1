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
    return Planned(
        run=Run(Path(root), stage, signature),
        settings={"_target_": TARGETS[stage], **settings},
        parents={one.run.stage: one.run for one in parents},
        data=Path(root) / "data",
        fingerprint="f",
        config=OmegaConf.create({"group": "test", "logger": {}}),
        needed_for=("a=1",),
    )
