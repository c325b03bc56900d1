"""Training of the judge of actions: real clips, and changed ones that show no action.

A change that real clips can't be told from (a wave backward is a wave) asks for a label and for
none at once. Changed clips are fewer than real ones, so what the network then learns is the label:
only what can be told apart is refused. Hence any kind of change may be listed.

Shapes: B clips, T frames, F features, C labels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from evaluation.evaluators.action_classifier import ActionClassifier, Network
from evaluation.perturbations.base import Perturbation, RealClip, applied
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.training.finite import PlainWatch

LEARNING_RATE = 2e-3
NOT_FINITE = (
    f"the data are the likely cause, the learning rate is always {LEARNING_RATE:g}: "
    "`motiongpt data verify` looks at them"
)
NOISE = 0.1  # of the normalised features: blur must not decide
SHORTEST_CROP = 0.9  # share of a clip that a training example keeps
SORTED_TOGETHER = 4  # batches whose clips are sorted by length before they are shared out
FEWEST_FRAMES = 3  # of a clip that is changed: frames that have an order, and velocities


@dataclass(frozen=True)
class Training:
    """How long, and on what.

    Attributes:
        steps: optimiser steps.
        batch_size: real clips a step.
        negatives: changes of real clips that show no action, each of some clips of a step.
        real_per_negative: real clips for each changed one of a kind; at least 2, see the top of
            this file.
        seed: of weights and draws.
        width: of the network.
    """

    steps: int
    batch_size: int
    negatives: Sequence[Perturbation]
    real_per_negative: int
    seed: int
    width: int = 96

    def __post_init__(self) -> None:
        if self.real_per_negative < 2:
            raise UserError(
                f"stage.classifier.real_per_negative={self.real_per_negative}: at least 2, or a "
                "change that can't be told from real clips would cost their labels"
            )


def train_classifier(
    store: MotionStore, training: Training, log: Callable[[str], None]
) -> ActionClassifier:
    """Learn from the training split of `store`: crops with some noise, so that it judges what
    moves and not how sharp it is.

    Raises:
        UserError: no training clip carries a label, or the loss or a weight is not finite.
    """
    clips = [int(i) for i in store.indices("train") if store.labels(int(i))]
    labels = sorted({label for i in clips for label in store.labels(i)})
    if not labels:
        raise UserError(f"{store.name}: no training clip carries a label to learn")
    torch.manual_seed(training.seed)
    rng = np.random.default_rng(training.seed)
    network = Network(store.n_features, len(labels), training.width)
    made = ActionClassifier(network, labels, store.mean, store.std)
    targets = torch.tensor(
        [[label in store.labels(i) for label in labels] for i in clips], dtype=torch.float32
    )
    steps = training.steps
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    watch = PlainWatch("stage classifier", steps, NOT_FINITE)
    batches = _batches(store.lengths[clips], training.batch_size, rng)
    network.train()
    for step in range(steps):
        chosen = next(batches)
        real = [_crop(store.features(clips[k]), rng) for k in chosen]
        changed = _changed(real, store, training, rng)
        features, mask = made.batch([*real, *changed])
        features = features + NOISE * torch.randn_like(features)
        wanted = torch.cat(
            [targets[torch.from_numpy(chosen)], torch.zeros(len(changed), len(labels))]
        )
        loss = nn.functional.binary_cross_entropy_with_logits(network(features, mask), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        watch.see(step + 1, loss, network.parameters())
        if (step + 1) % max(1, steps // 5) == 0:
            log(f"  classifier step {step + 1}/{steps}  loss {float(loss.detach()):.4f}")
    network.eval()
    return made


def _batches(
    lengths: np.ndarray, batch_size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Endless batches of positions in `lengths`, each of similar lengths: little padding."""
    while True:
        drawn = rng.integers(len(lengths), size=SORTED_TOGETHER * batch_size)
        by_length = drawn[np.argsort(lengths[drawn], kind="stable")]
        yield from rng.permutation(by_length.reshape(SORTED_TOGETHER, batch_size))


def _changed(
    real: Sequence[np.ndarray], store: MotionStore, training: Training, rng: np.random.Generator
) -> list[np.ndarray]:
    """Some of the clips of a batch after each change: other ones for each."""
    long = [clip for clip in real if len(clip) >= FEWEST_FRAMES]
    found: list[np.ndarray] = []
    for one in training.negatives:
        count = min(len(long), max(1, training.batch_size // training.real_per_negative))
        clips = [
            RealClip(long[k], store.skeleton, store.fps)
            for k in rng.choice(len(long), count, replace=False)
        ]
        found += applied(clips, one, [rng] * count)
    return found


def _crop(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    keep = max(1, int(len(features) * rng.uniform(SHORTEST_CROP, 1.0)))
    first = int(rng.integers(len(features) - keep + 1))
    return features[first : first + keep]
