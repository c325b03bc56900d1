"""The free body on a page: its mesh once, and what each clip brings to wear it.

Shape letters: T frames, J joints, R joints that turn, V vertices.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from motiongpt.bodies.base import BodyMotion
from motiongpt.bodies.free_body import FreeBody
from motiongpt.bodies.tree import NAMES, PARENTS, TURNING
from motiongpt.render.looks import SIDES, side_of
from motiongpt.viewer.packing import packed, quantised


def packed_body(body: FreeBody) -> dict[str, Any]:
    """Mesh, weights and skeleton, as `page/body.js` reads them."""
    return {
        "vertices": quantised(body.template.numpy()),
        "faces": packed(body.faces.astype(np.uint16)),
        "bones": packed(body.bones.numpy().astype(np.uint8)),
        "weights": packed(_bytes_of(body.weights.numpy())),
        "parents": list(PARENTS),
        "turning": list(TURNING),
        "sides": [_side(name) for name in NAMES],
    }


def packed_worn(body: FreeBody, motion: BodyMotion) -> dict[str, Any]:
    """How the mesh fits the clip's bones, and how they turn."""
    maps, rest = body.rest_maps(torch.from_numpy(motion.shape))
    turns = motion.rotations[:, list(TURNING)].reshape(-1, 3).astype(np.float64)
    quaternions = Rotation.from_rotvec(turns).as_quat().reshape(motion.frames, -1, 4)
    return {
        "maps": packed(maps.numpy()),
        "rest": packed(rest.numpy()),
        "turns": quantised(_without_jumps(quaternions)),
        "root": packed(motion.root),
    }


def _without_jumps(quaternions: np.ndarray) -> np.ndarray:
    """(T, R, 4), each on the side of the one before: small steps pack well."""
    flips = np.where((quaternions[1:] * quaternions[:-1]).sum(-1) < 0, -1.0, 1.0)
    found = quaternions.copy()
    found[1:] *= np.cumprod(flips, axis=0)[..., None]
    return found


def _bytes_of(weights: np.ndarray) -> np.ndarray:
    """(V, K) uint8 whose sums are 255: what rounding leaves goes to the largest."""
    whole = np.floor(weights * 255).astype(int)
    rows: Sequence[int] = range(len(whole))
    whole[rows, weights.argmax(1)] += 255 - whole.sum(1)
    return whole.astype(np.uint8)


def _side(name: str) -> int | None:
    """0 for a joint of the left arm or leg, 1 of the right; None for what is in the middle."""
    side = side_of(name)
    return None if side is None else SIDES.index(side)
