"""A shape whose skeleton is a clip's: the start of a fit, by the Gauss-Newton method.

Asked for are bones as long as the clip's and, where several hang on one joint, as they lie there
in the mean over the frames.
Shape letters: C clips, J joints, S numbers of a shape, N frames of all clips.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from motiongpt.bodies.base import Body
from motiongpt.bodies.tree import BRANCHES, ENDS_OF_TRUNK, PARENTS, TURNS_WITH, offsets_of
from motiongpt.motion.rotations import between, conjugate, multiply, rotate, unit

ROUNDS = 4
STRAIGHT = (0, 9)  # pelvis and chest
ERROR = 0.002  # metres that weigh as much as a shape one spread from the mean
_BRANCHES = [joint - 1 for joint in BRANCHES]  # columns of offsets


def bone_lengths(clips: Sequence[Tensor]) -> Tensor:
    """(C, J-1) metres: each bone's median over the frames of clips (T, J, 3)."""
    return torch.stack(
        [(one[:, 1:] - one[:, list(PARENTS[1:])]).norm(dim=-1).median(0).values for one in clips]
    )


def branches_at_rest(joints: Tensor, turns: Tensor, clips: Tensor, count: int) -> Tensor:
    """(C, 6, 3) metres: bones of `tree.BRANCHES` within their parents, their means over a clip.

    Args:
        joints: (3, J, N) metres.
        turns: (4, 17, N) of the joints of `tree.TURNING` in the world.
        clips: (N,) which of the C clips a frame is of.
    """
    parents = [PARENTS[joint] for joint in BRANCHES]
    above = turns[:, [TURNS_WITH[parent] for parent in parents]]
    bones = joints[:, list(BRANCHES)] - joints[:, parents]
    inside = rotate(conjugate(above, dim=0), bones, dim=0).permute(2, 1, 0)
    sums = inside.new_zeros(count, *inside.shape[1:]).index_add(0, clips, inside)
    return sums / torch.bincount(clips, minlength=count)[:, None, None]


def upright(turns: Tensor, joints: Tensor, rest: Tensor, clips: Tensor) -> Tensor:
    """`turns`, but pelvis and chest with the trunk along them as at rest, in the mean over a clip.

    Captures put what hangs on the pelvis further ahead or behind than a body has it, and a pelvis
    that is turned to fit would be tilted against the chest all the time.

    Args:
        turns, joints, clips: as `branches_at_rest`.
        rest: (C, J, 3) rest joints of the clips' shapes.
    """
    found = turns.clone()
    wanted = unit(_trunk(rest.permute(2, 1, 0)), dim=0)  # (3, C)
    trunk = unit(_trunk(joints), dim=0)
    for joint in STRAIGHT:
        turn = found[:, TURNS_WITH[joint]]
        inside = rotate(conjugate(turn, dim=0), trunk, dim=0)
        mean = unit(torch.zeros_like(wanted).index_add(1, clips, inside), dim=0)
        tilt = between(wanted, mean, dim=0)[:, clips]
        found[:, TURNS_WITH[joint]] = multiply(turn, tilt, dim=0)
    return found


def _trunk(joints: Tensor) -> Tensor:
    """From between the hips to between the shoulders, (3, …) of joints (3, J, …)."""
    low, high = (joints[:, list(pair)].mean(1) for pair in ENDS_OF_TRUNK)
    return high - low


def fitting_shape(
    body: Body, shape: Tensor, lengths: Tensor, branches: Tensor | None = None
) -> Tensor:
    """Shapes (C, S) whose bones are about as long as `lengths` (C, J-1) says.

    Args:
        shape: (C, S) to start from.
        branches: (C, 6, 3) as `branches_at_rest`; lengths alone are asked for where it is None.
    """

    def residuals(one: Tensor, wanted: Tensor, lying: Tensor | None) -> Tensor:
        offsets = offsets_of(body.rest_joints(one[None])[0])
        errors = offsets.square().sum(-1).clamp_min(1e-8).sqrt() - wanted
        if lying is not None:
            errors = torch.cat([errors, (offsets[_BRANCHES] - lying).flatten()])
        return errors / ERROR

    in_dims = (0, 0, None if branches is None else 0)
    prior = torch.eye(body.n_shape).to(lengths)
    for _ in range(ROUNDS):
        slopes = vmap(jacrev(residuals), in_dims)(shape, lengths, branches)  # (C, R, S)
        errors = vmap(residuals, in_dims)(shape, lengths, branches)
        gradient = torch.einsum("crs,cr->cs", slopes, errors) + shape
        shape = shape - torch.linalg.solve(slopes.mT @ slopes + prior, gradient)
    return shape
