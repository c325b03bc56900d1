"""One function over many arguments in several processes, a few ahead of the one awaited."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

# Arguments handed to each worker ahead of the one awaited.
_AHEAD = 8

Result = TypeVar("Result")


def in_order(
    function: Callable[..., Result], arguments: Iterable[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """`function(*item)` of each item, in their order, whatever the number of workers.

    Items are taken from `arguments` as they are needed, so that files that they hold need not lie
    in memory all at once.

    Args:
        workers: processes; 0 computes in this one.
    """
    if not workers:
        for item in arguments:
            yield function(*item)
        return
    # Spawned, because forking a process in which torch runs threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in arguments:
                waiting.append(pool.submit(function, *item))
                if len(waiting) > _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
