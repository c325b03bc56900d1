"""The stage that puts all requests to a method once and keeps its outputs; nothing judges here."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from evaluation.peers import Watch, alive
from evaluation.predicting_stage import PredictingStage
from evaluation.requests.building import RequestBuilder, RequestSettings, chosen_clips
from evaluation.requests.kinds import KIND_OF_TASK, Kind
from evaluation.requests.predictions import (
    PREDICTIONS,
    About,
    Outputs,
    PredictionSet,
    Stored,
)
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.base import TASKS, Foreseen, Method, MotionFormat, cannot
from motiongpt.preflight import Outlook
from motiongpt.training.stage import MODEL, StageContext

POLL_SECONDS = 0.5
LOG_SECONDS = 30.0


@dataclass(frozen=True)
class Piece:
    """One replication of one set of requests: what a process does on its own.

    Attributes:
        name: of the set.
        saved: where its replications lie.
        number: of the replication.
    """

    name: str
    saved: PredictionSet
    number: int

    @property
    def is_there(self) -> bool:
        """Whether it has been saved."""
        return self.saved.has(self.number)


class GenerateStage(PredictingStage):
    """Leaves `predictions/<task>/`, see `predictions.py`; goes on where it was interrupted.

    A replication depends on its own seed and nothing else: several processes share them out and
    save what one would. If one of them dies, the first does its part.

    Args:
        method: a `_partial_` node that loads a method; called with its parts' folders.
        parts: part of the method -> stage that leaves it.
        requests: that part of a node of conf/protocol.
        tasks: that are asked; None for all that the method can do.
        split, clips: which clips, and how many of them; None for all.
        max_frames: a motion of free length ends here at the latest.
        replications: of outputs that are drawn; others are the same each time and kept once.
        seed: of the first replication.
        stored: type of the numbers of motions on disk.
    """

    distributed: ClassVar[bool] = True

    def __init__(
        self,
        method: DictConfig,
        parts: Mapping[str, str],
        requests: DictConfig,
        tasks: Sequence[str] | None,
        split: str,
        clips: int | None,
        max_frames: int,
        replications: int,
        seed: int,
        stored: Stored = "float32",
    ) -> None:
        self.method, self.parts, self.tasks = method, dict(parts), tasks
        self.request_settings = RequestSettings.of(requests)
        self.split, self.clips, self.max_frames = split, clips, max_frames
        self.replications, self.seed, self.stored = replications, seed, stored

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Options of the method, tasks that it can do, and clips to ask about."""
        kind, foreseen = self._foreseen
        self._tasks(kind.name, foreseen.tasks)
        if outlook.store is None:
            return ()
        sets = self._sets(self._builder(outlook.store), kind.name, foreseen)
        if not any(sets.values()):
            raise UserError(self._nothing_to_ask())
        return [_unasked(task) for task, asked in sets.items() if not asked]

    @property
    def kinds(self) -> frozenset[Kind]:
        """See `PredictingStage.kinds`."""
        kind, foreseen = self._foreseen
        found = {KIND_OF_TASK[task] for task in self._tasks(kind.name, foreseen.tasks)}
        drawn = "motion" in found and self.request_settings.texts
        several: set[Kind] = {"samples"} if drawn else set()
        return frozenset(found | several)

    def planned(self, store: MotionStore) -> dict[str, About]:
        """See `PredictingStage.planned`."""
        kind, foreseen = self._foreseen
        sets = self._sets(self._builder(store), kind.name, foreseen)
        return {name: about for asked in sets.values() for name, about in asked.items()}

    def most_frames(self, about: About) -> Mapping[str, int]:
        """A sentence has none, and a motion of free length ends at `max_frames`."""
        known = super().most_frames(about)
        if about.kind == "text":
            return dict.fromkeys(known, 0)
        free = self.request_settings.length == "own" and about.kind in ("motion", "samples")
        return dict.fromkeys(known, self.max_frames) if free else known

    @cached_property
    def _foreseen(self) -> tuple[type[Method], Foreseen]:
        made = instantiate(self.method)
        kind: type[Method] = made.func.__self__  # its class method `load`, with some arguments
        return kind, kind.foresee(**made.keywords)

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Ask and save; reports how many outputs of each task there are.

        Raises:
            UserError: a task that the method cannot do, or no clip can be asked about.
        """
        store, processes = context.store, context.processes
        folders = {part: context.parents[stage] / MODEL for part, stage in self.parts.items()}
        format = MotionFormat(store.fps, store.skeleton)
        method: Method = instantiate(self.method)(folders, format, context.device)
        builder = self._builder(store)
        pieces: list[Piece] = []
        counts: dict[str, float] = {}
        for task, sets in self._sets(builder, method.name, method).items():
            if not sets:
                context.log(f"  generate: {_unasked(task)}")
            for name, about in sets.items():
                pieces += _pieces(context, name, about)
                counts[f"{name}/outputs"] = float(
                    len(about.clips) * about.samples * len(about.seeds)
                )
        if not counts:
            raise UserError(self._nothing_to_ask())
        with alive(context.folder, processes.rank):
            for piece in pieces[processes.rank :: processes.world]:
                _generate(context, method, builder, piece)
            if processes.is_first:
                for piece in _left_over(pieces, context):
                    _generate(context, method, builder, piece)
        return counts

    def _builder(self, store: MotionStore) -> RequestBuilder:
        indices = chosen_clips(store, self.split, self.clips)
        return RequestBuilder(
            store, self.request_settings, indices, self.max_frames, self.replications, self.seed
        )

    def _sets(
        self, builder: RequestBuilder, name: str, method: Method | Foreseen
    ) -> dict[str, dict[str, About]]:
        """Task -> what is asked; nothing where no clip can be asked for the task."""
        tasks = self._tasks(name, method.tasks)
        sets = {task: builder.sets(task, task in method.repeatable) for task in tasks}
        return {
            task: {one: replace(about, stored=self.stored) for one, about in asked.items()}
            for task, asked in sets.items()
        }

    def _tasks(self, name: str, able: frozenset[str]) -> list[str]:
        if self.tasks is None:
            return [task for task in TASKS if task in able]
        if not self.tasks:
            raise UserError(
                f"protocol.tasks=[]: name a task of {name}, or null for all that it can do"
            )
        for task in self.tasks:
            if task not in able:
                raise UserError(f"protocol.tasks: {cannot(name, task, able)}")
        return list(self.tasks)

    def _nothing_to_ask(self) -> str:
        return f"no clip of the {self.split} split can be asked for any task"


def _unasked(task: str) -> str:
    return f"no clip can be asked for {task}"


def _pieces(context: StageContext, name: str, about: About) -> Iterator[Piece]:
    """All replications of a set, whether they are there or not: processes that start at different
    moments must share them out alike."""
    folder = context.folder / PREDICTIONS / name
    first = context.processes.is_first
    saved = PredictionSet.create(folder, about) if first else PredictionSet(folder, about)
    for number in range(len(about.seeds)):
        yield Piece(name, saved, number)


def _generate(context: StageContext, method: Method, builder: RequestBuilder, piece: Piece) -> None:
    if piece.is_there:
        return
    about = piece.saved.about
    requests, captions = builder.requests(about, piece.number)
    context.log(
        f"  generate: {piece.name}, replication {piece.number + 1}/{len(about.seeds)}, "
        f"{len(requests)} requests"
    )
    seed = about.seeds[piece.number]
    torch.manual_seed(seed)
    outputs = method.generate(requests, seed)
    empty = np.zeros((0, context.store.n_features), np.float32)
    piece.saved.write(
        piece.number,
        Outputs(
            captions=captions,
            prompts=[output.prompt for output in outputs],
            texts=[output.text for output in outputs],
            motions=[empty if output.motion is None else output.motion for output in outputs],
        ),
    )


def _left_over(pieces: Sequence[Piece], context: StageContext) -> Iterator[Piece]:
    """Wait until every process has done its part; give the parts of those that have died."""
    watch, world = Watch(context.folder), context.processes.world
    logged = time.monotonic()
    while missing := [number for number, piece in enumerate(pieces) if not piece.is_there]:
        for number in missing:
            rank = number % world
            if rank == context.processes.rank or watch.is_silent(rank):
                context.log(f"  generate: process {rank} is silent; its part is done here")
                yield pieces[number]
        if time.monotonic() - logged > LOG_SECONDS:
            logged = time.monotonic()
            context.log(
                f"  generate: waiting for {len(missing)} of {len(pieces)} replications of other "
                "processes"
            )
        time.sleep(POLL_SECONDS)
