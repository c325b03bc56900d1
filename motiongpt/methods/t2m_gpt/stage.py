"""The stage of T2M-GPT: a transformer learns the codes of a trained tokenizer, given a text."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.encoded_clips import codes_by_clip, encoded_clips
from motiongpt.data.training_captions import write_training_captions
from motiongpt.errors import UserError
from motiongpt.methods.t2m_gpt.examples import (
    Augmentation,
    CodeExamples,
    captions_of,
    embedded_captions,
)
from motiongpt.methods.t2m_gpt.folder import save_transformer
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.rows import collate
from motiongpt.preflight import Outlook
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.training.cached import cached
from motiongpt.training.captioned import captioned_clips, check_captions
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext


class T2MGPTStage(Stage):
    """Leaves the trained transformer in `model/`, which `load_transformer` opens.

    Args:
        transformer: a `_partial_` node of conf/transformer; codebook size and text width are added.
        codebook_size: codes of the motion tokenizer.
        keep_probability, drop_probability: see `Augmentation`.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.

    Raises:
        UserError: a probability that is none.
    """

    distributed: ClassVar[bool] = True
    can_start: ClassVar[bool] = True
    name: ClassVar[str] = "t2m_gpt"

    def __init__(
        self,
        transformer: DictConfig,
        codebook_size: int,
        keep_probability: float,
        drop_probability: float,
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        shares = {"keep_probability": keep_probability, "drop_probability": drop_probability}
        for option, value in shares.items():
            if not 0 <= value <= 1:
                raise UserError(f"stage.{self.name}.{option}={value} must lie between 0 and 1")
        self.augmentation = Augmentation(**shares)
        self.transformer, self.codebook_size, self.seed = transformer, codebook_size, seed
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
        """Train and save.

        Raises:
            UserError: a clip is shorter than one token, or the tokenizer has another codebook.
        """
        keep_freed_memory()
        parents = {name: context.parents[name] / MODEL for name in ("tokenizer", "text_encoder")}
        tokenizer = TrainedTokenizer.load(
            parents["tokenizer"], codebook_size=self.codebook_size, device=context.device
        )
        encoder = load_text_encoder(parents["text_encoder"], context.device)
        seed_everything(self.seed)
        network: CodeTransformer = instantiate(self.transformer)(
            codebook_size=self.codebook_size, text_width=encoder.width
        )
        context.start.load(network)
        store, captions = context.store, captions_of(context.store)
        encoded = cached(
            "codes",
            parents["tokenizer"],
            context,
            lambda: encoded_clips(store, tokenizer, network.max_codes),
            network.max_codes,
        )
        embedded = cached(
            "captions",
            parents["text_encoder"],
            context,
            lambda: embedded_captions(list(captions), encoder.encode),
        )
        examples = CodeExamples(
            store,
            codes_by_clip(store, encoded),
            embedded["texts"],
            captions,
            self.codebook_size,
            self.augmentation,
        )
        return self._train(network, examples, context)

    def _train(
        self, network: CodeTransformer, examples: CodeExamples, context: StageContext
    ) -> dict[str, Any]:
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.methods.t2m_gpt.module import CodeTransformerModule
        from motiongpt.training.fit import fit

        clips = captioned_clips(self.name, context)
        context.log(
            f"  {self.name}: {len(clips[0])} training and {len(clips[1])} validation clips, "
            f"{sum(p.numel() for p in network.parameters()):,} parameters"
        )
        if context.hardware.compile:
            compile_parts([network])
        metrics = fit(
            self.name,
            CodeTransformerModule(network, *self.optimization),
            examples,
            partial(collate, stop=network.stop, pad=network.pad),
            clips,
            self.schedule,
            self.seed,
            context,
            examples.counts(),
        )
        if context.processes.is_first:
            save_transformer(network, context.folder / MODEL)
            write_training_captions(context.folder / MODEL, context.store, context.start.folder)
        return metrics
