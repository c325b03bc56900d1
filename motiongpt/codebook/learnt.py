"""What a discrete codec's codebooks learnt, gathered from the motion that it was trained on.

Shape letters: Q codebooks, K codes of each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.codebook.figures import CodeFigure, figures_of
from motiongpt.codebook.geometry import nearest_codes, principal_map
from motiongpt.codebook.opening import OpenedCodec
from motiongpt.codebook.timeline import Timeline, timelines_of
from motiongpt.codebook.tokens import Tokens, Usage, tokens_of, usage_of
from motiongpt.codebook.words import CaptionWords, WordOfCode, words_of_codes
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.store import MotionStore
from motiongpt.motion.skeleton import Skeleton
from motiongpt.render.figure import body_height


@dataclass(frozen=True)
class LearntCodebook:
    """One codebook; of K codes.

    Attributes:
        number: from 0.
        usage: over the split.
        words: of each code, see `motiongpt.codebook.words`.
        neighbours: (code, distance) of the nearest others of each code.
        map: see `principal_map`.
        figures: of the codes that can be shown.
    """

    number: int
    usage: Usage
    words: list[list[WordOfCode]]
    neighbours: list[list[tuple[int, float]]]
    map: tuple[np.ndarray, tuple[float, float]]
    figures: list[CodeFigure]

    @property
    def adds(self) -> float | None:
        """Mean of the figures' `adds`, weighted by how often each code is used."""
        shown = [one for one in self.figures if one.adds is not None]
        if not shown:
            return None
        weights = self.usage.counts[[one.code for one in shown]]
        return float(np.average([one.adds or 0.0 for one in shown], weights=weights))


@dataclass(frozen=True)
class LearntCodec:
    """All that a page says.

    Attributes:
        facts: label -> words: which codec, of which run, on which motion.
        height: of the body, metres.
        codebooks: Q.
        clips: as timelines.
    """

    facts: dict[str, str]
    skeleton: Skeleton
    fps: float
    frames_per_token: int
    height: float
    codebooks: list[LearntCodebook]
    clips: list[Timeline]


def learnt_by(
    opened: OpenedCodec,
    split: str = "train",
    most_clips: int | None = None,
    clips: Sequence[str] = (),
    log: Callable[[str], None] = print,
) -> LearntCodec:
    """Encode the split, and look at every code.

    Args:
        most_clips: of more, these many are encoded, spread evenly.
        clips: names of those that are shown as timelines; some are chosen where there are none.

    Raises:
        UserError: no such split or clip, or no clip that has a token.
    """
    codec, store = opened.codec, opened.store
    timelines = timelines_of(codec, store, clips, split)
    tokens = tokens_of(codec, store, split, most_clips)
    log(f"{len(tokens.codes):,} tokens of {len(tokens.clips):,} clips of {split}")
    captions = CaptionWords.of(store, tokens.clips)
    codebooks = []
    for number in range(codec.codebooks):
        codebooks.append(_codebook(codec, store, tokens, captions, number))
        usage = codebooks[-1].usage
        log(
            f"codebook {number + 1} of {codec.codebooks}: perplexity {usage.perplexity:.1f} of "
            f"{codec.codebook_size}, {len(usage.dead)} dead codes"
        )
    shown = [one.real for one in timelines] or [one.joints for one in codebooks[0].figures]
    return LearntCodec(
        facts=_facts(opened, split, tokens),
        skeleton=store.skeleton,
        fps=store.fps,
        frames_per_token=codec.frames_per_token,
        height=body_height(shown[0], store.skeleton),
        codebooks=codebooks,
        clips=timelines,
    )


def _codebook(
    codec: TrainedTokenizer,
    store: MotionStore,
    tokens: Tokens,
    captions: CaptionWords,
    number: int,
) -> LearntCodebook:
    size = codec.codebook_size
    vectors = codec.tokenizer.code_vectors()[number].cpu().numpy()
    usage = usage_of(tokens, number, size)
    return LearntCodebook(
        number=number,
        usage=usage,
        words=words_of_codes(tokens, number, size, captions),
        neighbours=nearest_codes(vectors),
        map=principal_map(vectors, usage.counts > 0),
        figures=figures_of(codec, tokens, number, store.skeleton, store.fps),
    )


def _facts(opened: OpenedCodec, split: str, tokens: Tokens) -> dict[str, str]:
    codec, store = opened.codec, opened.store
    kind = type(codec.network).__name__
    seconds = codec.frames_per_token / store.fps
    amount = f"{len(tokens.clips):,} clips, {len(tokens.codes):,} tokens"
    books = f"{codec.codebooks} codebooks of " if codec.codebooks > 1 else ""
    return {
        "codec": f"{kind}, {books}{codec.codebook_size} codes",
        "run": opened.run,
        "a token is": f"{codec.frames_per_token} frames, {seconds:.2f} s",
        "motion": f"{store.name}, {split}: {amount}",
        "data": store.fingerprint[:12],
    }
