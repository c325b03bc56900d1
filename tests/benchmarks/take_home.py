"""What rigid skeletons and clean-up do to motions: a table in Markdown.

    python -m tests.benchmarks.take_home synthetic generated=runs/generate/…/predictions/text_to_motion
    python -m tests.benchmarks.take_home bandai=bandai_all.tar.xz --every 59 --rotations

Each set is NAME=PATH of a predictions folder, a .tar.xz with BVH files or an .npz of joints
(frames, joints, 3), or the word `synthetic`. `--rotations` also prints the 99.9th percentile of the
angles by which the BVH files' own joints turn from frame to frame, which bounds what is allowed.

Shape letters: T frames, J joints.
"""

import argparse
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from evaluation.metrics.floor_contact import TOLERANCE, lowest_heights, sliding_speeds
from evaluation.metrics.jitter import jerks
from evaluation.requests.predictions import PredictionSet
from motiongpt.data.bvh import Bvh, parse_bvh
from motiongpt.data.bvh_forward import about_axis
from motiongpt.data.bvh_joints import mapped_joints, on_the_floor
from motiongpt.data.own_bvh import mapping_of
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.motion.cleaning import STEPS, cleaned
from motiongpt.motion.rigid import rigid_motion
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.motion.turns import steps

FPS = 20.0
LONGEST = 400  # frames
COLUMNS = (
    "set",
    "form",
    "bones vary by (mm)",
    "from decoded (mm)",
    "largest turn (°/frame)",
    "sliding (m/s)",
    "jitter (m/s³)",
    "floating (mm)",
    "penetration (mm)",
)


def main() -> None:
    """Print the table, a set after the other."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=PATH")
    parser.add_argument("--clips", type=int, default=50, help="of each set; default: 50")
    parser.add_argument("--every", type=int, default=1, help="take each n-th file of an archive")
    parser.add_argument("--rotations", action="store_true")
    options = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    for word in options.sets:
        name, _, path = word.partition("=")
        clips = list(islice(_clips(name, Path(path), options), options.clips))
        decoded = [np.asarray(clip, np.float64) for clip in clips]
        rigid = [cleaned(one, HUMANML3D, FPS, rigid=True) for one in decoded]
        clean = [cleaned(one, HUMANML3D, FPS, STEPS, rigid=True) for one in decoded]
        for form, moved in (("as it is", decoded), ("rigid", rigid), ("rigid, cleaned", clean)):
            print(_row(f"{name}, {len(clips)} clips", form, moved, decoded))


def _row(name: str, form: str, clips: list[np.ndarray], decoded: list[np.ndarray]) -> str:
    parents = list(HUMANML3D.parents[1:])
    spread = max(
        np.ptp(np.linalg.norm(one[:, 1:] - one[:, parents], axis=-1), axis=0).max() for one in clips
    )
    away = [np.linalg.norm(a - b, axis=-1) for a, b in zip(clips, decoded, strict=True)]
    turns = [rigid_motion(one, HUMANML3D, FPS).rotations for one in clips if form != "as it is"]
    largest = max(
        (np.degrees(steps(one[:, j])).max() for one in turns for j in range(22)), default=0
    )
    lows = np.concatenate([lowest_heights(one) for one in clips])
    values = (
        f"{1e3 * spread:.2f}",
        f"{1e3 * np.concatenate(away).mean():.1f}",
        f"{largest:.1f}" if turns else "–",
        f"{np.concatenate([sliding_speeds(one, HUMANML3D, FPS) for one in clips]).mean():.3f}",
        f"{np.concatenate([jerks(one, FPS) for one in clips]).mean():.0f}",
        f"{1e3 * np.maximum(lows - TOLERANCE, 0).mean():.1f}",
        f"{1e3 * np.maximum(-lows - TOLERANCE, 0).mean():.1f}",
    )
    return "| " + " | ".join((name, form, *values)) + " |"


def _clips(name: str, path: Path, options: argparse.Namespace) -> Iterator[np.ndarray]:
    if name == "synthetic":
        yield from (np.asarray(clip.joints) for clip in SyntheticSource(seed=4).clips())
    elif path.suffix == ".npz":
        with np.load(path) as held:
            yield from (on_the_floor(held[one]) for one in held.files)
    elif path.is_dir():
        outputs = PredictionSet.open(path).read(0, HUMANML3D.n_features)
        for features in outputs.motions:
            if len(features) > 10:
                yield MotionSequence.from_features(features, FPS).joints
    else:
        yield from _archive(path, options)


def _archive(path: Path, options: argparse.Namespace) -> Iterator[np.ndarray]:
    angles: list[np.ndarray] = []
    with tarfile.open(path) as archive:
        files = (one for one in archive if one.name.endswith(".bvh"))
        for member in islice(files, 0, options.clips * options.every, options.every):
            stream = archive.extractfile(member)
            assert stream is not None
            bvh = parse_bvh(stream.read(), member.name)
            try:
                joints = mapped_joints(bvh, mapping_of(bvh, member.name), FPS, member.name)
            except UserError as error:
                print(error)
                continue
            if options.rotations:
                angles += own_turns(bvh)
            yield on_the_floor(joints[1:LONGEST])  # a first frame may be a T-pose
    if angles:
        found = np.degrees(np.concatenate(angles))
        print(f"own rotations: 99.9 % below {np.percentile(found, 99.9):.1f}°, {found.max():.1f}°")


def own_turns(bvh: Bvh) -> list[np.ndarray]:
    """Angles (T - 1,) in radians by which each joint of a file turns in a frame of 1 / `FPS` s."""
    times = np.arange(len(bvh.values)) * bvh.frame_time
    wanted = np.arange(bvh.frame_time, times[-1], 1 / FPS)  # the first frame may be a T-pose
    found = []
    for joint in bvh.joints:
        turn = np.tile(np.eye(3), (len(times), 1, 1))
        for column, channel in enumerate(joint.channels, joint.first_channel):
            if channel.endswith("rotation"):
                turn = turn @ about_axis("XYZ".index(channel[0]), bvh.values[:, column])
        if joint.channels and len(wanted) > 1:
            found.append(steps(Slerp(times, Rotation.from_matrix(turn))(wanted).as_matrix()))
    return found


if __name__ == "__main__":
    main()
