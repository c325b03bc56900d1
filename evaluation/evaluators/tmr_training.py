"""TMR's encoders trained on whatever data set is at hand: an evaluator that sees time."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from evaluation.evaluators.base import EvaluatorSource
from evaluation.evaluators.hard_negatives import (
    KINDS,
    HardNegatives,
    Kind,
)
from evaluation.evaluators.tmr_batches import Batch, Batches
from evaluation.evaluators.tmr_captions import CaptionReader
from evaluation.evaluators.tmr_evaluator import TMREvaluator
from evaluation.evaluators.tmr_losses import LossSettings, Views, loss_terms, total_loss
from evaluation.evaluators.tmr_networks import Latent, TMRNetworks, TMRSizes, pad_clips
from evaluation.evaluators.training_clips import TrainingClips
from evaluation.evaluators.training_steps import Steps, train_steps
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook, preflight
from motiongpt.text_encoders.base import TextEncoder, TextEncoderFactory
from motiongpt.text_encoders.stage import captions_of

MOST_NOISE = 0.2
"""Of the normalised features, of clips that the order head is shown as in order."""


class TMRTraining(EvaluatorSource):
    """Trains on the training split, in float32; the weights after the last step are kept.

    The validation split plays no part: the learning rate has fallen to zero by the last step, so
    there is nothing to choose. One seed gives one evaluator on one kind of machine.

    Args:
        text_encoder: node of conf/text_encoder: reads captions token by token, frozen.
        sentence_encoder: node of conf/text_encoder that tells look-alike captions; None takes
            `text_encoder`. It is not needed any more when all is trained.
        sizes: of the networks, as `TMRSizes` without `n_features`, `text_width` and `decoder`.
        dropout: of the networks.
        losses: as `LossSettings`.
        hard_negatives: kinds of perturbed clips that are further negatives, see `HardNegatives`;
            none is TMR.
        hard_from: share of the steps after which they begin. A perturbed clip that can't be told
            from its clip yet drives both away from their caption, and captions are learned slowly.
        training: as `Steps`.

    Raises:
        UserError: an unknown kind of hard negative, or sizes or losses that make no evaluator.
    """

    def __init__(
        self,
        text_encoder: TextEncoderFactory,
        sentence_encoder: TextEncoderFactory | None,
        sizes: Mapping[str, Any],
        dropout: float,
        losses: Mapping[str, float],
        hard_negatives: Sequence[Kind],
        hard_from: float,
        training: Mapping[str, Any],
    ) -> None:
        self.text_encoder, self.sentence_encoder = text_encoder, sentence_encoder
        self.sizes, self.dropout = dict(sizes), dropout
        self.losses, self.training = LossSettings(**losses), Steps(**training)
        self.hard_negatives: tuple[Kind, ...] = tuple(hard_negatives)
        self.hard_from = hard_from
        unknown = set(self.hard_negatives) - set(KINDS)
        if unknown:
            raise UserError(
                f"evaluator.hard_negatives has {', '.join(sorted(unknown))}; choose of "
                f"{', '.join(KINDS)}"
            )
        if not self.losses.contrastive > 0:
            raise UserError(
                f"evaluator.losses.contrastive={self.losses.contrastive:g}: above 0 is needed; "
                "nothing else tells one clip from another"
            )
        if TMRSizes(**self.sizes).order and not self.losses.order > 0:
            raise UserError(
                f"evaluator.losses.order={self.losses.order:g}: the order head would learn "
                "nothing; take more, or evaluator.sizes.order=false"
            )
        if self.losses.threshold and not 0.5 < self.losses.threshold <= 1:
            raise UserError(
                f"evaluator.losses.threshold={self.losses.threshold:g}: a similarity above 0.5, "
                "which captions that have nothing in common have, and up to 1; or 0 to tell all "
                "captions apart"
            )

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """What the text encoders need."""
        lines = [*preflight(self.text_encoder, outlook)]
        if self.sentence_encoder is not None:
            lines += preflight(self.sentence_encoder, outlook)
        return lines

    def lacking(self, store: MotionStore) -> str:
        """Training clips that are long enough, and have captions."""
        try:
            self._clips(store, lambda line: None)
        except UserError as error:
            return str(error)
        return ""

    def make(
        self,
        store: MotionStore,
        seed: int,
        log: Callable[[str], None],
        device: str | torch.device = "cpu",
    ) -> TMREvaluator:
        """Train one; minutes, from the start after an interruption.

        Raises:
            UserError: too few training clips that are long enough, or with captions.
        """
        clips = self._clips(store, log)
        captions = captions_of(store, "train")
        encoder = self.text_encoder(captions, seed, log).to(device)
        sentences: TextEncoder | None = None
        if self.sentence_encoder is not None:
            sentences = self.sentence_encoder(captions, seed, log).to(device)
        torch.manual_seed(seed)
        sizes = TMRSizes(
            n_features=store.n_features,
            text_width=encoder.width,
            decoder=self.losses.reconstruction > 0,
            **self.sizes,
        )
        networks = TMRNetworks(sizes, self.dropout).to(device)
        negatives = HardNegatives(self.hard_negatives, store.skeleton, store.std)
        reader = CaptionReader(encoder, sentences)
        batches = Batches(
            clips, reader, negatives, self.training.batch_size, seed, order=sizes.order
        )
        train_networks(networks, batches, self.losses, self.training, self.hard_from, log)
        about = {
            "name": "tmr",
            "words": type(encoder).__name__,
            "tags": "none",
            "sentence_tags": "none",
            "hard_negatives": list(self.hard_negatives),
        }
        return TMREvaluator(networks, store.mean, store.std, encoder, about)

    def _clips(self, store: MotionStore, log: Callable[[str], None]) -> TrainingClips:
        longest = TMRSizes(**self.sizes).max_frames
        return TrainingClips(store, longest, log).captioned()


def train_networks(
    networks: TMRNetworks,
    batches: Batches,
    losses: LossSettings,
    training: Steps,
    hard_from: float,
    log: Callable[[str], None],
) -> None:
    """Train all three in place, and leave them in evaluation mode.

    Args:
        hard_from: share of the steps that perturbed clips play no part in.

    Raises:
        UserError: the loss or a weight is not finite.
    """
    networks.train()
    steps = itertools.count()

    def loss() -> Tensor:
        hard = next(steps) >= hard_from * training.steps
        views = _views(networks, batches.next(hard), batches.reader, losses)
        return total_loss(loss_terms(networks, views, losses), losses)

    train_steps("training", list(networks.parameters()), loss, training, log)
    networks.eval()


def _views(
    networks: TMRNetworks, batch: Batch, reader: CaptionReader, losses: LossSettings
) -> Views:
    """One forward pass; perturbed clips go through the encoder with the clips themselves."""
    device = next(networks.parameters()).device
    read = reader.read(batch.captions)
    text = networks.encode_text(read.tokens.to(device), read.lengths.to(device))
    features, lengths = pad_clips([*batch.motions, *batch.perturbed])
    both = networks.encode_motion(features.to(device), lengths.to(device))
    count = len(batch.motions)
    z_text, z_both = text.sample(), both.sample()
    own = lengths[:count].to(device)
    clean = features[:count, : int(own.max())].to(device)
    with torch.no_grad():  # the order head learns from what is in order and what is not, alone
        disorder = networks.disorder(features.to(device), lengths.to(device))
    matched = networks.with_order(z_both, disorder)
    return Views(
        text=text,
        motion=Latent(
            both.mean[:count],
            None if both.log_variance is None else both.log_variance[:count],
        ),
        z_text=z_text,
        z_motion=z_both[:count],
        features=clean,
        lengths=own,
        sentences=read.whole.to(device),
        matched=(networks.with_order(z_text, None), matched[:count]),
        perturbed=matched[count:] if batch.perturbed else None,
        wrong=_mask(batch, device, *KINDS),
        order=_order(networks, batch, clean, own),
    )


def _order(
    networks: TMRNetworks, batch: Batch, features: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Logits of the order head on the clips, with some noise, and on the clips shuffled.

    Generated motion is never as smooth as real motion: that must not pass for disorder.
    """
    if networks.order_head is None:
        return None
    strength = MOST_NOISE * torch.rand(len(features), 1, 1, device=features.device)
    noisy = features + strength * torch.randn_like(features)
    out_of_order, _ = pad_clips(batch.shuffled)
    return (
        networks.order_head(noisy, lengths),
        networks.order_head(out_of_order.to(features.device), lengths),
        torch.tensor(batch.differs, device=features.device),
    )


def _mask(batch: Batch, device: torch.device, *kinds: Kind) -> Tensor:
    """(B,) True where the caption is not true of the perturbed clip, in one of these ways."""
    return torch.tensor([kind in kinds for kind in batch.wrong], dtype=torch.bool, device=device)
