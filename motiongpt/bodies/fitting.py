"""Clips of joints to a body's shapes and rotations: many clips in one optimisation.

Frames of all clips lie one after the other, so that nothing is padded. No term joins two clips and
Adam takes each number by itself, so what a clip gets does not depend on what it is fitted with.
Shape letters: C clips, T frames, J joints, N frames of all clips, S numbers of a shape.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from motiongpt.bodies import losses
from motiongpt.bodies.base import Body, BodyMotion
from motiongpt.bodies.initial_pose import initial_turns
from motiongpt.bodies.initial_shape import bone_lengths, branches_at_rest, fitting_shape, upright
from motiongpt.bodies.losses import Weights
from motiongpt.bodies.rotation_vectors import vectors_of
from motiongpt.bodies.tree import N_JOINTS, TURNING, local_turns, offsets_of, posed_joints
from motiongpt.motion.rotations import multiply

ALTERNATIONS = 3  # of turning pelvis and chest to fit, and of placing what hangs on them


@dataclass(frozen=True)
class FitOptions:
    """How a fit is done.

    Attributes:
        steps: of Adam; with none the start is the result, whose joints fit as well, but whose
            limbs may bend the wrong way.
        rate: of its first step, in radians, spreads of a shape and, by `root_rate`, in metres;
            it falls to nothing along half a cosine.
        weights: of the terms.
    """

    steps: int = 100
    rate: float = 0.03
    root_rate: float = 0.1
    weights: Weights = field(default_factory=Weights)


DEFAULT = FitOptions()


@dataclass(frozen=True)
class Fitted:
    """A clip's motion of the body, and how far its joints are from the given ones.

    Attributes:
        error: mean distance in metres over joints and frames.
    """

    motion: BodyMotion
    error: float


@dataclass
class _Problem:
    """What is given and what is looked for."""

    wanted: Tensor  # (3, J, N)
    clips: Tensor  # (N,)
    same: Tensor  # (N-1,)
    frames: Tensor  # (C,)
    start: Tensor  # (4, 17, N)
    turned: Tensor  # (3, 17, N) half the rotation since the start, over its cosine
    shape: Tensor  # (C, S)
    root: Tensor  # (3, N)

    def turns(self) -> tuple[Tensor, Tensor]:
        """World rotations, and what they have turned since the start; (4, 17, N) each."""
        whole = torch.cat([torch.ones_like(self.turned[:1]), self.turned])
        since = whole / whole.square().sum(0, keepdim=True).sqrt()
        return multiply(since, self.start, dim=0), since


def fit(
    body: Body,
    clips: Sequence[np.ndarray],
    fps: float,
    options: FitOptions = DEFAULT,
    device: str | torch.device = "cpu",
    progress: Callable[[int], object] | None = None,
) -> list[Fitted]:
    """Fit a body to clips (T, J, 3) in metres, Y up, of one frame rate.

    Args:
        body: on `device`.
        progress: told of each step.
    """
    problem = _problem(body, clips, fps, device)
    looked_for = [one.requires_grad_() for one in (problem.turned, problem.shape, problem.root)]
    rates = (options.rate / 2, options.rate, options.rate * options.root_rate)
    adam = torch.optim.Adam(
        [{"params": [one], "lr": rate} for one, rate in zip(looked_for, rates, strict=True)]
    )
    slowing = torch.optim.lr_scheduler.CosineAnnealingLR(adam, max(options.steps, 1))
    for step in range(options.steps):
        adam.zero_grad()
        _loss(body, problem, options.weights).backward()
        adam.step()
        slowing.step()
        if progress is not None:
            progress(step)
    with torch.no_grad():
        return _fitted(body, problem, fps)


def _problem(
    body: Body, clips: Sequence[np.ndarray], fps: float, device: str | torch.device
) -> _Problem:
    given = [torch.as_tensor(np.asarray(one, np.float32)).to(device) for one in clips]
    frames = torch.tensor([len(one) for one in given], device=device)
    numbers = torch.repeat_interleave(torch.arange(len(given), device=device), frames)
    wanted = torch.cat(given).permute(2, 1, 0).contiguous()
    lengths, count = bone_lengths(given), len(given)
    shape = fitting_shape(body, lengths.new_zeros(count, body.n_shape), lengths)
    for _ in range(ALTERNATIONS):
        start = _start(body, shape, wanted, numbers, fps)
        if body.any_branches:
            start = upright(start, wanted, body.rest_joints(shape), numbers)
        branches = branches_at_rest(wanted, start, numbers, count)
        shape = fitting_shape(body, shape, lengths, branches)
    start = _start(body, shape, wanted, numbers, fps)
    return _Problem(
        wanted,
        numbers,
        (numbers[1:] == numbers[:-1]).float(),
        frames.float(),
        start,
        torch.zeros_like(start[1:]),
        shape,
        wanted[:, 0].clone(),
    )


def _start(body: Body, shape: Tensor, wanted: Tensor, clips: Tensor, fps: float) -> Tensor:
    offsets = _offsets(body, shape, clips)
    return initial_turns(wanted, offsets, body.hinge_axes, clips, fps).contiguous()


def _offsets(body: Body, shape: Tensor, clips: Tensor) -> Tensor:
    """(3, J-1, N) of the rest pose, of each frame's clip."""
    offsets = offsets_of(body.rest_joints(shape)).permute(2, 1, 0)
    return offsets.index_select(2, clips)


def _loss(body: Body, problem: _Problem, weights: Weights) -> Tensor:
    turns, since = problem.turns()
    found = posed_joints(turns, _offsets(body, problem.shape, problem.clips), problem.root)
    local = local_turns(turns)
    return (
        losses.joint_loss(found, problem.wanted, weights)
        + losses.pose_loss(local, weights)
        + losses.bend_loss(local, body.hinge_axes, body.hinge_bends, weights)
        + losses.shape_loss(problem.shape, problem.frames, weights)
        + losses.start_loss(since, weights)
        + losses.smooth_loss(local, problem.same, weights)
    )


def _fitted(body: Body, problem: _Problem, fps: float) -> list[Fitted]:
    turns, _ = problem.turns()
    found = posed_joints(turns, _offsets(body, problem.shape, problem.clips), problem.root)
    distances = (found - problem.wanted).norm(dim=0).mean(0).cpu()
    rotations = np.zeros((len(problem.clips), N_JOINTS, 3), np.float32)  # ends do not turn
    rotations[:, list(TURNING)] = vectors_of(local_turns(turns).permute(2, 1, 0)).cpu().numpy()
    roots = problem.root.T.cpu().numpy()
    results, first = [], 0
    for clip, frames in enumerate(problem.frames.int().tolist()):
        some = slice(first, first + frames)
        motion = BodyMotion(
            problem.shape[clip].cpu().numpy(), rotations[some].copy(), roots[some].copy(), fps
        )
        results.append(Fitted(motion, float(distances[some].mean())))
        first += frames
    return results
