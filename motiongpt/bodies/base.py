"""What a body is, for whoever fits, draws or exports one.

Shape letters: C clips, T frames, J joints, V vertices, S numbers of a shape.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class BodyMotion:
    """One clip as a body moves it: its shape is constant, and so are its bones.

    Attributes:
        shape: (S,) float32, numbers of the body.
        rotations: (T, J, 3) float32 rotation vectors in radians, each within its parent.
        root: (T, 3) float32 metres, where the pelvis is; Y up.
        fps: frames per second.
    """

    shape: np.ndarray
    rotations: np.ndarray
    root: np.ndarray
    fps: float

    @property
    def frames(self) -> int:
        """T."""
        return len(self.root)


class Body(Protocol):
    """A shape gives rest joints and, with a pose, a mesh; all of it can be differentiated.

    Attributes:
        name: as the command line has it.
        faces: (F, 3) int64 corners of the mesh's triangles.
        n_shape: S; numbers of a shape, 0 for the mean; the fit's prior takes each to be within a
            few of it.
        any_branches: whether a shape can put hips, first spine joint, neck and collars anywhere.
        hinge_axes: (4, 3) about which knees and elbows bend in the rest pose, as `tree.HINGES`.
        hinge_bends: (4,) radians that they are bent by in the rest pose.
    """

    name: str
    faces: np.ndarray
    n_shape: int
    any_branches: bool
    hinge_axes: Tensor
    hinge_bends: Tensor

    def rest_joints(self, shape: Tensor) -> Tensor:
        """Joints (C, J, 3) in metres of shapes (C, S) in the rest pose."""
        ...

    def vertices(self, shape: Tensor, rotations: Tensor, root: Tensor) -> Tensor:
        """(T, V, 3) metres of a shape (S,), rotations (T, J, 3) in radians, pelvis at (T, 3)."""
        ...


def mesh_of(body: Body, motion: BodyMotion, device: str | torch.device = "cpu") -> np.ndarray:
    """The mesh of a clip, (T, V, 3) float32 metres, some frames at a time."""
    shape = torch.from_numpy(motion.shape).to(device)
    parts = []
    with torch.no_grad():
        for start in range(0, motion.frames, _FRAMES):
            some = slice(start, start + _FRAMES)
            turns = torch.from_numpy(motion.rotations[some]).to(device)
            root = torch.from_numpy(motion.root[some]).to(device)
            parts.append(body.vertices(shape, turns, root).cpu().numpy())
    return np.concatenate(parts)


_FRAMES = 64  # whose meshes are computed at once
