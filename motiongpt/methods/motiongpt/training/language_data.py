"""Training examples of the language stages, drawn from clips by key."""

from typing import Generic, Protocol, TypeVar

import numpy as np
from torch.utils.data import Dataset

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.token_store import TokenStore

Drawn = TypeVar("Drawn", covariant=True)


class Mix(Protocol[Drawn]):
    """Draws training examples: instruction templates, or pretraining objectives."""

    def accepts(self, clip: ClipTokens) -> bool:
        """Whether an example can be drawn for `clip`.

        Depends on its lengths and on whether it has a caption, on nothing else: it is asked once
        for all clips that are alike in these.
        """
        ...

    def example(self, clip: ClipTokens, rng: np.random.Generator) -> Drawn:
        """One example of `clip`."""
        ...


class TokenisedClips:
    """The clips of a motion store as a language model sees them.

    Raises:
        UserError: the tokens were made of another store.
    """

    def __init__(self, store: MotionStore, tokens: TokenStore) -> None:
        if len(store) != len(tokens):
            raise UserError(
                f"{len(tokens)} tokenised clips for a store of {len(store)}; "
                "run the tokens stage again"
            )
        self.store, self.tokens = store, tokens

    def __len__(self) -> int:
        return len(self.store)

    def sizes(self, indices: np.ndarray) -> np.ndarray:
        """(N, K) int64 of each of the clips: frames, whether it has a caption, codes of each view.

        Read of the files' offsets, no clip is opened.
        """
        captioned = ~np.isin(indices, self.store.without_captions(indices))
        counts = [self.tokens.counts(view)[indices] for view in self.tokens.views]
        return np.stack([self.store.lengths[indices], captioned, *counts], axis=1).astype(np.int64)

    def __getitem__(self, index: int) -> ClipTokens:
        """Clip `index` of the store."""
        return ClipTokens(
            name=self.store.names[index],
            frames=int(self.store.lengths[index]),
            fps=self.store.fps,
            frames_per_token=self.tokens.frames_per_token,
            captions=tuple(c.text for c in self.store.captions(index)),
            views=self.tokens.clip(index),
        )


class LanguageExamples(Dataset[Drawn], Generic[Drawn]):
    """For each key (clip index, random seed) an example that depends on nothing else."""

    def __init__(self, clips: TokenisedClips, mix: Mix[Drawn]) -> None:
        self.clips, self.mix = clips, mix

    def __getitem__(self, key: tuple[int, int]) -> Drawn:
        """The example of one key."""
        index, seed = key
        return self.mix.example(self.clips[index], np.random.default_rng(seed))

    def indices(self, split: str) -> np.ndarray:
        """Clips of `split` that an example can be drawn for."""
        candidates = self.clips.store.indices(split)
        _, examples, kinds = np.unique(
            self.clips.sizes(candidates), axis=0, return_index=True, return_inverse=True
        )
        accepted = [self.mix.accepts(self.clips[int(i)]) for i in candidates[examples]]
        return candidates[np.array(accepted, bool)[kinds.reshape(-1)]]
