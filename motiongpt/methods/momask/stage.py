"""The stages of MoMask: what learns the codes of a trained residual tokenizer, given a text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.window_batch import check_tokens
from motiongpt.data.store import MotionStore
from motiongpt.data.training_captions import write_training_captions
from motiongpt.errors import UserError
from motiongpt.methods.momask.examples import (
    CodeExamples,
    LengthExamples,
    MaskedExamples,
    ResidualExamples,
    collate_lengths,
    collate_masked,
    collate_residual,
)
from motiongpt.methods.momask.folder import MoMaskNetwork, save_network
from motiongpt.methods.momask.masking import EARLY, UNIFORM, masking_by_name
from motiongpt.methods.t2m_gpt.examples import captions_of, embedded_captions, trained_clips
from motiongpt.preflight import Outlook
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.training.cached import cached
from motiongpt.training.captioned import captioned_clips, check_captions
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext

if TYPE_CHECKING:
    from motiongpt.methods.momask.modules import TokenModule

TOKENIZER, TEXT_ENCODER = "residual_tokenizer", "text_encoder"


class MoMaskStage(Stage):
    """Leaves a trained network in `model/`, which `load_network` opens.

    Args:
        network: a `_partial_` node; what it must have of codec and text encoder is added.
        codebooks: of the residual tokenizer, 2 or more.
        drop_text: how often training hides a caption, for the guidance.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.

    Raises:
        UserError: a share that is none, or a single codebook.
    """

    distributed: ClassVar[bool] = True
    can_start: ClassVar[bool] = True
    name: ClassVar[str]

    def __init__(
        self,
        network: DictConfig,
        codebooks: int,
        drop_text: float,
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        if not 0 <= drop_text <= 1:
            raise UserError(f"stage.{self.name}.drop_text={drop_text} must lie between 0 and 1")
        if codebooks < 2:
            raise UserError(
                f"residual_tokenizer.codebooks={codebooks}: MoMask predicts one codebook after the "
                "other; have 2 or more"
            )
        self.network, self.codebooks = network, codebooks
        self.drop_text, self.seed = drop_text, seed
        self.schedule = Schedule.of(schedule)
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    @abstractmethod
    def parts(
        self, codec: TrainedTokenizer, text_width: int
    ) -> tuple[MoMaskNetwork, type[TokenModule], Callable[..., CodeExamples], Callable[..., Any]]:
        """Network, its module, what makes its examples, and what makes batches of them."""

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Captions to learn from."""
        if outlook.store is not None:
            check_captions(self.name, outlook.store)
        return ()

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Encode all clips and captions once, train and save.

        Raises:
            UserError: a clip is shorter than one token, or the codec has other codebooks.
        """
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.training.fit import fit

        keep_freed_memory()
        folders = {name: context.parents[name] / MODEL for name in (TOKENIZER, TEXT_ENCODER)}
        codec = TrainedTokenizer.load(
            folders[TOKENIZER], device=context.device, codebooks=self.codebooks
        )
        encoder = load_text_encoder(folders[TEXT_ENCODER], context.device)
        seed_everything(self.seed)
        network, module, make_examples, collate = self.parts(codec, encoder.width)
        context.start.load(network)
        store, captions, longest = context.store, captions_of(context.store), network.max_tokens
        encoded = cached(
            "codes",
            folders[TOKENIZER],
            context,
            lambda: encoded_clips(store, codec, longest),
            longest,
        )
        embedded = cached(
            "captions",
            folders[TEXT_ENCODER],
            context,
            lambda: embedded_captions(list(captions), encoder.encode),
        )
        rows = encoded["codes"].split(encoded["counts"].tolist())
        codes = {int(i): row.numpy() for i, row in zip(trained_clips(store), rows, strict=True)}
        examples = make_examples(store, codes, embedded["texts"], captions, self.drop_text)
        clips = captioned_clips(self.name, context)
        context.log(
            f"  {self.name}: {len(clips[0])} training and {len(clips[1])} validation clips, "
            f"{sum(p.numel() for p in network.parameters()):,} parameters"
        )
        if context.hardware.compile:
            compile_parts([network])
        metrics = fit(
            self.name,
            module(network, *self.optimization),
            examples,
            collate,
            clips,
            self.schedule,
            self.seed,
            context,
            examples.counts(),
        )
        if context.processes.is_first:
            save_network(network, context.folder / MODEL)
            write_training_captions(context.folder / MODEL, store, context.start.folder)
        return metrics


class MaskedStage(MoMaskStage):
    """The masked transformer.

    Args:
        masking: what training hides: "paper", or "released".
        settings: see `MoMaskStage`.

    Raises:
        UserError: another masking, or as `MoMaskStage`.
    """

    name: ClassVar[str] = "momask"

    def __init__(self, masking: str, **settings: Any) -> None:
        self.masking = masking_by_name(masking)
        super().__init__(**settings)

    def parts(self, codec: TrainedTokenizer, text_width: int) -> Any:
        """See `MoMaskStage.parts`."""
        from motiongpt.methods.momask.modules import MaskedModule  # as `run`

        network = instantiate(self.network)(
            codebook_size=codec.codebook_size, text_width=text_width
        )
        make = partial(MaskedExamples, self.masking, codec.codebook_size, network.max_tokens)
        return network, MaskedModule, make, partial(collate_masked, pad=network.pad)


class ResidualStage(MoMaskStage):
    """The residual transformer.

    Args:
        choice: how the codebook of a row is drawn: "uniform", as the paper says, or "early": the
            first ones are likelier, as released.
        settings: see `MoMaskStage`.

    Raises:
        UserError: another way of drawing, or as `MoMaskStage`.
    """

    name: ClassVar[str] = "momask_residual"

    def __init__(self, choice: str, **settings: Any) -> None:
        if choice not in (UNIFORM, EARLY):
            raise UserError(f"stage.{self.name}.choice={choice}; choose one of: {UNIFORM}, {EARLY}")
        self.choice = choice
        super().__init__(**settings)

    def parts(self, codec: TrainedTokenizer, text_width: int) -> Any:
        """See `MoMaskStage.parts`."""
        from motiongpt.methods.momask.modules import ResidualModule  # as `run`

        network = instantiate(self.network)(
            codebooks=codec.codebooks, codebook_size=codec.codebook_size, text_width=text_width
        )
        make = partial(ResidualExamples, self.choice)
        return network, ResidualModule, make, partial(collate_residual, pad=network.pad)


class LengthStage(MoMaskStage):
    """The length estimator; see `MoMaskStage`."""

    name: ClassVar[str] = "momask_length"

    def parts(self, codec: TrainedTokenizer, text_width: int) -> Any:
        """See `MoMaskStage.parts`."""
        from motiongpt.methods.momask.modules import LengthModule  # as `run`

        network = instantiate(self.network)(text_width=text_width)
        return network, LengthModule, LengthExamples, collate_lengths


def encoded_clips(
    store: MotionStore, codec: TrainedTokenizer, max_tokens: int
) -> dict[str, torch.Tensor]:
    """Codes (…, Q) of the clips of train and val end to end ("codes"), and how many ("counts").

    Each clip is cut to whole tokens, and to `max_tokens` of them.

    Raises:
        UserError: a clip is shorter than one token.
    """
    clips = trained_clips(store)
    check_tokens(store, clips, codec.frames_per_token)
    stop = max_tokens * codec.frames_per_token
    found = codec.encode([store.features(int(index), stop=stop) for index in clips])
    rows = [torch.from_numpy(codes) for codes in found]
    empty = torch.zeros(0, codec.codebooks, dtype=torch.int64)
    return {"codes": torch.cat([*rows, empty]), "counts": torch.tensor([len(row) for row in rows])}
