"""TMR's encoders trained on whatever data set is at hand: an evaluator that sees time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.base import EvaluatorSource
from evaluation.evaluators.hard_negatives import KINDS, HardNegatives, Kind
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
        training: Mapping[str, Any],
    ) -> None:
        self.text_encoder, self.sentence_encoder = text_encoder, sentence_encoder
        self.sizes, self.dropout = dict(sizes), dropout
        self.losses, self.training = LossSettings(**losses), Steps(**training)
        self.hard_negatives: tuple[Kind, ...] = tuple(hard_negatives)
        unknown = set(self.hard_negatives) - set(KINDS)
        if unknown:
            raise UserError(
                f"evaluator.hard_negatives has {', '.join(sorted(unknown))}; choose of "
                f"{', '.join(KINDS)}"
            )
        TMRSizes(**self.sizes)
        if not self.losses.contrastive > 0:
            raise UserError(
                f"evaluator.losses.contrastive={self.losses.contrastive:g}: above 0 is needed; "
                "nothing else tells one clip from another"
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
        batches = _Batches(
            clips, CaptionReader(encoder, sentences), negatives, self.training.batch_size, seed
        )
        train_networks(networks, batches, self.losses, self.training, log)
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


@dataclass(frozen=True)
class _Batch:
    """B clips with a caption each; `perturbed` are the same clips, `wrong` where it counts."""

    motions: list[Tensor]
    captions: list[str]
    perturbed: list[Tensor]
    wrong: Tensor


class _Batches:
    """Draws batches, endlessly.

    Args:
        clips: each with one caption or several, of which one is drawn each time.
        reader: of the captions.
        negatives: what perturbs clips.
        batch_size: clips at a time.
        seed: of all that is drawn.
    """

    def __init__(
        self,
        clips: TrainingClips,
        reader: CaptionReader,
        negatives: HardNegatives,
        batch_size: int,
        seed: int,
    ) -> None:
        self.clips, self.reader, self.negatives = clips, reader, negatives
        self.draw = np.random.default_rng(seed)
        self.positions = clips.batches(batch_size, self.draw)
        self.captions = [
            [caption.text for caption in clips.store.captions(int(index))]
            for index in clips.indices
        ]

    def next(self) -> _Batch:
        """The next one."""
        motions, captions, perturbed, wrong = [], [], [], []
        for position in next(self.positions).tolist():
            said = self.captions[position]
            captions.append(said[self.draw.integers(len(said))])
            clip = self.clips.crop(position, self.draw)
            motions.append(torch.from_numpy(clip))
            if self.negatives.kinds:
                made, counts = self._perturbed(clip, captions[-1])
                perturbed.append(torch.from_numpy(made))
                wrong.append(counts)
        return _Batch(motions, captions, perturbed, torch.tensor(wrong, dtype=torch.bool))

    def _perturbed(self, clip: np.ndarray, caption: str) -> tuple[np.ndarray, bool]:
        store = self.clips.store
        made, wrong = self.negatives.draw(clip * store.std + store.mean, caption, self.draw)
        return (made - store.mean) / store.std, wrong


def train_networks(
    networks: TMRNetworks,
    batches: _Batches,
    losses: LossSettings,
    training: Steps,
    log: Callable[[str], None],
) -> None:
    """Train all three in place, and leave them in evaluation mode.

    Raises:
        UserError: the loss or a weight is not finite.
    """
    networks.train()

    def loss() -> Tensor:
        views = _views(networks, batches.next(), batches.reader, losses)
        return total_loss(loss_terms(networks, views, losses), losses)

    train_steps("training", list(networks.parameters()), loss, training, log)
    networks.eval()


def _views(
    networks: TMRNetworks, batch: _Batch, reader: CaptionReader, losses: LossSettings
) -> Views:
    """One forward pass; perturbed clips go through the encoder with the clips themselves."""
    device = next(networks.parameters()).device
    read = reader.read(batch.captions)
    text = networks.encode_text(read.tokens.to(device), read.lengths.to(device))
    features, lengths = pad_clips([*batch.motions, *batch.perturbed])
    both = networks.encode_motion(features.to(device), lengths.to(device))
    count = len(batch.motions)
    z_text, z_both = text.sample(), both.sample()
    own = lengths[:count]
    return Views(
        text=text,
        motion=Latent(
            both.mean[:count],
            None if both.log_variance is None else both.log_variance[:count],
        ),
        z_text=z_text,
        z_motion=z_both[:count],
        features=features[:count, : int(own.max())].to(device),
        lengths=own.to(device),
        sentences=read.whole.to(device),
        perturbed=z_both[count:] if batch.perturbed else None,
        wrong=batch.wrong.to(device) if batch.perturbed else None,
    )
