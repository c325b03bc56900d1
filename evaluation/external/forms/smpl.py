"""SMPL-X and SMPL-H motion: rotations and a shape, whose joints need the body model.

AMASS's .npz (Mahmood et al. 2019): `poses` (T, 156) of SMPL-H or (T, 165) of SMPL-X, or its parts
`root_orient` (T, 3) and `pose_body` (T, 63); `trans` (T, 3), `betas`, `gender` and the frame rate,
Z up. Files with smplx's own names (`global_orient`, `body_pose`, `transl`) are read too, Y up.
Shape letters: T frames, J joints.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from evaluation.external.forms.base import Options, Target, unreadable
from evaluation.external.forms.joint_form import JointForm
from motiongpt.arrays import read_arrays
from motiongpt.bodies.smpl_joints import GENDERS, N_JOINTS, SmplJoints, body_file
from motiongpt.data.bvh import MAX_FPS, MIN_FPS
from motiongpt.data.checks import array_problem
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D, Skeleton
from motiongpt.reading import file_size

ROOTS = ("root_orient", "global_orient")
BODIES = ("pose_body", "body_pose")
PLACES = ("trans", "transl")
RATES = ("mocap_frame_rate", "mocap_framerate", "fps")
READ = ("poses", *ROOTS, *BODIES, *PLACES, *RATES, "betas", "gender")
SMPLH_POSE = 156  # numbers a frame of SMPL-H's 52 joints; SMPL-X's 55 have 165
BODY_POSE = 3 * N_JOINTS
MOST_BETAS = 300  # numbers of a shape; in SMPL-X those of the face follow


class SmplForm(JointForm):
    """What the forms of this family share: bodies, read once each."""

    takes = frozenset({"fps", "up_axis", "body_models"})

    def __init__(self, options: Options, target: Target) -> None:
        super().__init__(options, target)
        self._bodies: dict[tuple[str, str], SmplJoints] = {}

    def posed(
        self, model: str, gender: str, pose: np.ndarray, place: np.ndarray, shape: np.ndarray
    ) -> np.ndarray:
        """Joints (T, J, 3) of pose (T, 3 J) in radians, place (T, 3) and shape (S,).

        Raises:
            UserError: no model file of this kind and gender.
        """
        key = (model, gender)
        if key not in self._bodies:
            self._bodies[key] = SmplJoints.load(body_file(self.options.body_models, *key))
        turns = pose.reshape(len(pose), N_JOINTS, 3)
        return self._bodies[key].joints(turns, place, shape)


class Smpl(SmplForm):
    """`.npz` of rotations and a shape, as AMASS and smplx have them."""

    name = "smpl"
    ending = ".npz"
    expects = "poses, or root_orient and pose_body, with trans and betas, as AMASS has them"

    @classmethod
    def fits(cls, path: Path, skeleton: Skeleton) -> bool:
        """See `Form.fits`."""
        file_size(path)
        try:
            with zipfile.ZipFile(path) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise ValueError(f"no whole .npz file: {error}") from error
        posed = "poses" in names or (names & {*ROOTS} and names & {*BODIES})
        return skeleton.name == HUMANML3D.name and bool(posed and names & {*PLACES})

    def raw(self, path: Path) -> tuple[np.ndarray, float | None]:
        """See `JointForm.raw`."""
        held = _held(path)
        pose = _pose(held)
        place = _rows(held, PLACES, 3)
        if len(pose) != len(place):
            raise UserError(f"{len(pose)} frames of pose, {len(place)} of {'/'.join(PLACES)}")
        joints = self.posed(_model(held), _gender(held), pose, place, _shape(held))
        return joints, _rate(held)

    def up_axis(self, path: Path) -> str:
        """See `JointForm.up_axis`: AMASS says the capture's frame rate, and has Z up."""
        if self.options.up_axis is not None:
            return self.options.up_axis
        return "Z" if _held(path, RATES[:2]) else "Y"

    def rate(self, stated: float | None) -> float:
        """See `JointForm.rate`."""
        if stated is None and self.options.fps is None:
            raise UserError(f"none of {', '.join(RATES)} in it; give the frame rate as --fps")
        return super().rate(stated)


def _held(path: Path, names: tuple[str, ...] = READ) -> Mapping[str, np.ndarray]:
    try:
        return read_arrays(path, only=names)
    except (OSError, ValueError) as error:
        raise UserError(unreadable(error)) from error


def _pose(held: Mapping[str, np.ndarray]) -> np.ndarray:
    """(T, 3 J) radians of the 22 body joints."""
    if "poses" in held:
        poses = held["poses"]
        if poses.ndim != 2 or poses.shape[1] < BODY_POSE:
            raise UserError(
                f"poses of shape {poses.shape}; expected (frames, 156) or (frames, 165)"
            )
        return _checked(poses[:, :BODY_POSE], BODY_POSE, "poses")
    root, body = _rows(held, ROOTS, 3), _rows(held, BODIES, BODY_POSE - 3)
    if len(root) != len(body):
        raise UserError(f"{len(root)} frames of {'/'.join(ROOTS)}, {len(body)} of the body's pose")
    return np.concatenate([root, body], axis=1)


def _rows(held: Mapping[str, np.ndarray], names: tuple[str, ...], width: int) -> np.ndarray:
    name = next((one for one in names if one in held), None)
    if name is None:
        raise UserError(f"no {' or '.join(names)} in it")
    values = held[name]
    flat = values.reshape(len(values), -1) if values.ndim > 2 and values.size else values
    return _checked(flat, width, name)


def _checked(values: np.ndarray, width: int, name: str) -> np.ndarray:
    problem = array_problem(values, (width,), 1, name)
    if problem:
        raise UserError(problem)
    return values.astype(np.float64)


def _shape(held: Mapping[str, np.ndarray]) -> np.ndarray:
    """Numbers of the shape, (S,); of one for each frame the first; none where there are none."""
    betas = held.get("betas", np.zeros(0))
    betas = betas[0] if betas.ndim == 2 and len(betas) else betas
    if betas.ndim != 1 or betas.dtype.kind != "f" or len(betas) > MOST_BETAS:
        raise UserError(f"betas of {betas.dtype} and shape {betas.shape}; expected some numbers")
    if not np.isfinite(betas).all():
        raise UserError("NaN or infinity in betas")
    return betas


def _model(held: Mapping[str, np.ndarray]) -> str:
    """Which model the pose is of; parts without a width that tells are SMPL-X's."""
    return "smplh" if "poses" in held and held["poses"].shape[1] == SMPLH_POSE else "smplx"


def _gender(held: Mapping[str, np.ndarray]) -> str:
    """As AMASS writes it: a text, or one as bytes."""
    found = held.get("gender")
    if found is None:
        return GENDERS[0]
    word = found.item() if found.size == 1 else found
    word = word.decode("ascii", "replace") if isinstance(word, bytes) else str(word)
    if word not in GENDERS:
        raise UserError(f"gender {word[:40]!r}; expected one of {', '.join(GENDERS)}")
    return word


def _rate(held: Mapping[str, np.ndarray]) -> float | None:
    found = next((held[name] for name in RATES if name in held), None)
    if found is None:
        return None
    if found.size != 1 or found.dtype.kind not in "iuf":
        raise UserError(f"a frame rate of {found.dtype} and shape {found.shape}; expected a number")
    rate = float(found.item())
    if not MIN_FPS <= rate <= MAX_FPS:
        raise UserError(f"{rate:g} frames per second; expected {MIN_FPS:g} to {MAX_FPS:g}")
    return rate
