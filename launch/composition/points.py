"""Configurations of many points, in several processes where there is much to do."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import TypeVar

from tqdm import tqdm

from launch.composition.compose import Composed, Composer
from motiongpt.errors import UserError

# Combinations of choices from which on processes are started, of which each takes seconds to start.
# A point of a known combination is composed as fast as it is handed from one process to another.
SHARED_FROM = 16
BATCH = 4  # points that a process is given at once
BAR_AFTER_SECONDS = 2.0

Outcome = TypeVar("Outcome")


def compose_points(points: Sequence[Sequence[str]]) -> list[Composed]:
    """The configurations of many points, in their order; a bar on a terminal shows how far it is.

    Raises:
        UserError: as `compose_config` does, of the first point that is wrong.
    """
    composer = Composer()
    combinations = [composer.combination(point) for point in points]
    cores = len(os.sched_getaffinity(0))
    if cores == 1 or len(set(combinations)) < SHARED_FROM:
        return list(_shown(map(composer.compose, points), len(points)))
    # A process composes few combinations where points of one follow each other.
    order = sorted(range(len(points)), key=combinations.__getitem__)
    outcomes = _shown(_in_processes([points[one] for one in order], cores), len(points))
    found = dict(zip(order, outcomes, strict=True))
    return [_composed(found[position]) for position in range(len(points))]


def _composed(outcome: Composed | UserError) -> Composed:
    if isinstance(outcome, UserError):
        raise outcome
    return outcome


def _shown(outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    return iter(
        tqdm(
            outcomes,
            "composing",
            total,
            leave=False,
            disable=None,
            delay=BAR_AFTER_SECONDS,
            unit="point",
        )
    )


def _in_processes(
    points: Sequence[Sequence[str]], processes: int
) -> Iterator[Composed | UserError]:
    batches = [points[start : start + BATCH] for start in range(0, len(points), BATCH)]
    with ProcessPoolExecutor(processes, get_context("spawn"), _ignore_interrupts) as pool:
        try:
            for outcomes in pool.map(_compose_batch, batches):
                yield from outcomes
        finally:
            pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    """Ctrl-C reaches all processes of a terminal; the one that gave the work ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _compose_batch(points: Sequence[Sequence[str]]) -> list[Composed | UserError]:
    return [_outcome(point) for point in points]


def _outcome(point: Sequence[str]) -> Composed | UserError:
    try:
        return _composer_of_this_process().compose(point)
    except UserError as error:
        return error


@cache
def _composer_of_this_process() -> Composer:
    return Composer()
