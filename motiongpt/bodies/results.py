"""Files of fitted clips: parameters as the bodies' own programs read them, vertices, and meshes.

Every file is written whole or not at all.
Shape letters: T frames, J joints, V vertices, F faces, S numbers of a shape.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from motiongpt.bodies.base import Body, BodyMotion
from motiongpt.bodies.smpl_body import JOINTS, SmplFamilyBody
from motiongpt.bodies.tree import NAMES, offsets_of
from motiongpt.files import replacing

# AMASS has Z up: a quarter turn about X from ours.
TO_Z_UP = Rotation.from_euler("x", 90, degrees=True)
N_BODY = 3 * len(NAMES)


def save_parameters(path: Path, body: Body, motion: BodyMotion, record: dict[str, object]) -> None:
    """`.npz` of rotations and shape: AMASS's layout for the SMPL family, our own for the free body.

    Args:
        record: what the fit was made of and with; kept as JSON in `motiongpt`.
    """
    arrays: dict[str, Any] = (
        amass_arrays(body, motion)
        if isinstance(body, SmplFamilyBody)
        else _free_arrays(body, motion)
    )
    with replacing(path) as stream:
        np.savez_compressed(stream, **arrays, motiongpt=np.str_(json.dumps(record, sort_keys=True)))


def amass_arrays(body: SmplFamilyBody, motion: BodyMotion) -> dict[str, Any]:
    """As AMASS (Mahmood et al. 2019) has clips: Z up, radians, metres.

    `poses` (T, 3 A) of all the model's joints and its parts, `trans` (T, 3), `betas` (S,),
    `gender`, `mocap_frame_rate`, `surface_model_type`.
    """
    local = motion.rotations.reshape(motion.frames, -1).astype(np.float64)
    turned = (TO_Z_UP * Rotation.from_rotvec(local[:, :3])).as_rotvec()
    poses = np.zeros((motion.frames, 3 * JOINTS[body.name]), np.float32)
    poses[:, :N_BODY] = np.concatenate([turned, local[:, 3:]], axis=1)
    rest = body.rest_joints(torch.from_numpy(motion.shape)[None].to(body.hinge_axes.device))
    pelvis = rest[0, 0].cpu().numpy()
    found: dict[str, Any] = {
        "poses": poses,
        "trans": (TO_Z_UP.apply(motion.root) - pelvis).astype(np.float32),
        "betas": motion.shape.astype(np.float32),
        "gender": np.str_(body.gender),
        "mocap_frame_rate": np.float64(motion.fps),
        "surface_model_type": np.str_(body.name),
        "root_orient": poses[:, :3],
        "pose_body": poses[:, 3:N_BODY],
    }
    if body.name == "smplx":
        found |= {
            "pose_jaw": poses[:, 66:69],
            "pose_eye": poses[:, 69:75],
            "pose_hand": poses[:, 75:],
        }
    elif body.name == "smplh":
        found["pose_hand"] = poses[:, N_BODY:]
    return found


def _free_arrays(body: Body, motion: BodyMotion) -> dict[str, Any]:
    shape = torch.from_numpy(motion.shape)[None].to(body.hinge_axes.device)
    rest = body.rest_joints(shape)[0].cpu()
    offsets = torch.cat([torch.zeros(1, 3), offsets_of(rest)])
    return {
        "rotations": motion.rotations,
        "root": motion.root,
        "shape": motion.shape,
        "offsets": offsets.numpy(),
        "joint_names": np.array(NAMES),
        "fps": np.float64(motion.fps),
        "body": np.str_(body.name),
    }


def save_ply(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    """A mesh of vertices (V, 3) and faces (F, 3) as binary `.ply`."""
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    rows = np.empty(len(faces), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    rows["count"], rows["corners"] = 3, faces
    with replacing(path) as stream:
        stream.write(header.encode("ascii"))
        stream.write(vertices.astype("<f4").tobytes())
        stream.write(rows.tobytes())
