"""The body that ACTOR's golden vectors see: a skinned mesh (SMPL, Loper et al., 2015) of made-up data.

The library needs no mesh, so this lies with the checks. Shape letters: P poses, V vertices, J the 24
joints of SMPL, B batch, R rows of numbers, T frames.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

ROOTS = {"vibe": 8}  # the root's index in a joint set; 0 in the others
FIXED_ROOT = (torch.pi, 0.0, 0.0)  # axis-angle of the root where poses have none


def matrix_from_axis_angle(vectors: Tensor) -> Tensor:
    """Rotation matrices (…, 3, 3) of axis-angle vectors (…, 3): Rodrigues' formula."""
    x, y, z = vectors.unbind(-1)
    nought = torch.zeros_like(x)
    cross = torch.stack((nought, -z, y, z, nought, -x, -y, x, nought), -1).unflatten(-1, (3, 3))
    square = vectors.square().sum(-1)[..., None, None]
    angle = square.clamp_min(1e-20).sqrt()
    small = square < 1e-8
    sine = torch.where(small, 1 - square / 6, angle.sin() / angle)
    cosine = torch.where(small, 0.5 - square / 24, (1 - angle.cos()) / angle.square())
    return torch.eye(3, dtype=vectors.dtype) + sine * cross + cosine * (cross @ cross)


def matrix_from_rows(numbers: Tensor) -> Tensor:
    """Rotation matrices (…, 3, 3) of their first two rows (…, 6), made orthogonal in turn."""
    first, second = numbers[..., :3], numbers[..., 3:]
    x = F.normalize(first, dim=-1)
    y = F.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-2)


class Body:
    """Vertices and joints of a body in some poses.

    Args:
        data: the arrays `body/*` of a golden file, by the rest of their names.
    """

    def __init__(self, data: Mapping[str, Tensor]) -> None:
        self.data = data
        parents = data["kintree_table"][0].tolist()
        self.parents = [-1, *parents[1:]]

    def points(self, rotations: Tensor, joint_set: str, second_shape: float = 0.0) -> Tensor:
        """(P, V or joints, 3) of rotations (P, 24, 3, 3), the root's first.

        Args:
            joint_set: "vertices", or the name of one of the maps.
            second_shape: the second shape number; the others are 0.
        """
        vertices, joints = self._posed(rotations, second_shape)
        if joint_set == "vertices":
            return vertices
        chosen = vertices[:, self.data["extra_vertex_ids"]]
        regressed = torch.einsum("pvc,jv->pjc", vertices, self.data["J_regressor_extra"])
        every = torch.cat((joints, chosen, regressed), dim=1)
        return every[:, self.data[f"map_{joint_set}"]]

    def _posed(self, rotations: Tensor, second_shape: float) -> tuple[Tensor, Tensor]:
        data = self.data
        shaped = data["v_template"] + second_shape * data["shapedirs"][..., 1]
        rest = data["J_regressor"] @ shaped
        bent = (rotations[:, 1:] - torch.eye(3)).flatten(1)
        corrected = shaped + torch.einsum("vcn,pn->pvc", data["posedirs"], bent)
        turns, places = [rotations[:, 0]], [rest[0].expand(len(rotations), 3)]
        for joint in range(1, len(rest)):
            parent = self.parents[joint]
            offset = rest[joint] - rest[parent]
            places.append(places[parent] + turns[parent] @ offset)
            turns.append(turns[parent] @ rotations[:, joint])
        turn, place = torch.stack(turns, 1), torch.stack(places, 1)
        shift = place - torch.einsum("pjcd,jd->pjc", turn, rest)
        blended = torch.einsum("vj,pjcd->pvcd", data["weights"], turn)
        moved = torch.einsum("pvcd,pvd->pvc", blended, corrected)
        return moved + torch.einsum("vj,pjc->pvc", data["weights"], shift), place


def body_points(
    body: Body,
    rows: Tensor,
    mask: Tensor,
    joint_set: str = "vertices",
    translated: bool = False,
    with_root: bool = True,
    second_shape: float = 0.0,
) -> Tensor:
    """Points (B, V or joints, 3, T) of ACTOR's rows (B, R, numbers, T); 0 where `mask` (B, T) is not.

    Joints are seen from the root of their frame, vertices are not.

    Args:
        rows: rotations, and a last row whose first three numbers are the translation.
        translated: whether the translation is added, counted from the first frame.
        with_root: whether the first row is the root's rotation; if not, it is the fixed one.
    """
    poses = rows[:, :-1].permute(0, 3, 1, 2)[mask]
    rotations = matrix_from_axis_angle(poses) if poses.shape[-1] == 3 else matrix_from_rows(poses)
    if not with_root:
        root = matrix_from_axis_angle(torch.tensor(FIXED_ROOT))
        rotations = torch.cat((root.expand(len(rotations), 1, 3, 3), rotations), dim=1)
    found = body.points(rotations, joint_set, second_shape)
    points = found.new_zeros(*mask.shape, *found.shape[1:])
    points[mask] = found
    points = points.permute(0, 2, 3, 1)
    if joint_set != "vertices":
        root_index = ROOTS.get(joint_set, 0)
        points = points - points[:, root_index : root_index + 1]
    if translated:
        moved = rows[:, -1, :3]
        points = points + (moved - moved[..., :1])[:, None]
    return points
