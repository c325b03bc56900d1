"""Small untrained parts of MDM for tests: a denoiser, a chain of steps and the method."""

import numpy as np
import torch

from motiongpt.methods.mdm.folder import TrainedMotionDenoiser
from motiongpt.methods.mdm.method import MDM, Sampling
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.text_encoders.texts import Texts
from tests.unit.mld_parts import TEXT_WIDTH, FakeTextEncoder

F, LONGEST, STEPS = 263, 60, 20


class FakeWords(FakeTextEncoder):
    """Features of whole texts, and of each of their words."""

    def encode_tokens(self, texts):
        rows = [self.encode(text.split() or [""]) for text in texts]
        counts = torch.tensor([len(row) for row in rows])
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return padded, torch.arange(padded.shape[1]) < counts[:, None]


def small_denoiser(**changes: object) -> MotionDenoiser:
    torch.manual_seed(1)
    sizes = {"n_features": F, "text_width": TEXT_WIDTH, "frames": LONGEST}
    settings = {"width": 16, "feed_forward": 32, "layers": 2, "heads": 2, "dropout": 0.0}
    return MotionDenoiser(**{**sizes, **settings, **changes}).eval()


def small_method(denoiser: MotionDenoiser | None = None, **options: object) -> MDM:
    rng = np.random.default_rng(0)
    trained = TrainedMotionDenoiser(
        denoiser or small_denoiser(),
        NoiseSchedule(STEPS),
        rng.normal(size=F).astype(np.float32),
        rng.uniform(0.5, 2, F).astype(np.float32),
        np.array([9, 20, 31, 44], np.int64),
    )
    return MDM(trained, FakeWords(), Sampling(**{"steps": 5, **options}))


def some_texts(rows: int, width: int = TEXT_WIDTH) -> Texts:
    features = torch.randn(rows, 1, width, generator=torch.Generator().manual_seed(3))
    return Texts(features, torch.zeros(rows, 1, dtype=torch.bool))
