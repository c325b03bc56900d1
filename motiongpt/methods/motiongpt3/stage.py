"""MotionGPT3's training: a language model and a diffusion head learn a codec's latents.

One stage from random weights, or the paper's three: a motion branch beside GPT-2's
frozen text branch learns text to motion, then motion to text as well, then all of it is trained.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from omegaconf import DictConfig, OmegaConf

from motiongpt.allocation import keep_freed_memory
from motiongpt.backbones.text_tokenizer import train_text_tokenizer
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.data.training_captions import write_training_captions
from motiongpt.errors import UserError
from motiongpt.methods.mld.examples import encoded_clips, latent_shape
from motiongpt.methods.motiongpt3.examples import Pairs, collate, latent_scale
from motiongpt.methods.motiongpt3.folder import TrainedMotionLanguageModel
from motiongpt.methods.motiongpt3.network import MotionLanguageModel
from motiongpt.methods.motiongpt3.published_text import check_text, fill_text_branch, read_text
from motiongpt.methods.t2m_gpt.examples import captions_of
from motiongpt.preflight import Outlook
from motiongpt.training.captioned import captioned_clips, check_captions
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext
from motiongpt.training.start import Start

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class MotionGPT3Stage(Stage):
    """Leaves the trained model in `model/`, which `TrainedMotionLanguageModel.load` opens.

    Args:
        language: sizes of `TwoBranchLanguageModel`; vocabulary and latents are added.
        head: sizes of `DiffusionHead`; the widths are added.
        text_tokens: of the tokenizer that is trained on the captions.
        draws, drop_text: see `Pairs`.
        diffusion, text: weights of the losses; without `text` no caption is told.
        source: a GPT-2 whose weights the text branch begins with, and whose sizes and tokenizer
            take the place of those above; None is random weights.
        before: the stage whose model is trained further; None makes a new one.
        frozen_text: whether the text branch stays as it is.
        head_rate: learning rate of the head; None for `learning_rate`.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.

    Raises:
        UserError: a setting that makes no sense.
    """

    distributed: ClassVar[bool] = True
    can_start: ClassVar[bool] = True
    name: ClassVar[str] = "motiongpt3"

    def __init__(
        self,
        language: DictConfig,
        head: DictConfig,
        text_tokens: int,
        draws: int,
        drop_text: float,
        diffusion: float,
        text: float,
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
        source: str | None = None,
        before: str | None = None,
        frozen_text: bool = False,
        head_rate: float | None = None,
    ) -> None:
        if not 0 <= drop_text <= 1:
            raise UserError(f"stage.{self.name}.drop_text={drop_text} must lie between 0 and 1")
        if draws < 1 or not diffusion > 0 or not text >= 0:
            raise UserError(
                f"stage.{self.name}: draws={draws}, diffusion={diffusion}, text={text}; expected 1 "
                "draw or more, a weight above 0 and one of 0 or more"
            )
        if head_rate is not None and not head_rate > 0:
            raise UserError(f"stage.{self.name}.head_rate={head_rate}: above 0, or null")
        self.source, self.before = source, before
        self.frozen_text, self.head_rate = frozen_text, head_rate
        self.language, self.head = _plain(language), _plain(head)
        self.text_tokens, self.draws, self.drop_text = text_tokens, draws, drop_text
        self.weights, self.seed = (diffusion, text), seed
        self.schedule = Schedule.of(schedule)
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Captions to learn from, and the GPT-2 to begin with.

        Raises:
            UserError: there are none, it can't be had, or a text branch of random weights would
                stay random.
        """
        if outlook.store is not None:
            check_captions(self.name, outlook.store)
        if self.before is None and outlook.init_from is None:
            self._check_text_branch()
            if self.source is not None:
                check_text(self.source)
        return ()

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Encode all clips once, train and save.

        Raises:
            UserError: the parent is a codec with codes, or the GPT-2 can't be had.
        """
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.methods.motiongpt3.module import MotionLanguageModule
        from motiongpt.training.fit import fit

        keep_freed_memory()
        if self.before is not None and context.start.folder is None:
            context = replace(context, start=Start(context.parents[self.before] / MODEL))
        store = context.store
        codec = TrainedLatents.load(context.parents["codec"] / MODEL, device=context.device)
        vectors, width = latent_shape(codec)
        clips = captioned_clips(context.stage, context)
        latents = encoded_clips(store, codec)
        seed_everything(self.seed)
        scale = latent_scale(latents, clips[0])
        network, tokenizer = self._network(context, (vectors, width), scale)
        end = int(tokenizer.eos_token_id)
        most = network.language.max_text - 1
        ids = {text: [*tokenizer(text)["input_ids"][:most], end] for text in captions_of(store)}
        examples = Pairs(store, latents, ids, network.scale, self.draws, self.drop_text)
        context.log(
            f"  {context.stage}: {len(clips[0])} training and {len(clips[1])} validation clips, "
            f"{sum(p.numel() for p in network.parameters()):,} parameters"
        )
        if context.hardware.compile:
            compile_parts([network.language, network.head])
        self._freeze(network)
        module = MotionLanguageModule(network, self.weights, *self.optimization, self.head_rate)
        metrics = fit(
            context.stage,
            module,
            examples,
            partial(collate, end=end),
            clips,
            self.schedule,
            self.seed,
            context,
        )
        if context.processes.is_first:
            lengths = np.sort(np.asarray(store.lengths)[clips[0]]).astype(np.int64)
            longest = codec.codec.longest
            lengths = lengths if longest is None else np.minimum(lengths, longest)
            trained = TrainedMotionLanguageModel(network, tokenizer, lengths)
            trained.save(context.folder / MODEL)
            write_training_captions(context.folder / MODEL, store, context.start.folder)
        return metrics

    def _network(
        self, context: StageContext, shape: tuple[int, int], scale: float
    ) -> "tuple[MotionLanguageModel, PreTrainedTokenizerBase]":
        """The network as training begins, and the tokenizer of its captions.

        Args:
            shape: (N, D) of a latent.
            scale: of the latents, of a network that is new.
        """
        vectors, width = shape
        trained = context.start.folder
        if trained is not None and (self.before is not None or self.source is not None):
            context.start.take()
            known = TrainedMotionLanguageModel.load(trained)
            return known.network.train(), known.text_tokenizer
        if trained is None:
            self._check_text_branch()
        text = None if self.source is None else read_text(self.source)
        language = {**self.language, **({} if text is None else text.sizes)}
        if trained is not None:
            tokenizer = TrainedMotionLanguageModel.load(trained).text_tokenizer
        elif text is not None:
            tokenizer = text.text_tokenizer
        else:
            tokenizer = train_text_tokenizer(sorted(captions_of(context.store)), self.text_tokens)
        network = MotionLanguageModel(
            {**language, "vocabulary": len(tokenizer), "latent_numbers": vectors * width},
            {
                **self.head,
                "latent_width": width,
                "latent_tokens": vectors,
                "hidden_width": language["width"],
                "hidden_tokens": language["hidden_tokens"],
            },
            scale,
        )
        if text is not None:
            fill_text_branch(network.language, text.weights)
        context.start.load(network)
        return network, tokenizer

    def _check_text_branch(self) -> None:
        if self.frozen_text and self.source is None:
            raise UserError(
                "motion_language.source=null: the first of MotionGPT3's three stages leaves the "
                "text branch as it is, and random weights would stay random; name a GPT-2, "
                "motion_language.source=gpt2 or a folder, or train in one stage: "
                "method=motiongpt3 without the others"
            )

    def _freeze(self, network: MotionLanguageModel) -> None:
        """What this stage does not train, or would not use: several processes ask for gradients
        of all the rest."""
        if self.frozen_text:
            for _, weights in network.language.text_branch():
                weights.requires_grad_(False)
        if not self.weights[1]:
            network.language.motion_input.requires_grad_(False)


def _plain(node: DictConfig) -> dict[str, Any]:
    found = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else dict(node)
    assert isinstance(found, dict)
    return {str(name): value for name, value in found.items()}
