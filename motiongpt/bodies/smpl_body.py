"""SMPL, SMPL-H and SMPL-X as bodies to fit: what their files hold, posed by the smplx package.

Joints need the rest joints of a shape only, which are linear in it; meshes are `smplx.lbs`'s, with
the shape and the pose that bend the skin. Hands and face stay at rest (fingers flat).
Shape letters: C clips, T frames, J joints, V vertices, A joints of the model, S numbers of a shape.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motiongpt.arrays import read_arrays
from motiongpt.bodies.smpl_joints import FILES
from motiongpt.bodies.tree import HINGES, N_JOINTS, PARENTS
from motiongpt.errors import UserError

N_SHAPE = 10  # S: as joints2smpl fits, and all that SMPL's files of everybody's hold
PARTS = (
    "v_template",
    "shapedirs",
    "posedirs",
    "J_regressor",
    "kintree_table",
    "weights",
    "f",
)
JOINTS = {"smpl": 24, "smplh": 52, "smplx": 55}  # A
WHERE = {
    "smpl": "https://smpl.is.tue.mpg.de",
    "smplh": "https://mano.is.tue.mpg.de (Extended SMPL+H)",
    "smplx": "https://smpl-x.is.tue.mpg.de",
}
# A folder of several models has one of its own for each: there it is looked for first.
PLACES = {name: files[::-1] for name, files in FILES.items()}
PICKLED = {"smpl": ("smpl/SMPL_{GENDER}.pkl", "SMPL_{GENDER}.pkl")}


class SmplFamilyBody:
    """See `base.Body`; S is the model's first ten."""

    any_branches = False

    def __init__(
        self,
        name: str,
        gender: str,
        arrays: Mapping[str, np.ndarray],
        device: str | torch.device = "cpu",
    ) -> None:
        """Take a model's arrays, as `load_smpl` reads them.

        Raises:
            ValueError: arrays of other shapes than such a model's.
        """
        self.name, self.gender = name, gender
        self.faces: np.ndarray = arrays["f"].astype(np.int64)
        held = {one: torch.from_numpy(arrays[one].astype(np.float32)) for one in PARTS[:4]}
        tree = arrays["kintree_table"][0].astype(np.int64)
        self._parents = torch.from_numpy(np.concatenate([[-1], tree[1:]])).to(device)
        self._check(held, arrays["weights"])
        self._template = held["v_template"].to(device)
        self.n_shape = min(N_SHAPE, held["shapedirs"].shape[-1])
        self._directions = held["shapedirs"][..., : self.n_shape].contiguous().to(device)
        posed = held["posedirs"]
        self._pose_directions = posed.reshape(-1, posed.shape[-1]).T.contiguous().to(device)
        self._regressor = held["J_regressor"].to(device)
        self._weights = torch.from_numpy(arrays["weights"].astype(np.float32)).to(device)
        self._joints = self._regressor[:N_JOINTS] @ self._template
        self._joint_directions = torch.einsum(
            "jv,vds->jds", self._regressor[:N_JOINTS], self._directions
        )
        self.hinge_axes = torch.tensor([one.axis for one in HINGES], device=device)
        self.hinge_bends = torch.zeros(len(HINGES), device=device)

    def rest_joints(self, shape: Tensor) -> Tensor:
        """See `Body.rest_joints`."""
        return self._joints + torch.einsum("jds,cs->cjd", self._joint_directions, shape)

    def vertices(self, shape: Tensor, rotations: Tensor, root: Tensor) -> Tensor:
        """See `Body.vertices`; by smplx's linear blend skinning."""
        from smplx.lbs import lbs

        frames = len(rotations)
        pose = rotations.new_zeros(frames, len(self._parents), 3)
        pose[:, :N_JOINTS] = rotations
        skin, _ = lbs(
            shape.expand(frames, -1),
            pose.flatten(1),
            self._template,
            self._directions,
            self._pose_directions,
            self._regressor,
            self._parents,
            self._weights,
        )
        return skin + self.translation(shape, root)[:, None]

    def translation(self, shape: Tensor, root: Tensor) -> Tensor:
        """What the family calls `trans`, (T, 3): the pelvis (T, 3) less that of the rest pose."""
        return root - self.rest_joints(shape[None])[0, 0]

    def _check(self, held: Mapping[str, Tensor], weights: np.ndarray) -> None:
        joints, vertices = JOINTS[self.name], len(held["v_template"])
        expected = {
            "v_template": (vertices, 3),
            "J_regressor": (joints, vertices),
            "shapedirs": (vertices, 3, held["shapedirs"].shape[-1]),
            "posedirs": (vertices, 3, 9 * (joints - 1)),
        }
        found = {one: tuple(array.shape) for one, array in held.items()}
        if found != expected or weights.shape != (vertices, joints):
            raise ValueError(f"arrays of shapes {found}, weights {weights.shape}")
        if tuple(self._parents[:N_JOINTS].tolist()) != PARENTS:
            raise ValueError("its first 22 joints hang together in another way")
        wrong = [one for one, array in held.items() if not bool(array.isfinite().all())]
        if wrong or self.faces.min() < 0 or self.faces.max() >= vertices:
            raise ValueError(f"NaN in {', '.join(wrong)}" if wrong else "faces of no vertex")


def load_smpl(
    folder: Path | None, name: str, gender: str = "neutral", device: str | torch.device = "cpu"
) -> SmplFamilyBody:
    """Read a model's file below a folder; nothing in it is unpickled.

    Args:
        name: "smpl", "smplh" or "smplx".

    Raises:
        UserError: no folder was named, it has no such file, or the file is of another kind.
    """
    path = _model_file(folder, name, gender)
    try:
        arrays = read_arrays(path, only=PARTS)
        missing = [one for one in PARTS if one not in arrays]
        if missing:
            raise ValueError(f"no {', '.join(missing)} in it")
        return SmplFamilyBody(name, gender, arrays, device)
    except (OSError, ValueError, IndexError) as error:
        raise UserError(f"{path}: no {name} model ({error}); {_README}") from error


def _model_file(folder: Path | None, name: str, gender: str) -> Path:
    names = [one.format(gender=gender, GENDER=gender.upper()) for one in PLACES[name]]
    needed = f"body={name} needs {names[0]}, which {WHERE[name]} gives to whoever registers"
    if folder is None:
        raise UserError(
            f"{needed}; put it into a folder and pass that as --body-models FOLDER, or leave "
            f"--body out for the free body; {_README}"
        )
    for one in names:
        if (folder / one).is_file():
            return folder / one
    for one in PICKLED.get(name, ()):
        pickled = folder / one.format(GENDER=gender.upper())
        if pickled.is_file():
            raise UserError(
                f"{pickled}: a pickle, which could run any program and is not opened; convert it "
                f"to {names[0]} as motiongpt/bodies/README.md shows"
            )
    raise UserError(f"{needed}; {folder} has none (looked for {', '.join(names)}); {_README}")


_README = "motiongpt/bodies/README.md says what goes where"
