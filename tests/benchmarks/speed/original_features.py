"""HumanML3D's features in the manner of its published scripts, to time ours against.

One clip at a time, a loop over the joints of each chain, every quaternion operation on a numpy
array that goes through a float32 tensor and back; the heading filtered by scipy; the chains walked
three times. Written anew from the published formulas, for the benchmark alone.
"""

from itertools import pairwise

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from motiongpt.motion.skeleton import Skeleton

UP = np.array([[0, 1, 0]])
AHEAD = np.array([[0, 0, 1]])


def features_of_clip(joints: np.ndarray, skeleton: Skeleton, offsets: np.ndarray) -> np.ndarray:
    """Features (T, F) of joints (T + 1, J, 3) float32, target offsets (J, 3)."""
    return _extract(_placed(_uniform(joints, skeleton, offsets), skeleton), skeleton)


def _uniform(joints: np.ndarray, skeleton: Skeleton, offsets: np.ndarray) -> np.ndarray:
    own = np.array(skeleton.raw_offsets, dtype=np.float32)
    first = torch.from_numpy(joints[0])
    for joint in range(1, skeleton.n_joints):
        own[joint] *= torch.norm(first[joint] - first[skeleton.parents[joint]]).numpy()
    legs = list(skeleton.leg_joints)
    ratio = np.abs(offsets[legs]).max(1).sum() / np.abs(own[legs]).max(1).sum()
    rotations = _inverse_kinematics(joints, skeleton, smooth=False)
    return _forward_kinematics(rotations, joints[:, 0] * ratio, skeleton, offsets)


