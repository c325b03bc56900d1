"""The stage of MDM: a denoiser learns the motion of a data set, given a text."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.data.training_captions import write_training_captions
from motiongpt.errors import UserError
from motiongpt.methods.mdm.examples import Cutting, MotionExamples, check_share, collate
from motiongpt.methods.mdm.folder import TrainedMotionDenoiser
from motiongpt.methods.mdm.losses import Losses
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.preflight import Outlook
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.text_encoders.texts import by_caption, captions_of, embedded
from motiongpt.training.cached import cached
from motiongpt.training.captioned import captioned_clips, check_captions
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext


class MDMStage(Stage):
    """Leaves the trained denoiser in `model/`, which `TrainedMotionDenoiser.load` opens.

    Args:
        denoiser: a `_partial_` node of conf/motion_denoiser; the widths of features and text are
            added.
        noise: arguments of `NoiseSchedule`.
        losses: arguments of `Losses`.
        drop_text: see `MotionExamples`.
        unit: see `Cutting`.
        average: see `MotionDiffusionModule`.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.

    Raises:
        UserError: a setting that there is not.
    """

    distributed: ClassVar[bool] = True
    can_start: ClassVar[bool] = True
    name: ClassVar[str] = "mdm"

    def __init__(
        self,
        denoiser: DictConfig,
        noise: Mapping[str, Any],
        losses: Mapping[str, Any],
        drop_text: float,
        unit: int,
        average: float | None,
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        check_share(drop_text)
        if average is not None and not 0 <= average < 1:
            raise UserError(f"stage.mdm.average={average}; expected a share below 1, or null")
        self.denoiser, self.drop_text, self.unit = denoiser, drop_text, unit
        self.average, self.seed = average, seed
        self.noise, self.losses = NoiseSchedule(**noise), Losses(**losses)
        self.schedule = Schedule.of(schedule)
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Captions to learn from."""
        if outlook.store is not None:
            check_captions(self.name, outlook.store)
        return ()

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Encode all captions once, train and save.

        Raises:
            UserError: no clips with captions, or a denoiser whose table has fewer rows than the
                diffusion has steps.
        """
        store, texts = context.store, context.parents["text_encoder"] / MODEL
        encoder = load_text_encoder(texts, context.device)
        seed_everything(self.seed)
        denoiser: MotionDenoiser = instantiate(self.denoiser)(
            n_features=store.n_features, text_width=encoder.width
        )
        context.start.load(denoiser)
        check_table(denoiser, self.noise)
        captions = captions_of(store)
        found = cached(
            "texts",
            texts,
            context,
            lambda: embedded(encoder, captions, denoiser.words),
            denoiser.words,
        )
        cutting = Cutting(denoiser.frames, self.unit, filled_up=not denoiser.hide_padding)
        examples = MotionExamples(
            store, by_caption(captions, found), cutting, self.drop_text, len(self.noise)
        )
        return self._train(denoiser, examples, context)

    def _train(
        self, denoiser: MotionDenoiser, examples: MotionExamples, context: StageContext
    ) -> dict[str, float]:
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.methods.mdm.module import MotionDiffusionModule
        from motiongpt.training.fit import fit

        store, clips = context.store, captioned_clips(self.name, context)
        context.log(
            f"  {self.name}: {len(clips[0])} training and {len(clips[1])} validation clips, "
            f"{sum(p.numel() for p in denoiser.parameters()):,} parameters"
        )
        module = MotionDiffusionModule(
            denoiser, self.noise, self.losses, self.average, *self.optimization
        )
        if context.hardware.compile:
            compile_parts([denoiser])
        lengths = np.minimum(np.asarray(store.lengths), denoiser.frames)
        metrics = fit(
            self.name, module, examples, collate, clips, self.schedule, self.seed, context, lengths
        )
        if context.processes.is_first:
            TrainedMotionDenoiser(
                module.trained, self.noise, store.mean, store.std, np.sort(lengths[clips[0]])
            ).save(context.folder / MODEL)
            write_training_captions(context.folder / MODEL, store, context.start.folder)
        return metrics


def check_table(denoiser: MotionDenoiser, noise: NoiseSchedule) -> None:
    """Refuse a table of which there is no row for each step.

    Raises:
        UserError: names both numbers.
    """
    rows = len(denoiser.table.rows)
    if rows < len(noise):
        raise UserError(
            f"motion_denoiser.positions={rows}: the diffusion has {len(noise)} steps, each needs a "
            "row"
        )
