"""A judge of generated motion: which actions does it show? Trained on real clips only.

Shapes: B clips, T frames, F features, C labels.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.training.finite import PlainWatch

LEARNING_RATE = 2e-3
NOT_FINITE = (
    f"the data are the likely cause, the learning rate is always {LEARNING_RATE:g}: "
    "`motiongpt data verify` looks at them"
)
NOISE = 0.1  # of the normalised features: blur must not decide
SHORTEST_CROP = 0.9  # share of a clip that a training example keeps


class Network(nn.Module):
    """Convolutions over time, then mean and maximum over the frames that are there."""

    def __init__(self, n_features: int, n_labels: int, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [
                nn.Conv1d(n_features, width, 5, padding=2),
                *(nn.Conv1d(width, width, 5, padding=2 * rate, dilation=rate) for rate in (2, 4)),
            ]
        )
        self.head = nn.Linear(2 * width, n_labels)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, C) of normalised features (B, T, F); mask (B, T) True at frames."""
        hidden, there = features.transpose(1, 2), mask[:, None]
        for convolution in self.convolutions:
            hidden = torch.relu(convolution(hidden * there))
        mean = (hidden * there).sum(-1) / there.sum(-1)
        largest = hidden.masked_fill(~there, -torch.inf).amax(-1)
        return self.head(torch.cat([mean, largest], dim=-1))


class ActionClassifier:
    """Recognises the actions of a clip; several may follow one another.

    Args:
        network: trained.
        labels: names of the C actions.
        mean, std: (F,) normalisation.
    """

    def __init__(
        self, network: Network, labels: Sequence[str], mean: np.ndarray, std: np.ndarray
    ) -> None:
        self.network, self.labels = network.eval(), tuple(labels)
        self.mean, self.std = np.asarray(mean, np.float32), np.asarray(std, np.float32)

    @classmethod
    def train(
        cls,
        store: MotionStore,
        steps: int,
        batch_size: int,
        seed: int,
        width: int = 96,
        log: Callable[[str], None] = print,
    ) -> "ActionClassifier":
        """Learn from the training split of `store`: crops with some noise, so that it judges what
        moves and not how sharp it is.

        Raises:
            UserError: no training clip carries a label, or the loss or a weight is not finite.
        """
        clips = [int(i) for i in store.indices("train") if store.labels(int(i))]
        labels = sorted({label for i in clips for label in store.labels(i)})
        if not labels:
            raise UserError(f"{store.name}: no training clip carries a label to learn")
        torch.manual_seed(seed)
        draw = np.random.default_rng(seed)
        made = cls(Network(store.n_features, len(labels), width), labels, store.mean, store.std)
        targets = torch.tensor(
            [[label in store.labels(i) for label in labels] for i in clips], dtype=torch.float32
        )
        optimizer = torch.optim.AdamW(made.network.parameters(), lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
        watch = PlainWatch("stage classifier", steps, NOT_FINITE)
        made.network.train()
        for step in range(steps):
            chosen = draw.integers(len(clips), size=batch_size)
            features, mask = made.batch([_crop(store.features(clips[k]), draw) for k in chosen])
            features = features + NOISE * torch.randn_like(features)
            loss = nn.functional.binary_cross_entropy_with_logits(
                made.network(features, mask), targets[torch.from_numpy(chosen)]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            watch.see(step + 1, loss, made.network.parameters())
            if (step + 1) % max(1, steps // 5) == 0:
                log(f"  classifier step {step + 1}/{steps}  loss {float(loss.detach()):.4f}")
        made.network.eval()
        return made

    def batch(self, features: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Normalised, padded features (B, T, F) and the mask (B, T) of their frames."""
        rows = [torch.from_numpy((clip - self.mean) / self.std) for clip in features]
        lengths = torch.tensor([len(row) for row in rows])
        padded = pad_sequence(rows, batch_first=True)
        return padded, torch.arange(padded.shape[1])[None] < lengths[:, None]

    @torch.no_grad()
    def probabilities(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """(N, C) of each action in each clip of raw features (T, F), T at least 1."""
        parts = [
            torch.sigmoid(self.network(*self.batch(features[first : first + 64]))).numpy()
            for first in range(0, len(features), 64)
        ]
        return np.concatenate([*parts, np.zeros((0, len(self.labels)), np.float32)])

    def recognises(
        self, features: Sequence[np.ndarray], labels: Sequence[Sequence[str]]
    ) -> np.ndarray:
        """(N,) True where the likeliest actions are the clip's: as many as the clip has.

        An action that no training clip shows can't be recognised.
        """
        found = self.probabilities(features)
        right = []
        for row, wanted in zip(found, labels, strict=True):
            likeliest = {self.labels[k] for k in np.argsort(-row)[: len(set(wanted))]}
            right.append(likeliest == set(wanted))
        return np.array(right, bool)

    def save(self, folder: Path) -> None:
        """Write weights and description into `folder`."""
        state = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        state |= {"mean": torch.from_numpy(self.mean), "std": torch.from_numpy(self.std)}
        save_with(Path(folder) / "classifier.safetensors", lambda path: save_file(state, path))
        write_json(Path(folder) / "classifier.json", {"labels": list(self.labels)})

    @classmethod
    def load(cls, folder: Path) -> "ActionClassifier":
        """Read what `save` wrote.

        Raises:
            UserError: no classifier there.
        """
        try:
            labels = json.loads((Path(folder) / "classifier.json").read_text())["labels"]
            state = load_file(Path(folder) / "classifier.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"{folder}: no action classifier here; run the classifier stage: "
                "motiongpt run goal=classifier"
            ) from error
        mean, std = state.pop("mean").numpy(), state.pop("std").numpy()
        network = Network(len(mean), len(labels), len(state["convolutions.0.bias"]))
        network.load_state_dict(state)
        return cls(network, labels, mean, std)


def _crop(features: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    keep = max(1, int(len(features) * draw.uniform(SHORTEST_CROP, 1.0)))
    first = int(draw.integers(len(features) - keep + 1))
    return features[first : first + keep]
