"""The two stages of TM2T: codes into words first, then words into codes and the way back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.encoded_clips import codes_by_clip, encoded_clips
from motiongpt.data.training_captions import write_training_captions
from motiongpt.errors import UserError
from motiongpt.methods.tm2t.examples import Pairs
from motiongpt.methods.tm2t.folder import TrainedToText, save_to_motion
from motiongpt.methods.tm2t.rows import Forcing, check_shares
from motiongpt.methods.tm2t.vocabulary import Vocabulary
from motiongpt.preflight import Outlook
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.text_encoders.texts import by_caption, captions_of, embedded
from motiongpt.training.cached import cached
from motiongpt.training.captioned import captioned_clips, check_captions
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext

if TYPE_CHECKING:
    from motiongpt.methods.tm2t.modules import TranslationModule


class TM2TStage(Stage):
    """What both stages share.

    Args:
        codebook_size: codes of the motion tokenizer.
        most_codes: longer clips are cut there.
        most_words: longer captions are cut there.
        drop_probability: how often a clip loses its first or last code.
        summed: see `TranslationModule`.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.

    Raises:
        UserError: a setting that there is not.
    """

    distributed: ClassVar[bool] = True
    can_start: ClassVar[bool] = True
    name: ClassVar[str]

    def __init__(
        self,
        codebook_size: int,
        most_codes: int,
        most_words: int,
        drop_probability: float,
        summed: bool,
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        check_shares(self.name, drop_probability=drop_probability)
        for option, value in (("most_codes", most_codes), ("most_words", most_words)):
            if value < 1:
                raise UserError(f"stage.{self.name}.{option}={value}; expected 1 or more")
        self.codebook_size, self.most_codes, self.most_words = codebook_size, most_codes, most_words
        self.drop_probability, self.summed, self.seed = drop_probability, summed, seed
        self.schedule = Schedule.of(schedule)
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Captions to learn from."""
        if outlook.store is not None:
            check_captions(self.name, outlook.store)
        return ()

    @abstractmethod
    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train and save."""

    def codes(self, context: StageContext) -> dict[int, np.ndarray]:
        """Clip index -> codes, made once for all runs on one tokenizer.

        Raises:
            UserError: a clip is shorter than one token, or the tokenizer has another codebook.
        """
        folder, store = context.parents["tokenizer"] / MODEL, context.store
        tokenizer = TrainedTokenizer.load(
            folder, codebook_size=self.codebook_size, device=context.device
        )
        encoded = cached(
            "codes",
            folder,
            context,
            lambda: encoded_clips(store, tokenizer, self.most_codes),
            self.most_codes,
        )
        return codes_by_clip(store, encoded)

    def fit(
        self, module: TranslationModule, pairs: Pairs, context: StageContext
    ) -> dict[str, float]:
        """The metrics of the last validation."""
        from motiongpt.training.fit import fit  # as `run`

        clips = captioned_clips(self.name, context)
        count = sum(parameter.numel() for parameter in module.network.parameters())
        context.log(
            f"  {self.name}: {len(clips[0])} training and {len(clips[1])} validation clips, "
            f"{count:,} parameters"
        )
        if context.hardware.compile:
            context.log(f"  {self.name}: rows are read id by id; nothing is compiled")
        return fit(
            self.name,
            module,
            pairs,
            pairs.collate,
            clips,
            self.schedule,
            self.seed,
            context,
            pairs.counts(),
        )


class ToTextStage(TM2TStage):
    """Leaves codes into words in `model/`, which `TrainedToText.load` opens.

    Args:
        translator: a `_partial_` node of conf/translator; vocabularies are added.
        fewest: a word that occurs less often in the captions of training is unknown.
        smoothing: see `token_losses`.
        settings: see `TM2TStage`.
    """

    name: ClassVar[str] = "tm2t_to_text"

    def __init__(
        self, translator: DictConfig, fewest: int, smoothing: float, **settings: Any
    ) -> None:
        super().__init__(**settings)
        check_shares(self.name, smoothing=smoothing)
        self.translator, self.fewest, self.smoothing = translator, fewest, smoothing

    def run(self, context: StageContext) -> Mapping[str, float]:
        """See `TM2TStage`."""
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.methods.tm2t.modules import ToTextModule

        store = context.store
        vocabulary = self._vocabulary(context)
        seed_everything(self.seed)
        network = instantiate(self.translator)(
            source=self.codebook_size + 3, target=len(vocabulary)
        )
        context.start.load(network)
        codes = self.codes(context)
        pairs = Pairs(
            store, codes, self.codebook_size, vocabulary, self.most_words, self.drop_probability
        )
        pad = vocabulary.marks.pad
        module = ToTextModule(
            network, self.codebook_size, pad, self.smoothing, self.summed, *self.optimization
        )
        metrics = self.fit(module, pairs, context)
        if context.processes.is_first:
            TrainedToText(network, vocabulary).save(context.folder / MODEL)
        return metrics

    def _vocabulary(self, context: StageContext) -> Vocabulary:
        """Words of the training captions, or those that the weights to start from know."""
        store, trained = context.store, context.start.folder
        if trained is not None:
            return TrainedToText.load(trained).vocabulary
        train = (int(index) for index in store.indices("train"))
        captions = (one.text for index in train for one in store.captions(index))
        return Vocabulary.of(captions, self.fewest)


class ToMotionStage(TM2TStage):
    """Leaves words into codes in `model/`, which `load_to_motion` opens.

    Args:
        recurrent: a `_partial_` node of conf/recurrent; widths of text and codes are added.
        forcing: arguments of `Forcing`.
        inverse: weight of the way back.
        drawn_codes: codes that are drawn on the way back.
        settings: see `TM2TStage`.
    """

    name: ClassVar[str] = "tm2t"

    def __init__(
        self,
        recurrent: DictConfig,
        forcing: Mapping[str, float],
        inverse: float,
        drawn_codes: int,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        check_shares(self.name, first=forcing["first"], last=forcing["last"])
        if not inverse >= 0 or drawn_codes < 1:
            raise UserError(
                f"stage.{self.name}: inverse={inverse}, drawn_codes={drawn_codes}; expected a "
                "weight of 0 or more, and 1 code or more"
            )
        self.recurrent, self.forcing = recurrent, Forcing(**forcing)
        self.inverse, self.drawn_codes = inverse, drawn_codes

    def run(self, context: StageContext) -> Mapping[str, float]:
        """See `TM2TStage`.

        Raises:
            UserError: also where the translator knows other codes.
        """
        from motiongpt.methods.tm2t.modules import ToMotionModule  # as `ToTextStage.run`

        store, parents = context.store, context.parents
        trained = TrainedToText.load(parents["tm2t_to_text"] / MODEL, context.device)
        if trained.codebook_size != self.codebook_size:
            raise UserError(
                f"stage {self.name}: codes into words were trained for {trained.codebook_size} "
                f"codes, the tokenizer has {self.codebook_size}"
            )
        encoder = load_text_encoder(parents["text_encoder"] / MODEL, context.device)
        seed_everything(self.seed)
        network = instantiate(self.recurrent)(
            text_width=encoder.width, codes=self.codebook_size + 3
        )
        context.start.load(network)
        captions = captions_of(store)
        found = cached(
            "texts",
            parents["text_encoder"] / MODEL,
            context,
            lambda: embedded(encoder, captions, words=True),
            True,
        )
        pairs = Pairs(
            store,
            self.codes(context),
            self.codebook_size,
            trained.vocabulary,
            self.most_words,
            self.drop_probability,
            by_caption(captions, found),
            self.drawn_codes if self.inverse else 0,
        )
        module = ToMotionModule(
            network,
            trained.network,
            self.codebook_size,
            trained.vocabulary.marks.pad,
            self.forcing,
            self.inverse,
            self.seed,
            self.summed,
            *self.optimization,
        )
        metrics = self.fit(module, pairs, context)
        if context.processes.is_first:
            save_to_motion(network, context.folder / MODEL)
            write_training_captions(context.folder / MODEL, store, context.start.folder)
        return metrics
