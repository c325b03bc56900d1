"""The stage of MLD: a denoiser learns the latents of a trained codec, given a text."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.data.store import MotionStore
from motiongpt.data.training_captions import write_training_captions
from motiongpt.methods.mld.examples import (
    LatentExamples,
    check_choices,
    collate,
    embedded_captions,
    encoded_clips,
    latent_shape,
)
from motiongpt.methods.mld.folder import TrainedDenoiser
from motiongpt.methods.mld.schedule import NoiseSchedule
from motiongpt.preflight import Outlook
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.training.captioned import captioned_clips, check_captions
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext


class MLDStage(Stage):
    """Leaves the trained denoiser in `model/`, which `TrainedDenoiser.load` opens.

    Args:
        denoiser: a `_partial_` node of conf/denoiser; the widths of codec and text are added.
        noise: arguments of `NoiseSchedule`.
        latent, drop_text: see `LatentExamples`.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.

    Raises:
        UserError: a setting that there is not.
    """

    distributed: ClassVar[bool] = True
    can_start: ClassVar[bool] = True
    name: ClassVar[str] = "mld"

    def __init__(
        self,
        denoiser: DictConfig,
        noise: Mapping[str, Any],
        latent: str,
        drop_text: float,
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        check_choices(latent, drop_text)
        self.denoiser, self.latent, self.drop_text, self.seed = denoiser, latent, drop_text, seed
        self.noise = NoiseSchedule(**noise)
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
        """Encode all clips and captions once, train and save.

        Raises:
            UserError: the parent is a codec with codes.
        """
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.methods.mld.module import LatentDiffusionModule
        from motiongpt.training.fit import fit

        keep_freed_memory()
        store, parents = context.store, context.parents
        codec = TrainedLatents.load(parents["codec"] / MODEL, device=context.device)
        encoder = load_text_encoder(parents["text_encoder"] / MODEL, context.device)
        latent_tokens, width = latent_shape(codec)
        seed_everything(self.seed)
        denoiser = instantiate(self.denoiser)(
            latent_tokens=latent_tokens, width=width, text_width=encoder.width
        )
        context.start.load(denoiser)
        texts, row_of = embedded_captions(store, encoder)
        examples = LatentExamples(
            store,
            encoded_clips(store, codec),
            texts,
            row_of,
            self.latent,
            self.drop_text,
            self.noise.steps,
        )
        clips = captioned_clips(self.name, context)
        context.log(
            f"  {self.name}: {len(clips[0])} training and {len(clips[1])} validation clips, "
            f"{sum(p.numel() for p in denoiser.parameters()):,} parameters"
        )
        if context.hardware.compile:
            compile_parts([denoiser])
        module = LatentDiffusionModule(
            denoiser, self.noise, encoder.encode([""])[0].cpu(), *self.optimization
        )
        metrics = fit(
            self.name, module, examples, collate, clips, self.schedule, self.seed, context
        )
        if context.processes.is_first:
            lengths = training_lengths(store, clips[0], codec.codec.longest)
            TrainedDenoiser(denoiser, self.noise, lengths).save(context.folder / MODEL)
            write_training_captions(context.folder / MODEL, store, context.start.folder)
        return metrics


def training_lengths(store: MotionStore, clips: np.ndarray, longest: int | None) -> np.ndarray:
    """Frames (C,) of clips as the codec read them, ascending."""
    lengths = np.sort(np.asarray(store.lengths)[clips])
    return lengths if longest is None else np.minimum(lengths, longest)
