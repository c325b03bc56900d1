"""Filling the placeholders of templates: the right way, and the way of MotionGPT's released code.

The released way differs in three things, each inferred from running that code: token counts pass
for frames in training (so that lengths are a quarter and given parts almost vanish), given parts
are cut out of the tokens of the whole clip, and captions are quoted at random wherever they occur.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks import templates, views
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens, Codes
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.tasks.query import Query

_KNOWN = re.compile("|".join(map(re.escape, templates.PLACEHOLDERS)))
Values = Mapping[str, Callable[[], str]]


class Placeholders(ABC):
    """Turns wordings into what the model reads and generates."""

    def __init__(self, vocabulary: MotionVocabulary, quote_probability: float) -> None:
        """Fill with the motion tokens of `vocabulary`, quoting captions with a probability.

        Raises:
            UserError: the probability is not between 0 and 1.
        """
        if not 0 <= quote_probability <= 1:
            raise UserError(f"quote_probability {quote_probability} is not between 0 and 1")
        self.vocabulary = vocabulary
        self.quote_probability = quote_probability

    @abstractmethod
    def example(
        self, wording: str, output: str, clip: ClipTokens, caption: str, rng: np.random.Generator
    ) -> Example:
        """Fill a prompt and its output for training."""

    @abstractmethod
    def prompt(self, wording: str, query: Query) -> str:
        """Fill a prompt at test time: no random choice, no quotes.

        Raises:
            UserError: the wording needs what the query doesn't hold.
        """

    @abstractmethod
    def start(self, clip: ClipTokens) -> Codes:
        """Codes that prediction gives of a clip at test time."""

    @abstractmethod
    def ends(self, clip: ClipTokens) -> tuple[Codes, Codes]:
        """Codes that in-between gives of a clip at test time: head and tail."""

    def masked(self, head: Codes, hidden: int, tail: Codes) -> str:
        """Write a motion whose middle `hidden` tokens are mask tokens."""
        middle = np.full(max(hidden, 0), self.vocabulary.mask, np.int64)
        return self.vocabulary.write(np.concatenate([head, middle, tail]))

    def quoted(self, caption: str, rng: np.random.Generator) -> str:
        """`caption`, with quotation marks around it if the draw says so."""
        return f'"{caption}"' if rng.random() < self.quote_probability else caption


class RightPlaceholders(Placeholders):
    """Frames are frames, seconds are seconds, given parts were encoded alone.

    Captions may be quoted in prompts at training (`quote_probability`), never in outputs.
    """

    def __init__(self, vocabulary: MotionVocabulary, quote_probability: float = 0.0) -> None:
        """Quote captions in training prompts with `quote_probability`."""
        super().__init__(vocabulary, quote_probability)

    def example(
        self, wording: str, output: str, clip: ClipTokens, caption: str, rng: np.random.Generator
    ) -> Example:
        """Fill a prompt and its output for training."""
        prompt = substitute(wording, self._values(clip, self.quoted(caption, rng)), clip.name)
        return Example(prompt, substitute(output, self._values(clip, caption), clip.name))

    def prompt(self, wording: str, query: Query) -> str:
        """Fill a prompt at test time."""
        return substitute(wording, _query_values(self, query, _tenths), "the query")

    def start(self, clip: ClipTokens) -> Codes:
        """Codes of the given frames, encoded alone."""
        return clip.view(views.PREDICTION_GIVEN)

    def ends(self, clip: ClipTokens) -> tuple[Codes, Codes]:
        """Codes of the first and the last frames, each encoded alone."""
        return clip.view(views.INBETWEEN_HEAD), clip.view(views.INBETWEEN_TAIL)

    def _values(self, clip: ClipTokens, caption: str) -> Values:
        write = self.vocabulary.write

        def masked() -> str:
            head, tail = self.ends(clip)
            return self.masked(head, clip.tokens - len(head) - len(tail), tail)

        return {
            templates.CAPTION: lambda: caption,
            templates.MOTION: lambda: write(clip.codes),
            templates.MOTION_GIVEN: lambda: write(self.start(clip)),
            templates.MOTION_REST: lambda: write(clip.codes[len(self.start(clip)) :]),
            templates.MOTION_MASKED: masked,
            templates.FRAMES: lambda: str(clip.frames),
            templates.SECONDS: lambda: _tenths(clip.seconds),
        }


class ReleasedPlaceholders(Placeholders):
    """The released code's way, for comparison with it."""

    def __init__(
        self,
        vocabulary: MotionVocabulary,
        quote_probability: float = 0.5,
        counts_as_frames: bool = True,
        predict_ratio: float = 0.2,
        inbetween_ratio: float = 0.25,
    ) -> None:
        """Reproduce the released code; its defaults.

        Args:
            vocabulary: motion tokens.
            quote_probability: of quotes around a caption, in prompts and in outputs.
            counts_as_frames: take the number of tokens for the number of frames in training.
            predict_ratio: share given for prediction.
            inbetween_ratio: share given at each end for in-between.
        """
        super().__init__(vocabulary, quote_probability)
        self.counts_as_frames = counts_as_frames
        self.predict_ratio = predict_ratio
        self.inbetween_ratio = inbetween_ratio

    def example(
        self, wording: str, output: str, clip: ClipTokens, caption: str, rng: np.random.Generator
    ) -> Example:
        """Fill prompt and output, each with its own draw of quotes."""
        length = clip.tokens if self.counts_as_frames else clip.frames
        motion = ReleasedMotion(clip.codes, length, clip.fps, clip.frames_per_token)
        return Example(
            self.fill(wording, motion, self.quoted(caption, rng)),
            self.fill(output, motion, self.quoted(caption, rng)),
        )

    def fill(self, wording: str, motion: ReleasedMotion, caption: str) -> str:
        """Fill one wording; placeholders that the released code doesn't know stay as they are."""
        given = self._cut(motion, self.predict_ratio)
        head = self._cut(motion, self.inbetween_ratio)
        tail = self._cut(motion, 1 - self.inbetween_ratio)
        codes, write = motion.codes, self.vocabulary.write
        values = {
            templates.CAPTION: caption,
            templates.MOTION: write(codes),
            templates.MOTION_GIVEN: write(codes[:given]),
            templates.MOTION_REST: write(codes[given:]),
            templates.MOTION_MASKED: self.masked(codes[:head], tail - head, codes[tail:]),
            templates.FRAMES: str(motion.length),
            templates.SECONDS: str(float(math.floor(motion.length / motion.fps))),
        }
        for placeholder, value in values.items():
            wording = wording.replace(placeholder, value)
        return wording

    def prompt(self, wording: str, query: Query) -> str:
        """Fill a prompt at test time; seconds are whole, as in training."""
        return substitute(wording, _query_values(self, query, _whole), "the query")

    def start(self, clip: ClipTokens) -> Codes:
        """First codes of the whole clip, which have seen frames beyond those given."""
        return clip.codes[: self._cut(_at_test(clip), self.predict_ratio)]

    def ends(self, clip: ClipTokens) -> tuple[Codes, Codes]:
        """First and last codes of the whole clip."""
        motion = _at_test(clip)
        head = self._cut(motion, self.inbetween_ratio)
        return clip.codes[:head], clip.codes[self._cut(motion, 1 - self.inbetween_ratio) :]

    def _cut(self, motion: ReleasedMotion, ratio: float) -> int:
        return int(motion.length * ratio / motion.frames_per_token)


