"""Joints of the SMPL family (Loper et al. 2015) from pose and shape: SMPL-H and SMPL-X.

Only joints are computed: the rest joints of a shape, and forward kinematics along the tree. The 22
body joints come first in both models, in the order of the HumanML3D skeleton. The model files are
everybody's own to get; of them the published .npz are read, whose arrays need no unpickling.
Shape letters: T frames, J joints, V vertices, S numbers of a shape.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from motiongpt.arrays import read_arrays
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D

N_JOINTS = HUMANML3D.n_joints  # J: pelvis to wrists; hands and face follow and are not read
GENDERS = ("neutral", "male", "female")
PARTS = ("J_regressor", "v_template", "shapedirs", "kintree_table")
# Where the projects' downloads put the file of a gender, below the folder that is named.
FILES = {
    "smpl": ("SMPL_{GENDER}.npz", "smpl/SMPL_{GENDER}.npz"),
    "smplh": ("{gender}/model.npz", "smplh/{gender}/model.npz"),
    "smplx": ("SMPLX_{GENDER}.npz", "smplx/SMPLX_{GENDER}.npz"),
}


@dataclass(frozen=True)
class SmplJoints:
    """What joints follow from.

    Attributes:
        template: (J, 3) rest joints of the mean shape, metres.
        directions: (J, 3, S) how they move with each number of a shape.
        parents: (J,) the joint that each hangs on, -1 for the pelvis.
    """

    template: np.ndarray
    directions: np.ndarray
    parents: tuple[int, ...]

    @classmethod
    def load(cls, path: Path) -> "SmplJoints":
        """Read a published model file.

        Raises:
            UserError: it can't be read, or is no such model.
        """
        try:
            held = read_arrays(path, only=PARTS)
            regressor, vertices, shapes, tree = (held[name] for name in PARTS)
            first = regressor[:N_JOINTS].astype(np.float64)
            template = first @ vertices.astype(np.float64)
            directions = np.einsum("jv,vds->jds", first, shapes.astype(np.float64))
            parents = tuple(-1 if joint == 0 else int(tree[0, joint]) for joint in range(N_JOINTS))
            if template.shape != (N_JOINTS, 3) or parents != HUMANML3D.parents:
                raise ValueError(f"rest joints {template.shape}, tree {parents}")
        except KeyError as error:
            raise UserError(f"{path}: no {error.args[0]} in it; {_MEND}") from error
        except (OSError, ValueError, IndexError, TypeError) as error:
            raise UserError(f"{path}: no body model ({error}); {_MEND}") from error
        return cls(template, directions, parents)

    def joints(self, pose: np.ndarray, translation: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """Joints (T, J, 3) float32 in metres, in the axes of the pose.

        Args:
            pose: (T, J, 3) rotation vectors in radians, each within its parent.
            translation: (T, 3) metres.
            shape: (S',) numbers of the shape; those that the model does not have are left out.
        """
        count = min(len(shape), self.directions.shape[-1])
        rest = self.template + self.directions[..., :count] @ shape[:count].astype(np.float64)
        frames = len(pose)
        turns = Rotation.from_rotvec(pose.reshape(-1, 3).astype(np.float64)).as_matrix()
        local = turns.reshape(frames, N_JOINTS, 3, 3)
        world = [local[:, 0]]
        placed = [np.repeat(rest[None, 0], frames, axis=0)]
        for joint in range(1, N_JOINTS):
            parent = self.parents[joint]
            world.append(world[parent] @ local[:, joint])
            placed.append(placed[parent] + world[parent] @ (rest[joint] - rest[parent]))
        joints = np.stack(placed, axis=1) + translation[:, None].astype(np.float64)
        return joints.astype(np.float32)


def body_file(folder: Path | None, model: str, gender: str) -> Path:
    """Where the model file of a gender lies below `folder`.

    Args:
        model: "smplx" or "smplh".

    Raises:
        UserError: no folder was named, or the file is not in it.
    """
    names = [one.format(gender=gender, GENDER=gender.upper()) for one in FILES[model]]
    said = f"{model} motion holds rotations: joints need the body model {names[0]}"
    if folder is None:
        raise UserError(
            f"{said}, which its project gives to whoever registers; pass its folder as "
            "--body-models FOLDER"
        )
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise UserError(f"{said}, and {folder} has none (looked for {', '.join(names)})")
    return found


_MEND = "name a folder with the published .npz of SMPL-X or SMPL-H"
