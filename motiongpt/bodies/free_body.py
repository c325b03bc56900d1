"""The free body: a skinned adult that needs no registration, MakeHuman's, released as CC0.

`bake_free_body` made the asset. Its build (masculine, weight, muscle) is chosen, for joints say
nothing about it; a number of 1 is half the way between MakeHuman's ends. Its shape fits the
skeleton to the joints that are asked for: how long each bone is, and where the joints lie that
several bones of the pelvis and the chest lead to. The skin follows: limbs get longer along
their bones, the trunk between hips and shoulders, all of it thicker with the whole body. Where on
the trunk a capture has its pelvis, spine, neck and collars differs by 5 cm and more, and says
nothing about the person: skin does not follow these.
Shape letters: C clips, T frames, J joints, V vertices, S numbers of a shape, K bones of a vertex.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motiongpt.arrays import read_arrays
from motiongpt.bodies.rotation_vectors import matrices_of
from motiongpt.bodies.tree import (
    BRANCHES,
    ENDS_OF_TRUNK,
    HINGES,
    N_JOINTS,
    PARENTS,
    children_of,
    offsets_of,
)

ASSET = Path(__file__).parent / "data" / "free_body.npz"
BUILD = ("masculine", "weight", "muscle")
STRETCHED = tuple(joint for joint in range(1, N_JOINTS) if joint not in BRANCHES)
# Wide, so that the fit's prior of the shape hardly keeps the skeleton from a capture's.
STRETCH = 0.5  # what a number of 1 does to the logarithm of a bone's length
SHIFT = 0.1  # metres that a number of 1 moves a joint of pelvis or chest
TRUNK = (0, 3, 6, 9, 12, 13, 14)  # joints that skin does not follow: pelvis, spine, neck, collars
HEAD = 15


class FreeBody:
    """See `base.Body`; S is one for each stretched bone and three for each joint of a branch.

    Attributes:
        template: (V, 3) metres, the skin of the build before any shape.
        bones: (V, K) joints that move a vertex.
        weights: (V, K) how much; the sum is 1.
    """

    name = "free"
    any_branches = True
    n_shape = len(STRETCHED) + 3 * len(BRANCHES)

    def __init__(
        self,
        build: tuple[float, float, float] = (0.0, 0.0, 0.0),
        device: str | torch.device = "cpu",
    ) -> None:
        """Read the asset.

        Args:
            build: masculine, weight and muscle, see `BUILD`.
        """
        held = {name: torch.from_numpy(array) for name, array in read_arrays(ASSET).items()}
        self.faces: np.ndarray = held["faces"].numpy().astype(np.int64)
        numbers = torch.tensor(build)
        skin = torch.einsum("n,nvd->vd", numbers, held["directions"].float())
        self.template = (held["vertices"] + skin).to(device)
        joints = torch.einsum("n,njd->jd", numbers, held["joint_directions"])
        self._joints = (held["joints"] + joints).to(device)
        self.bones = held["bones"].long().to(device)
        self.weights = held["weights"].to(device)
        self.hinge_axes, self.hinge_bends = self._hinges()

    def rest_joints(self, shape: Tensor) -> Tensor:
        """See `Body.rest_joints`."""
        offsets = offsets_of(self._joints) * self._scales(shape)[..., None] + self._shifts(shape)
        placed = [self._joints[0].expand(len(shape), 3)]
        for joint in range(1, N_JOINTS):
            placed.append(placed[PARENTS[joint]] + offsets[:, joint - 1])
        return torch.stack(placed, dim=1)

    def rest_vertices(self, shape: Tensor) -> tuple[Tensor, Tensor]:
        """Skin (V, 3) and joints (J, 3) in metres of a shape (S,) in the rest pose."""
        maps, joints = self.rest_maps(shape)
        own = maps[self.bones]  # (V, K, 3, 4)
        moved = (own[..., :3] @ self.template[:, None, :, None]).squeeze(-1) + own[..., 3]
        return (self.weights[..., None] * moved).sum(1), joints

    def rest_maps(self, shape: Tensor) -> tuple[Tensor, Tensor]:
        """How each joint moves the template's skin for a shape (S,): (J, 3, 4); its joints (J, 3).

        A vertex goes to the mean of what its joints' maps make of it, by its weights.
        """
        joints = self.rest_joints(shape[None])[0]
        centres = self._skin_centres(self._joints, joints)
        stretched = self._stretches(self._joints, centres)
        shifts = centres - (stretched @ self._joints[..., None]).squeeze(-1)
        return torch.cat([stretched, shifts[..., None]], dim=-1), joints

    def vertices(self, shape: Tensor, rotations: Tensor, root: Tensor) -> Tensor:
        """See `Body.vertices`: linear blend skinning."""
        skin, joints = self.rest_vertices(shape)
        local = matrices_of(rotations)
        turns, placed = [local[:, 0]], [root]
        offsets = offsets_of(joints)
        for joint in range(1, N_JOINTS):
            parent = PARENTS[joint]
            placed.append(placed[parent] + turns[parent] @ offsets[joint - 1])
            turns.append(turns[parent] @ local[:, joint])
        turned = torch.stack(turns, dim=1)
        shifts = torch.stack(placed, dim=1) - (turned @ joints[..., None]).squeeze(-1)
        whole = torch.cat([turned, shifts[..., None]], dim=-1)  # (T, J, 3, 4)
        blended = self._all_weights() @ whole.flatten(2)
        blended = blended.unflatten(2, (3, 4))
        return (blended[..., :3] @ skin[..., None]).squeeze(-1) + blended[..., 3]

    def _all_weights(self) -> Tensor:
        """(V, J)."""
        weights = self.weights.new_zeros(len(self.weights), N_JOINTS)
        return weights.scatter_add(1, self.bones, self.weights)

    def _scales(self, shape: Tensor) -> Tensor:
        """(C, J-1) that bones are longer than the build's by."""
        logarithms = shape.new_zeros(len(shape), N_JOINTS - 1)
        columns = [joint - 1 for joint in STRETCHED]
        logarithms[:, columns] = STRETCH * shape[:, : len(STRETCHED)]
        return logarithms.exp()

    def _shifts(self, shape: Tensor) -> Tensor:
        """(C, J-1, 3) metres that joints of branches are moved."""
        shifts = shape.new_zeros(len(shape), N_JOINTS - 1, 3)
        columns = [joint - 1 for joint in BRANCHES]
        shifts[:, columns] = SHIFT * shape[:, len(STRETCHED) :].unflatten(1, (-1, 3))
        return shifts

    def _skin_centres(self, before: Tensor, after: Tensor) -> Tensor:
        """(J, 3) joints as the skin takes them: `after`, but for trunk and head."""
        size = _size(offsets_of(before), offsets_of(after))
        low, high = (before[list(pair)].mean(0) for pair in ENDS_OF_TRUNK)
        new_low, new_high = (after[list(pair)].mean(0) for pair in ENDS_OF_TRUNK)
        centres = list(after.unbind(0))
        for joint in TRUNK:
            from_low = before[joint] - low
            share = (from_low @ (high - low)) / (high - low).square().sum()
            aside = from_low - share * (high - low)
            centres[joint] = new_low + share * (new_high - new_low) + size * aside
        neck = PARENTS[HEAD]
        centres[HEAD] = centres[neck] + size * (before[HEAD] - before[neck])
        return torch.stack(centres)

    def _stretches(self, before: Tensor, after: Tensor) -> Tensor:
        """(J, 3, 3) that turn skin about a joint of `before` (J, 3) into that about `after`."""
        old, new = offsets_of(before), offsets_of(after)
        ratios = new.norm(dim=-1) / old.norm(dim=-1)
        size = _size(old, new)
        found = [size * torch.eye(3).to(before)] * N_JOINTS
        for joint in range(1, N_JOINTS):
            parent = PARENTS[joint]
            if len(children_of(parent)) == 1:
                along = old[joint - 1] / old[joint - 1].norm()
                longer = (ratios[joint - 1] - size) * torch.outer(along, along)
                found[parent] = size * torch.eye(3).to(before) + longer
        return torch.stack(found)

    def _hinges(self) -> tuple[Tensor, Tensor]:
        """Axes (4, 3), and angles (4,) in radians, of knees and elbows in the rest pose."""
        starts, middles, ends = (self._joints[[one[index] for one in HINGES]] for index in range(3))
        first, second = middles - starts, ends - middles
        axes = torch.linalg.cross(first, second)
        sines = axes.norm(dim=-1, keepdim=True)
        return axes / sines, torch.atan2(sines[:, 0], (first * second).sum(-1))


def _size(old: Tensor, new: Tensor) -> Tensor:
    """How much larger a body is, by all its bones (J-1, 3)."""
    return new.norm(dim=-1).sum() / old.norm(dim=-1).sum()