@dataclass(frozen=True)
class ReleasedMotion:
    """A motion as the released code fills it in.

    Attributes:
        codes: (L,) codes of the whole clip.
        length: what is taken for the number of frames: frames at test, tokens in training.
        fps: frames per second.
        frames_per_token: frames that one code stands for.
    """

    codes: Codes
    length: int
    fps: float
    frames_per_token: int


def substitute(wording: str, values: Values, whose: str) -> str:
    """Replace every placeholder of `wording` by its value, computing only those that occur.

    Raises:
        UserError: a placeholder has no value.
    """

    def value(match: re.Match[str]) -> str:
        if match[0] not in values:
            raise UserError(
                f"the prompt '{wording}' needs {match[0]}, which {whose} doesn't hold; give it "
                "or take a prompt without it"
            )
        return values[match[0]]()

    # One pass: a caption that looks like a placeholder is not filled in turn.
    return _KNOWN.sub(value, wording)


def _query_values(
    placeholders: Placeholders, query: Query, spoken: Callable[[float], str]
) -> Values:
    values: dict[str, Callable[[], str]] = {}
    write, tokens = placeholders.vocabulary.write, query.tokens
    start, end, motion = query.start, query.end, query.motion
    if query.text:
        values[templates.CAPTION] = lambda: query.text
    if motion is not None:
        values[templates.MOTION] = lambda: write(motion)
    if start is not None:
        values[templates.MOTION_GIVEN] = lambda: write(start)
    if query.rest is not None:
        rest = query.rest
        values[templates.MOTION_REST] = lambda: write(rest)
    if start is not None and end is not None and tokens is not None:
        hidden = tokens - len(start) - len(end)
        values[templates.MOTION_MASKED] = lambda: placeholders.masked(start, hidden, end)
    if query.frames is not None:
        frames, seconds = query.frames, query.frames / query.fps
        values[templates.FRAMES] = lambda: str(frames)
        values[templates.SECONDS] = lambda: spoken(seconds)
    return values


def _at_test(clip: ClipTokens) -> ReleasedMotion:
    return ReleasedMotion(clip.codes, clip.frames, clip.fps, clip.frames_per_token)


def _tenths(seconds: float) -> str:
    return f"{seconds:.1f}"


def _whole(seconds: float) -> str:
    return str(float(math.floor(seconds)))
