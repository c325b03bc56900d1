"""Second part of the evaluator's training: a caption lies near its motion, far from others.

Source: Guo et al. (CVPR 2022, "T2M") and its released training code, with all other motions of a
batch as negatives where T2M takes one for each caption.
Shapes: B pairs, T frames, F features, L words, D width of an embedding.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.learned_words import LearnedWords
from evaluation.evaluators.t2m_networks import T2MNetworks
from evaluation.evaluators.training_clips import TrainingClips
from evaluation.evaluators.training_steps import Steps, train_steps

FEWEST = 4
"""Others of a caption that count at least; with fewer, all embeddings stay at one distance."""
TINY = 1e-8
"""Keeps the gradient of a distance of zero finite."""


@dataclass(frozen=True)
class MatchingSettings(Steps):
    """How the two recurrent encoders and the words are trained.

    Attributes:
        margin: distance beyond which a pair that doesn't belong together costs nothing; T2M's.
        max_words: of a caption, as in T2M's evaluation.
    """

    margin: float = 10.0
    max_words: int = 20


def contrastive_loss(texts: Tensor, motions: Tensor, same: Tensor, margin: float) -> Tensor:
    """Mean squared distance of the pairs, and mean squared shortfall of others from the margin.

    The second mean is over those that do fall short, so that its weight doesn't fade as they get
    rare; they count as at least `FEWEST` a caption, because few hard ones alone would pull all
    embeddings together.

    Args:
        texts, motions: (B, D) embeddings of B pairs.
        same: (B, B) True where caption i is motion j's caption too: not told to keep away.
        margin: distance that others should keep.
    """
    squared = (texts[:, None] - motions[None]).square().sum(-1)
    shortfall = (margin - (squared + TINY).sqrt()).clamp(min=0).masked_fill(same, 0.0)
    count = (shortfall > 0).sum().clamp(min=FEWEST * len(texts))
    return squared.diagonal().mean() + shortfall.square().sum() / count


def train_matching(
    networks: T2MNetworks,
    words: LearnedWords,
    clips: TrainingClips,
    settings: MatchingSettings,
    draw: np.random.Generator,
) -> None:
    """Train the text encoder, the motion encoder and `words` in place; movements stay as they are.

    Args:
        clips: each with one caption or several, of which one is drawn each time.
    """
    captions = [
        [caption.text for caption in clips.store.captions(int(index))] for index in clips.indices
    ]
    device = next(networks.parameters()).device
    batches = clips.batches(settings.batch_size, draw)
    networks.motion_encoder.train()
    networks.text_encoder.train()

    def loss() -> Tensor:
        positions = next(batches)
        chosen = [
            captions[position][draw.integers(len(captions[position]))] for position in positions
        ]
        motions = [torch.from_numpy(clips.crop(int(position), draw)) for position in positions]
        features, frames = networks.pad_motion(motions, clips.max_frames)
        rows, categories, lengths = words.batch(chosen, settings.max_words, draw)
        same = torch.tensor([[one == other for other in chosen] for one in chosen], device=device)
        return contrastive_loss(
            networks.embed_text(words.embedding(rows.to(device)), categories.to(device), lengths),
            networks.embed_motion(features.to(device), frames),
            same,
            settings.margin,
        )

    trained = (networks.motion_encoder, networks.text_encoder, words)
    parameters = [parameter for part in trained for parameter in part.parameters()]
    train_steps("matching", parameters, loss, settings, clips.log)
    networks.eval()
