"""Joint positions checked and laid out for work on many clips at once.

Time is the fastest dimension in memory and joints the slowest, so every operation on one component
of one joint runs over contiguous frames of all clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import Skeleton

Lengths = Tensor | Sequence[int] | None


@dataclass(frozen=True)
class JointBatch:
    """Clips of different lengths side by side.

    Attributes:
        positions: (J, 3, B, T); frames past a clip's end repeat its last frame.
        lengths: (B,) frames of each clip; None where all have T.
        single: the caller gave one clip without a batch dimension.
    """

    positions: Tensor
    lengths: Tensor | None
    single: bool

    @classmethod
    def of(cls, joints: Tensor, skeleton: Skeleton, lengths: Lengths = None) -> "JointBatch":
        """Check joints (T, J, 3) or (B, T, J, 3) and lay them out.

        Raises:
            UserError: another shape, a length outside 2..T, or a value that is not finite in a
                frame that counts.
        """
        _check_shape(joints, skeleton)
        batch = joints[None] if joints.ndim == 3 else joints
        n_clips, n_frames = batch.shape[:2]
        if not batch.is_floating_point():
            batch = batch.float()
        counts = _checked_lengths(lengths, n_clips, n_frames)
        if counts is not None:
            frames = torch.minimum(torch.arange(n_frames), counts[:, None] - 1)
            batch = batch[torch.arange(n_clips)[:, None], frames.to(batch.device)]
        flat = batch.reshape(n_clips * n_frames, -1).t().contiguous()
        if not bool(torch.isfinite(flat.sum())):
            _refuse_not_finite(batch)
        positions = flat.view(skeleton.n_joints, 3, n_clips, n_frames)
        return cls(positions, counts, single=joints.ndim == 3)

    def joints(self, positions: Tensor) -> Tensor:
        """Positions (J, 3, B, T) back in the caller's layout, zero past each clip's end."""
        n_joints, _, n_clips, n_frames = positions.shape
        rows = self.rows(positions.reshape(3 * n_joints, n_clips, n_frames))
        return rows.reshape(*rows.shape[:-1], n_joints, 3)

    def rows(self, channels: Tensor) -> Tensor:
        """Channels (F, B, T or T - 1) as (B, T, F) or (T, F), zero past each clip's end."""
        n_channels, n_clips, n_frames = channels.shape
        if self.lengths is not None:
            kept = self.lengths - (self.positions.shape[-1] - n_frames)
            padding = torch.arange(n_frames) >= kept[:, None]
            channels = channels.masked_fill(padding.to(channels.device), 0)
        rows = channels.reshape(n_channels, -1).t().contiguous()
        rows = rows.view(n_clips, n_frames, n_channels)
        return rows[0] if self.single else rows


def _check_shape(joints: Tensor, skeleton: Skeleton) -> None:
    expected = (skeleton.n_joints, 3)
    if joints.ndim not in (3, 4) or tuple(joints.shape[-2:]) != expected:
        raise UserError(
            f"joints of shape {tuple(joints.shape)} do not fit the skeleton {skeleton.name!r}: "
            f"give (frames, {skeleton.n_joints}, 3) or (clips, frames, {skeleton.n_joints}, 3)"
        )
    if joints.shape[-3] < 2:
        raise UserError(
            f"a clip of {joints.shape[-3]} frames has no velocities: give 2 frames or more"
        )


def _checked_lengths(lengths: Lengths, n_clips: int, n_frames: int) -> Tensor | None:
    """Lengths as (B,) int64 on the CPU, None where every clip is n_frames long."""
    if lengths is None:
        return None
    counts = torch.as_tensor(lengths, dtype=torch.int64).cpu()
    if tuple(counts.shape) != (n_clips,):
        raise UserError(
            f"lengths of shape {tuple(counts.shape)} for {n_clips} clips: give one number a clip"
        )
    for clip, count in enumerate(counts.tolist()):
        if not 2 <= count <= n_frames:
            raise UserError(
                f"clip {clip}: length {count} is outside 2..{n_frames}, the frames that are there"
            )
    return None if bool((counts == n_frames).all()) else counts


def _refuse_not_finite(batch: Tensor) -> None:
    """Name the first value that is not finite; a sum may also overflow without one."""
    bad = (~torch.isfinite(batch)).nonzero()
    if len(bad):
        clip, frame, joint, _ = bad[0].tolist()
        raise UserError(
            f"clip {clip}: frame {frame}, joint {joint} is not a finite number; "
            "repair or drop the clip"
        )
    raise UserError("joint positions are too large to add up: give metres")
