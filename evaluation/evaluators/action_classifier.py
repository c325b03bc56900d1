"""A judge of generated motion: which actions does it show? Trained on real clips only.

Shapes: B clips, T frames, F features, C labels, W width.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.full_float32 import full_float32

SHOWN = 0.5
"""Probability above which an action counts as shown."""
TOGETHER = 64
"""Clips at a time; changes no result."""
DILATIONS = (1, 2, 4)
FINGERPRINT_LETTERS = 16


class Network(nn.Module):
    """Convolutions over time give each moment its evidence for each action; the clip has that of
    the moments that show most, and that of all of them together.

    The first convolution takes every other frame; each later one adds to what it was given, and
    sees twice as far: together 60 frames, so that order within them decides. Evidence is pooled by
    a smooth maximum over time (the logarithm of the mean of exponentials): a second action in a
    clip is then judged by its own moments, however much of the clip the first one fills. What the
    mean and the maximum of all moments say is added: a hand goes up at the start of a wave too.
    """

    def __init__(self, n_features: int, n_labels: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(n_features, width, 4, stride=2, padding=1)
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(width, width, 5, padding=2 * rate, dilation=rate) for rate in DILATIONS]
        )
        self.moments = nn.Conv1d(width, n_labels, 1)
        self.whole = nn.Linear(2 * width, n_labels)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, C) of normalised features (B, T, F); mask (B, T) True at frames."""
        shown = features.transpose(1, 2) * mask[:, None]
        # An odd number of frames, or one alone, still has a frame for its last step.
        hidden = torch.relu(self.stem(nn.functional.pad(shown, (0, 1 + shown.shape[-1] % 2))))
        steps = (mask.sum(1) + 1) // 2
        there = (torch.arange(hidden.shape[-1], device=mask.device) < steps[:, None])[:, None]
        for convolution in self.convolutions:
            hidden = hidden * there
            hidden = hidden + torch.relu(convolution(hidden))
        evidence = self.moments(hidden).masked_fill(~there, -torch.inf)
        strongest = evidence.logsumexp(-1) - steps[:, None].log()
        mean = (hidden * there).sum(-1) / steps[:, None]
        largest = hidden.masked_fill(~there, -torch.inf).amax(-1)
        return strongest + self.whole(torch.cat([mean, largest], dim=-1))


class ActionClassifier:
    """Recognises the actions of a clip; several may follow one another, and there may be none.

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

    def batch(self, features: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Normalised, padded features (B, T, F) and the mask (B, T) of their frames, where the
        network is."""
        rows = [torch.from_numpy((clip - self.mean) / self.std) for clip in features]
        lengths = torch.tensor([len(row) for row in rows])
        padded = pad_sequence(rows, batch_first=True)
        mask = torch.arange(padded.shape[1])[None] < lengths[:, None]
        device = self.network.stem.weight.device
        return padded.to(device), mask.to(device)

    @full_float32()
    @torch.no_grad()
    def probabilities(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """(N, C) of each action in each clip of raw features (T, F), T at least 1."""
        parts = [
            torch.sigmoid(self.network(*self.batch(features[first : first + TOGETHER])))
            .cpu()
            .numpy()
            for first in range(0, len(features), TOGETHER)
        ]
        return np.concatenate([*parts, np.zeros((0, len(self.labels)), np.float32)])

    def actions(self, features: Sequence[np.ndarray]) -> list[frozenset[str]]:
        """The actions that each clip shows; how many, the judge finds itself."""
        shown = self.probabilities(features) > SHOWN
        return [
            frozenset(label for label, one in zip(self.labels, row, strict=True) if one)
            for row in shown
        ]

    def recognises(
        self, features: Sequence[np.ndarray], labels: Sequence[Sequence[str]]
    ) -> np.ndarray:
        """(N,) True where the actions that it sees are exactly the clip's.

        It is not told how many there are. An action that no training clip shows can't be
        recognised.
        """
        found = self.actions(features)
        pairs = zip(found, labels, strict=True)
        return np.array([seen == frozenset(wanted) for seen, wanted in pairs], bool)

    @property
    def fingerprint(self) -> str:
        """First 16 letters of the SHA-256 of weights, statistics and labels."""
        found = hashlib.sha256(json.dumps(self.labels).encode())
        for name, tensor in sorted(self._state().items()):
            array = tensor.cpu().numpy()
            found.update(f"{name} {array.dtype} {array.shape}".encode())
            found.update(array.tobytes())
        return found.hexdigest()[:FINGERPRINT_LETTERS]

    def _state(self) -> dict[str, Tensor]:
        state = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        return state | {"mean": torch.from_numpy(self.mean), "std": torch.from_numpy(self.std)}

    def save(self, folder: Path) -> None:
        """Write weights and description into `folder`."""
        state = self._state()
        save_with(Path(folder) / "classifier.safetensors", lambda path: save_file(state, path))
        write_json(Path(folder) / "classifier.json", {"labels": list(self.labels)})

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> "ActionClassifier":
        """Read what `save` wrote.

        Raises:
            UserError: no classifier there, or one of an earlier version.
        """
        try:
            labels = json.loads((Path(folder) / "classifier.json").read_text())["labels"]
            state = load_file(Path(folder) / "classifier.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"{folder}: no action classifier here; run the classifier stage: "
                "motiongpt run goal=classifier"
            ) from error
        if "stem.bias" not in state:
            raise UserError(
                f"{folder}: an action classifier of an earlier version, which did not see the "
                "order of frames; train it again: motiongpt run goal=classifier"
            )
        mean, std = state.pop("mean").numpy(), state.pop("std").numpy()
        network = Network(len(mean), len(labels), len(state["stem.bias"]))
        network.load_state_dict(state)
        return cls(network.to(device), labels, mean, std)
