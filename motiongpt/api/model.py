"""A trained model for people: sentences and motions in, motions and sentences out.

Shape letters: T frames, F features.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from motiongpt.allocation import keep_freed_memory
from motiongpt.api.chatting import Message, Reply, chat_requests, replies_of
from motiongpt.api.completing import Bridge, Continuation
from motiongpt.api.inputs import (
    MotionLike,
    as_motions,
    as_texts,
    checked_frames,
    one_for_each,
    texts_for_each,
)
from motiongpt.api.motion import Motion
from motiongpt.api.opening import Opened, open_model
from motiongpt.api.writing import Writer
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.model import Request
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.published.folder import write_model_folder

if TYPE_CHECKING:
    from motiongpt.motion.skeleton import Skeleton

# As the protocol `ours` asks: motion is drawn, what is completed is the likeliest, so are words.
MOTION = Decoding(strategy="sampling")
COMPLETION = Decoding(strategy="beams", num_beams=4)
TEXT = Decoding(strategy="greedy")


class MotionGPT:
    """A motion-language model; `MotionGPT.from_pretrained` opens one.

    Every method takes one input or a list of them, asks everything in one batch and gives a list.
    The same `seed` and the same inputs give the same result; without a seed it differs each time.

    Attributes:
        name: of the model.
        fps: frames per second of the motions that it writes; others are resampled.
        skeleton: of the motions that it reads and writes.
        writer: the networks behind it.
    """

    def __init__(self, opened: Opened, precision: str | None = None) -> None:
        self._opened = opened
        self.name, self.fps = opened.name, opened.fps
        self.skeleton: Skeleton = opened.skeleton
        self.writer = Writer(opened, precision)

    @classmethod
    def from_pretrained(
        cls,
        where: str | Path,
        device: str | torch.device | None = None,
        precision: str | None = None,
        revision: str | None = None,
    ) -> MotionGPT:
        """Open a trained model.

        Args:
            where: a model folder; a finished run, as outputs/runs/instruct/SIGNATURE; the root of
                an experiment with one of them; or a name of the Hugging Face hub, OWNER/NAME.
            device: such as "cuda" or "cpu"; None takes a GPU where there is one.
            precision: of the language model's writing, "float32" or "bfloat16"; None takes the
                faster one.
            revision: branch, tag or commit of a model on the hub.

        Raises:
            UserError: nothing there that can be opened, or no such device.
        """
        keep_freed_memory()
        return cls(open_model(where, _device(device), revision), precision)

    def text_to_motion(
        self,
        texts: str | Sequence[str],
        frames: int | Sequence[int] | None = None,
        samples: int = 1,
        seed: int | None = None,
        decoding: Decoding | None = None,
    ) -> list[Motion]:
        """Motions that do what the sentences say.

        Args:
            frames: length, one for all or one each; None lets the model end.
            samples: motions of each sentence; they follow each other in the result.
            decoding: another way to write than drawing from the 50 likeliest tokens.

        Raises:
            UserError: an empty sentence, or a length that the model can't write.
        """
        if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
            raise UserError(f"samples={samples}: expected a whole number of at least 1")
        words = [text for text in as_texts(texts) for _ in range(samples)]
        lengths = one_for_each(frames, len(words) // samples, "frames")
        asked = [self._frames(one) for one in lengths for _ in range(samples)]
        task, rate = self.writer.tasks["text_to_motion"], self.writer.frames_per_token
        requests = []
        for text, count in zip(words, asked, strict=True):
            whole = None if count is None else -(-count // rate) * rate
            query = Query(self.fps, rate, text=text, frames=whole)
            requests.append(Request(task, query, tokens=task.reply_tokens(query)))
        rows = self.writer.motions(requests, decoding or MOTION, _seed(seed))
        return [
            Motion.from_features(row[:count], self.fps, (text,), self.skeleton)
            for row, count, text in zip(rows, asked, words, strict=True)
        ]

    def motion_to_text(
        self,
        motions: MotionLike | Sequence[MotionLike],
        seed: int | None = None,
        decoding: Decoding | None = None,
    ) -> list[str]:
        """A sentence about each motion.

        Raises:
            UserError: a motion that is too short, too long, or of another skeleton.
        """
        given = as_motions(motions, self.skeleton, self.fps)
        task, rate = self.writer.tasks["motion_to_text"], self.writer.frames_per_token
        codes = self.writer.encode([motion.features for motion in given])
        requests = [
            Request(task, Query(self.fps, rate, frames=motion.frames, motion=one))
            for motion, one in zip(given, codes, strict=True)
        ]
        return self.writer.texts(requests, decoding or TEXT, _seed(seed))

    def predict(
        self,
        motions: MotionLike | Sequence[MotionLike],
        frames: int | Sequence[int] | None = None,
        text: str | Sequence[str] | None = None,
        seed: int | None = None,
        decoding: Decoding | None = None,
    ) -> list[Motion]:
        """Each motion and how it goes on; the given frames stay where and as they are.

        Args:
            frames: of the whole, the given ones included; None lets the model end.
            text: what happens, one for all or one each.

        Raises:
            UserError: a motion of another skeleton, or a length with nothing to write.
        """
        given = as_motions(motions, self.skeleton, self.fps)
        words = texts_for_each(text, len(given))
        lengths = one_for_each(frames, len(given), "frames")
        tasks = [
            Continuation(self.writer, motion, self._frames(count, motion.frames + 1), said)
            for motion, count, said in zip(given, lengths, words, strict=True)
        ]
        return self.writer.completed(tasks, decoding or COMPLETION, _seed(seed))

    def in_between(
        self,
        start: MotionLike | Sequence[MotionLike],
        end: MotionLike | Sequence[MotionLike],
        frames: int | Sequence[int],
        text: str | Sequence[str] | None = None,
        seed: int | None = None,
        decoding: Decoding | None = None,
    ) -> list[Motion]:
        """A motion from each start to each end; both stay as they are, and stand where they stood.

        Args:
            start, end: motions of several frames, or of one pose: `motion[0]`, `motion[-1]`.
            frames: of the whole, both ends included.
            text: what happens between, one for all or one each.

        Raises:
            UserError: another number of starts than of ends, a motion of another skeleton, or a
                length with nothing to fill.
        """
        starts = as_motions(start, self.skeleton, self.fps, "start")
        ends = as_motions(end, self.skeleton, self.fps, "end")
        if len(starts) != len(ends):
            raise UserError(f"{len(starts)} starts and {len(ends)} ends: give as many of each")
        words = texts_for_each(text, len(starts))
        lengths = one_for_each(frames, len(starts), "frames")
        tasks = []
        for first, last, count, said in zip(starts, ends, lengths, words, strict=True):
            fewest = first.frames + last.frames + 1
            whole = self._frames(0 if count is None else count, fewest)
            tasks.append(Bridge(self.writer, first, last, whole or fewest, said))
        return self.writer.completed(tasks, decoding or COMPLETION, _seed(seed))

    def chat(
        self,
        messages: str | Message | Sequence[str | Message],
        answer: str = "any",
        seed: int | None = None,
        decoding: Decoding | None = None,
    ) -> list[Reply]:
        """Answers to instructions that mix words and motion.

        Args:
            messages: an instruction is a sentence, or a list of words and motions in their order,
                as `["Describe ", motion, " in words."]`; give one, or a list of them. Each is
                answered for itself.
            answer: "text", "motion", or "any": what the model begins to write.

        Raises:
            UserError: an instruction without words, or with something else in it.
        """
        requests, said = chat_requests(self.writer, messages, answer)
        answers = self.writer.answer(requests, decoding or MOTION, _seed(seed))
        return replies_of(self.writer, answers, said)

    def save_pretrained(self, folder: str | Path, name: str | None = None) -> Path:
        """Write a model folder, which `from_pretrained` opens anywhere."""
        opened, path = self._opened, Path(folder)
        write_model_folder(
            path,
            opened.tokenizer,
            opened.backbone,
            name=name or self.name,
            fps=self.fps,
            skeleton=self.skeleton.name,
            source=opened.source,
            templates=opened.templates,
        )
        return path

    def push_to_hub(self, repository: str, private: bool = False) -> str:
        """Upload the model to the Hugging Face hub as OWNER/NAME; gives the commit's address."""
        import tempfile

        from motiongpt.published.hub import push_to_hub

        with tempfile.TemporaryDirectory() as parent:
            folder = self.save_pretrained(Path(parent) / repository.rpartition("/")[2])
            return push_to_hub(folder, repository, private)

    def __repr__(self) -> str:
        return f"MotionGPT({self.name!r}, {self.skeleton.name}, {self.fps:g} fps)"

    def _frames(self, frames: object, fewest: int = 0) -> int | None:
        if frames is None:
            return None
        rate = self.writer.frames_per_token
        why = f"{fewest - 1} are given" if fewest else "the length of one token"
        return checked_frames(frames, fewest or rate, self.writer.most_tokens * rate, why)


def _device(device: str | torch.device | None) -> torch.device:
    try:
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"device={device} can't be used: {reason}") from error
    return chosen


def _seed(seed: int | None) -> int:
    """A seed; drawn where none is given, so that every call differs."""
    return secrets.randbelow(2**31) if seed is None else int(seed)
