"""The stage of MotionGPT3: a language model and a diffusion head learn a codec's latents."""

from collections.abc import Iterable, Mapping
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
from motiongpt.methods.t2m_gpt.examples import captions_of
from motiongpt.preflight import Outlook
from motiongpt.training.captioned import captioned_clips, check_captions
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class MotionGPT3Stage(Stage):
    """Leaves the trained model in `model/`, which `TrainedMotionLanguageModel.load` opens.

    Args:
        language: sizes of `TwoBranchLanguageModel`; vocabulary and latents are added.
        head: sizes of `DiffusionHead`; the widths are added.
        text_tokens: of the tokenizer that is trained on the captions.
        draws, drop_text: see `Pairs`.
        diffusion, text: weights of the losses.
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
    ) -> None:
        if not 0 <= drop_text <= 1:
            raise UserError(f"stage.{self.name}.drop_text={drop_text} must lie between 0 and 1")
        if draws < 1 or not diffusion > 0 or not text >= 0:
            raise UserError(
                f"stage.{self.name}: draws={draws}, diffusion={diffusion}, text={text}; expected 1 "
                "draw or more, a weight above 0 and one of 0 or more"
            )
        self.language, self.head = _plain(language), _plain(head)
        self.text_tokens, self.draws, self.drop_text = text_tokens, draws, drop_text
        self.weights, self.seed = (diffusion, text), seed
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
        """Encode all clips once, train and save.

        Raises:
            UserError: the parent is a codec with codes.
        """
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.methods.motiongpt3.module import MotionLanguageModule
        from motiongpt.training.fit import fit

        keep_freed_memory()
        store = context.store
        codec = TrainedLatents.load(context.parents["codec"] / MODEL, device=context.device)
        vectors, width = latent_shape(codec)
        clips = captioned_clips(self.name, context)
        tokenizer = self._text_tokenizer(context)
        latents = encoded_clips(store, codec)
        seed_everything(self.seed)
        network = MotionLanguageModel(
            {**self.language, "vocabulary": len(tokenizer), "latent_numbers": vectors * width},
            {
                **self.head,
                "latent_width": width,
                "latent_tokens": vectors,
                "hidden_width": self.language["width"],
                "hidden_tokens": self.language["hidden_tokens"],
            },
            latent_scale(latents, clips[0]),
        )
        context.start.load(network)
        end = int(tokenizer.eos_token_id)
        most = network.language.max_text - 1
        ids = {text: [*tokenizer(text)["input_ids"][:most], end] for text in captions_of(store)}
        examples = Pairs(store, latents, ids, network.scale, self.draws, self.drop_text)
        context.log(
            f"  {self.name}: {len(clips[0])} training and {len(clips[1])} validation clips, "
            f"{sum(p.numel() for p in network.parameters()):,} parameters"
        )
        if context.hardware.compile:
            compile_parts([network.language, network.head])
        module = MotionLanguageModule(network, self.weights, *self.optimization)
        metrics = fit(
            self.name,
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

    def _text_tokenizer(self, context: StageContext) -> "PreTrainedTokenizerBase":
        """That of the captions, or the one that the weights to start from know."""
        trained = context.start.folder
        if trained is not None:
            return TrainedMotionLanguageModel.load(trained).text_tokenizer
        return train_text_tokenizer(sorted(captions_of(context.store)), self.text_tokens)


def _plain(node: DictConfig) -> dict[str, Any]:
    found = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else dict(node)
    assert isinstance(found, dict)
    return {str(name): value for name, value in found.items()}
