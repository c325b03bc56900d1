"""Every clip that is trained on as codes, made once. Shape letters: n codes of a clip."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.window_batch import check_tokens
from motiongpt.data.store import MotionStore

TRAINED_SPLITS = ("train", "val")


def encoded_clips(
    store: MotionStore, tokenizer: TrainedTokenizer, max_codes: int
) -> dict[str, Tensor]:
    """Codes of the clips of train and val end to end ("codes"), and how many ("counts").

    Each clip is cut to whole tokens, and to `max_codes` of them.

    Raises:
        UserError: a clip is shorter than one token.
    """
    clips = trained_clips(store)
    check_tokens(store, clips, tokenizer.frames_per_token)
    longest = max_codes * tokenizer.frames_per_token
    found = tokenizer.encode([store.features(int(index), stop=longest) for index in clips])
    return {
        "codes": torch.from_numpy(np.concatenate([*found, np.zeros(0, np.int64)])),
        "counts": torch.tensor([len(codes) for codes in found], dtype=torch.int64),
    }


def codes_by_clip(store: MotionStore, encoded: Mapping[str, Tensor]) -> dict[int, np.ndarray]:
    """Clip index -> codes, from what `encoded_clips` gave."""
    parts = encoded["codes"].split(encoded["counts"].tolist())
    return {int(i): part.numpy() for i, part in zip(trained_clips(store), parts, strict=True)}


def trained_clips(store: MotionStore) -> np.ndarray:
    """Indices of the clips that training and validation use."""
    return np.concatenate([store.indices(split) for split in TRAINED_SPLITS])