def _placed(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    joints[:, :, 1] -= joints.min(axis=0).min(axis=0)[1]
    first = joints[0]
    joints = joints - first[0] * np.array([1, 0, 1])
    right_hip, left_hip, right_shoulder, left_shoulder = skeleton.face_joints
    across = (first[right_hip] - first[left_hip]) + (first[right_shoulder] - first[left_shoulder])
    forward = _normalised(np.cross(UP, _normalised(across), axis=-1))
    heading = np.ones((*joints.shape[:-1], 4)) * _between(forward, AHEAD)
    return _rotate(heading, joints)


def _extract(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    contacts = [
        _feet_on_ground(joints, list(feet), skeleton.contact_threshold)
        for feet in (skeleton.feet_left, skeleton.feet_right)
    ]
    rotations = _inverse_kinematics(joints, skeleton, smooth=True)
    rotations_6d = _to_6d(rotations)
    root = rotations[:, 0].copy()
    velocity = _rotate(root[1:], joints[1:, 0] - joints[:-1, 0])
    turn = np.arcsin(_multiply(root[1:], _inverse(root[:-1]))[:, 2:3])
    local = joints.copy()
    local[..., 0] -= joints[:, 0:1, 0]
    local[..., 2] -= joints[:, 0:1, 2]
    local = _rotate(np.repeat(root[:, None], skeleton.n_joints, axis=1), local)
    steps = joints[1:] - joints[:-1]
    velocities = _rotate(np.repeat(root[:-1, None], skeleton.n_joints, axis=1), steps)
    n_rows = len(steps)
    data = np.concatenate([turn, velocity[:, [0, 2]], local[:-1, 0, 1:2]], axis=-1)
    data = np.concatenate([data, local[:-1, 1:].reshape(n_rows, -1)], axis=-1)
    data = np.concatenate([data, rotations_6d[:-1, 1:].reshape(n_rows, -1)], axis=-1)
    data = np.concatenate([data, velocities.reshape(n_rows, -1)], axis=-1)
    return np.concatenate([data, *contacts], axis=-1)


def _feet_on_ground(joints: np.ndarray, feet: list[int], threshold: float) -> np.ndarray:
    squares = [(joints[1:, feet, axis] - joints[:-1, feet, axis]) ** 2 for axis in range(3)]
    return (squares[0] + squares[1] + squares[2] < threshold).astype(np.float32)


def _inverse_kinematics(joints: np.ndarray, skeleton: Skeleton, smooth: bool) -> np.ndarray:
    left_hip, right_hip, right_shoulder, left_shoulder = skeleton.face_joints
    hips = joints[:, right_hip] - joints[:, left_hip]
    across = _normalised(hips + (joints[:, right_shoulder] - joints[:, left_shoulder]))
    forward = np.cross(UP, across, axis=-1)
    if smooth:
        forward = gaussian_filter1d(forward, 20, axis=0, mode="nearest")
    root = _between(_normalised(forward), AHEAD.repeat(len(joints), axis=0))
    root[0] = (1, 0, 0, 0)
    rotations = np.zeros((*joints.shape[:-1], 4))
    rotations[:, 0] = root
    rest = np.array(skeleton.raw_offsets)
    for chain in skeleton.chains:
        world = root
        for before, joint in pairwise(chain):
            bone = _normalised(joints[:, joint] - joints[:, before])
            turned = _between(rest[joint][None].repeat(len(joints), axis=0), bone)
            rotations[:, joint] = _multiply(_inverse(world), turned)
            world = _multiply(world, rotations[:, joint])
    return rotations


def _forward_kinematics(
    rotations: np.ndarray, root: np.ndarray, skeleton: Skeleton, offsets: np.ndarray
) -> np.ndarray:
    joints = np.zeros((*rotations.shape[:-1], 3))
    joints[:, 0] = root
    bones = offsets[None].repeat(len(rotations), axis=0)
    for chain in skeleton.chains:
        world = rotations[:, 0]
        for before, joint in pairwise(chain):
            world = _multiply(world, rotations[:, joint])
            joints[:, joint] = _rotate(world, bones[:, joint]) + joints[:, before]
    return joints


def _normalised(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.sqrt((vectors**2).sum(axis=-1))[..., None]


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).float()


def _inverse(quaternions: np.ndarray) -> np.ndarray:
    return (_tensor(quaternions) * torch.tensor([1.0, -1.0, -1.0, -1.0])).numpy()


def _multiply(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    left, right = _tensor(first).reshape(-1, 1, 4), _tensor(second).reshape(-1, 4, 1)
    table = torch.bmm(right, left)
    product = (
        table[:, 0, 0] - table[:, 1, 1] - table[:, 2, 2] - table[:, 3, 3],
        table[:, 0, 1] + table[:, 1, 0] - table[:, 2, 3] + table[:, 3, 2],
        table[:, 0, 2] + table[:, 1, 3] + table[:, 2, 0] - table[:, 3, 1],
        table[:, 0, 3] - table[:, 1, 2] + table[:, 2, 1] + table[:, 3, 0],
    )
    return torch.stack(product, dim=1).view(first.shape).numpy()


def _rotate(quaternions: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    turns, points = _tensor(quaternions).reshape(-1, 4), _tensor(vectors).reshape(-1, 3)
    once = torch.linalg.cross(turns[:, 1:], points)
    twice = torch.linalg.cross(turns[:, 1:], once)
    return (points + 2 * (turns[:, :1] * once + twice)).view(vectors.shape).numpy()


def _between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    u, v = _tensor(start), _tensor(end)
    length = ((u**2).sum(-1, keepdim=True) * (v**2).sum(-1, keepdim=True)).sqrt()
    w = length + (u * v).sum(-1, keepdim=True)
    rotation = torch.cat((w, torch.linalg.cross(u, v)), dim=-1)
    return (rotation / rotation.norm(dim=-1, keepdim=True)).numpy()


def _to_6d(quaternions: np.ndarray) -> np.ndarray:
    turns = _tensor(quaternions)
    w, x, y, z = turns.unbind(-1)
    double = 2 / (turns * turns).sum(-1)
    entries = (
        *(1 - double * (y * y + z * z), double * (x * y - z * w), double * (x * z + y * w)),
        *(double * (x * y + z * w), 1 - double * (x * x + z * z), double * (y * z - x * w)),
        *(double * (x * z - y * w), double * (y * z + x * w), 1 - double * (x * x + y * y)),
    )
    matrix = torch.stack(entries, dim=-1).view(*turns.shape[:-1], 3, 3)
    return torch.cat((matrix[..., 0], matrix[..., 1]), dim=-1).numpy()
