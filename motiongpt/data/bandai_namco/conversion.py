"""One BVH file of the data set to a clip: joints, then measurements, then captions."""

from motiongpt.data.bandai_namco.captions import captions
from motiongpt.data.bandai_namco.labels import LABELS
from motiongpt.data.bandai_namco.measurements import measure
from motiongpt.data.bandai_namco.splits import ClipName
from motiongpt.data.bvh import parse_bvh
from motiongpt.data.bvh_joints import mapped_joints, on_the_floor
from motiongpt.data.clip import BadClip, Clip
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.errors import UserError
from motiongpt.motion.resample import resampled_length
from motiongpt.motion.skeleton import HUMANML3D

_FEWEST_JOINT_FRAMES = 2


def to_clip(
    name: str, content: bytes, split: str, max_frames: int, fps: float = HUMANML3D.fps
) -> Clip | BadClip:
    """Joints at `fps` frames per second with the lowest at height 0, labels and captions.

    What lies beyond `max_frames` is cut off first, so captions are about what is kept.
    """
    parts = ClipName.parse(name)
    assert parts is not None
    try:
        bvh, mapping = parse_bvh(content, name), load_mapping("bandai_namco")
        joints = mapped_joints(bvh, mapping, fps, name)
    except UserError as error:
        return BadClip(name, str(error).removeprefix(f"{name}: "))
    # Features need one frame of joints more.
    joints = on_the_floor(joints[: max_frames + 1])
    if len(joints) < _FEWEST_JOINT_FRAMES:
        return BadClip(name, f"too short: {len(joints)} frame of joints, nothing can be measured")
    measured = joints
    if fps != HUMANML3D.fps:  # that of the measurements
        frames = resampled_length(len(joints), fps, HUMANML3D.fps)
        measured = on_the_floor(mapped_joints(bvh, mapping, HUMANML3D.fps, name)[:frames])
    return Clip(
        name,
        split,
        captions(parts, measure(measured)),
        joints=joints,
        labels=LABELS[parts.content],
    )
