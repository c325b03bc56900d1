"""Another system's motions, read as the configuration of an experiment says what they answer."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evaluation.external.forms.base import Options
from evaluation.external.reading import read_all, understand
from evaluation.external.requests_file import write_requests
from evaluation.external.samples import write_samples
from evaluation.requests.building import SAMPLES, RequestBuilder, RequestSettings, chosen_clips
from evaluation.requests.kinds import KIND_OF_TASK
from evaluation.requests.predictions import PREDICTIONS, About, PredictionSet
from launch.plans.graph import Planned
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

TASKS = tuple(task for task, kind in KIND_OF_TASK.items() if kind != "text")
"""Tasks whose outputs are motions."""
REQUESTS = "requests.jsonl"


@dataclass(frozen=True)
class Brought:
    """Predictions of another system, read.

    Attributes:
        folder: holds `predictions/`, as a run of the generate stage does; gone once scored.
        digest: of all motions and of the captions that asked.
        form: that they had.
        said: what was understood, name -> words.
    """

    folder: Path
    digest: str
    form: str
    said: Mapping[str, str]


@contextmanager
def brought(
    options: argparse.Namespace, reading: Options, stage: Planned, output: Path
) -> Iterator[Brought]:
    """Understand, read and check a folder of motions; the copy below `output` goes in the end.

    Raises:
        UserError: what can't be understood, is missing, or can't be used; nothing is left then.
    """
    made = [one for one in (output, *output.parents) if not one.exists()]
    output.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix=".predictions-", dir=output) as name:
            yield _read(options, reading, stage, output, Path(name))
    finally:
        for one in made:
            with suppress(OSError):  # something has been written
                one.rmdir()


def _read(
    options: argparse.Namespace, reading: Options, stage: Planned, output: Path, folder: Path
) -> Brought:
    store = MotionStore.open(stage.data)
    sets = _sets(_builder(stage, store), options.task)
    external = understand(
        options.folder,
        sets[options.task],
        store,
        reading,
        form=options.form,
        partial=options.partial,
        leave_out=output,
    )
    digest = read_all(external, folder / PREDICTIONS / options.task)
    if options.task + SAMPLES in sets:
        saved = PredictionSet.open(folder / PREDICTIONS / options.task)
        name = options.task + SAMPLES
        write_samples(saved, sets[name], folder / PREDICTIONS / name, store.n_features)
    return Brought(folder, digest, external.form.name, external.said)


def requests_in(folder: Path, stage: Planned, task: str) -> dict[str, Any]:
    """Write what the protocol asks into `folder`; returns the file and how many requests it has."""
    builder = _builder(stage, MotionStore.open(stage.data))
    path = folder / REQUESTS
    count = write_requests(path, builder, _sets(builder, task)[task])
    print(f"wrote {count} requests to {path}")
    return {"requests": str(path), "count": count}


def _builder(stage: Planned, store: MotionStore) -> RequestBuilder:
    protocol: Any = stage.config.protocol
    return RequestBuilder(
        store=store,
        settings=RequestSettings.of(protocol.requests),
        indices=chosen_clips(store, protocol.split, protocol.clips),
        max_frames=protocol.max_frames,
        replications=protocol.replications,
        seed=stage.config.evaluation_seed,
    )


def _sets(builder: RequestBuilder, task: str) -> dict[str, About]:
    sets = builder.sets(task, repeatable=False)
    if not sets:
        raise UserError(
            f"--task {task}: no clip of {builder.store.name} can be asked about (none has a "
            "caption, or frames to generate)"
        )
    return sets
