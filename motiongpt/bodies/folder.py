"""Fitting many files: batch by batch, going on where an earlier run of the same command ended.

Clips are batched by their order alone, so a run that was killed and goes on fits the same batches.
A clip's `.npz` is written last and says what it was made of; while that is still so, the clip is
not fitted again.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from motiongpt.arrays import read_arrays
from motiongpt.bodies.base import Body, mesh_of
from motiongpt.bodies.fitting import DEFAULT, FitOptions, Fitted, fit
from motiongpt.bodies.results import save_parameters, save_ply
from motiongpt.errors import UserError
from motiongpt.files import save_array
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D

VERSION = 1  # of what a fit gives; raised where the same input gets other numbers
Read = Callable[[Path], MotionSequence]


@dataclass(frozen=True)
class Outcome:
    """What became of a clip: fitted, there already, or the problem that it has."""

    name: str
    fitted: Fitted | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Written:
    """Which files a clip gets besides its parameters.

    Attributes:
        vertices: `NAME.vertices.npy`, (T, V, 3) float32 metres, Y up.
        ply: `NAME/00000.ply` … a mesh a frame.
    """

    vertices: bool = False
    ply: bool = False


PARAMETERS = Written()  # alone


def fit_files(
    body: Body,
    files: Mapping[str, Path],
    out: Path,
    read: Read,
    options: FitOptions = DEFAULT,
    written: Written = PARAMETERS,
    batch: int = 32,
    device: str | torch.device = "cpu",
    progress: Callable[[int], object] | None = None,
) -> Iterator[Outcome]:
    """Fit each file and write what is asked for into `out`.

    Args:
        body: on `device`.
        files: name of the result -> motion of HumanML3D's 22 joints.
        read: gives a file's motion.
        batch: clips that are fitted at once.
        progress: told of each step of a batch.

    Raises:
        OSError: `out` can't be written.
    """
    names = sorted(files)
    for first in range(0, len(names), batch):
        yield from _fit_batch(
            body,
            {name: files[name] for name in names[first : first + batch]},
            out,
            read,
            options,
            written,
            device,
            progress,
        )


def _fit_batch(
    body: Body,
    files: Mapping[str, Path],
    out: Path,
    read: Read,
    options: FitOptions,
    written: Written,
    device: str | torch.device,
    progress: Callable[[int], object] | None,
) -> Iterator[Outcome]:
    records, problems = {}, {}
    for name, path in files.items():
        try:
            records[name] = _record(path, body, options)
        except OSError as error:
            problems[name] = f"{path}: {error.strerror or error}"
    done = [name for name, record in records.items() if _is_done(out, name, record, written)]
    if len(done) < len(records):
        motions = _read_all({name: files[name] for name in records}, read, problems)
        for name, fitted in _fit_by_rate(body, motions, options, device, progress):
            if name not in done:
                record = records[name] | {"mean_joint_error_mm": round(fitted.error * 1000, 3)}
                _write(out, name, body, fitted, record, written, device)
                yield Outcome(name, fitted)
    yield from (Outcome(name) for name in done)
    yield from (Outcome(name, problem=problem) for name, problem in problems.items())


def _read_all(
    files: Mapping[str, Path], read: Read, problems: dict[str, str]
) -> dict[str, MotionSequence]:
    found = {}
    for name, path in files.items():
        try:
            motion = read(path)
            if motion.skeleton.name != HUMANML3D.name:
                raise UserError(
                    f"{path}: a motion of {motion.skeleton.name}'s skeleton; bodies are fitted to "
                    f"HumanML3D's {HUMANML3D.n_joints} joints"
                )
            found[name] = motion
        except UserError as error:
            problems[name] = str(error)
    return found


def _fit_by_rate(
    body: Body,
    motions: Mapping[str, MotionSequence],
    options: FitOptions,
    device: str | torch.device,
    progress: Callable[[int], object] | None,
) -> Iterator[tuple[str, Fitted]]:
    """Clips of one frame rate together."""
    for fps in sorted({motion.fps for motion in motions.values()}):
        names = [name for name, motion in motions.items() if motion.fps == fps]
        clips = [motions[name].joints for name in names]
        yield from zip(names, fit(body, clips, fps, options, device, progress), strict=True)


def _record(path: Path, body: Body, options: FitOptions) -> dict[str, object]:
    return {
        "version": VERSION,
        "source_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "body": body.name,
        "gender": getattr(body, "gender", None),
        "options": asdict(options),
    }


def _is_done(out: Path, name: str, record: Mapping[str, object], written: Written) -> bool:
    try:
        held = read_arrays(_parameters(out, name), only=["motiongpt", "poses", "rotations"])
        found = json.loads(str(held["motiongpt"]))
        frames = len(held["poses"] if "poses" in held else held["rotations"])
    except (OSError, ValueError, KeyError):  # none, or not of this command: it is made anew
        return False
    meshes = out / name
    return (
        {key: found.get(key) for key in record} == record
        and (not written.vertices or _vertices(out, name).is_file())
        and (not written.ply or len(list(meshes.glob("*.ply"))) == frames)
    )


def _parameters(out: Path, name: str) -> Path:
    return out / f"{name}.npz"


def _vertices(out: Path, name: str) -> Path:
    return out / f"{name}.vertices.npy"


def _write(
    out: Path,
    name: str,
    body: Body,
    fitted: Fitted,
    record: dict[str, object],
    written: Written,
    device: str | torch.device,
) -> None:
    if written.vertices or written.ply:
        mesh = mesh_of(body, fitted.motion, device)
        if written.vertices:
            save_array(_vertices(out, name), mesh)
        if written.ply:
            for frame, vertices in enumerate(mesh):
                save_ply(out / name / f"{frame:05d}.ply", vertices, body.faces)
    save_parameters(_parameters(out, name), body, fitted.motion, record)


def named(paths: Sequence[Path], above: Path) -> dict[str, Path]:
    """Name of each file's result: its path below `above` without the ending.

    Raises:
        UserError: two files would have the same.
    """
    found: dict[str, Path] = {}
    for path in paths:
        name = str(path.relative_to(above).with_suffix(""))
        if name in found:
            raise UserError(
                f"{path} and {found[name].name}: both would become {name}.npz; move one of them"
            )
        found[name] = path
    return found
