"""A trained model as a backbone of an MMCP server: sentences with lengths in, joint turns out."""

from threading import Lock
from typing import Any

import numpy as np
from motionmcp import Backbone, GenerateRequest, ModelSpec, MotionResult
from motionmcp.backbone import Limits
from motionmcp.errors import ProtocolError
from motionmcp.schemas import Joint, Skeleton, TextSegment
from scipy.spatial.transform import Rotation

from motiongpt.api.model import Model
from motiongpt.errors import UserError
from motiongpt.methods.base import TEXT_TO_MOTION
from motiongpt.mmcp.joining import joined, of_length, on_offsets
from motiongpt.motion.rigid import RigidMotion, rest_offsets, rigid_motion

STANDING, STANDING_FRAMES, SEED = "a person stands still.", 40, 0
"""What the model's own proportions are taken from."""
SECONDS, TAKE = 30.0, 300.0  # of a sentence, where the method has no limit; of all sentences
SAMPLES = 8  # at a time


class ServedModel(Backbone):
    """Text segments of any number, one after the other; other kinds of input are refused.

    Args:
        model: that makes motion of words.
        clean: steps of clean-up (`Motion.clean`), as the other exports have them by option.

    Raises:
        UserError: a model that makes no motion of words.
    """

    def __init__(self, model: Model, clean: tuple[str, ...] = ()) -> None:
        model.check(TEXT_TO_MOTION)
        self.model, self.model_id, self.clean = model, model.name, clean
        self._one_at_a_time = Lock()
        body = self._made(STANDING, STANDING_FRAMES, 1, SEED)[0]
        self._offsets = rest_offsets(body.joints(), model.skeleton)
        self._height = float(body.root[:, 1].mean())

    def capabilities(self) -> ModelSpec:
        """See `Backbone.capabilities`."""
        longest = self.model.method.longest
        seconds = SECONDS if longest is None else longest / self.model.fps
        return ModelSpec(
            id=self.model_id,
            fps=self.model.fps,
            canonical_skeleton=self._skeleton(),
            supports_segment_seed=True,
            supported_segments=["text"],
            supported_guidance_types=[],
            native_clip_seconds=seconds,
            recommended_max_duration_seconds=seconds,
            chunking="stitched",
            limits=Limits(max_num_samples=SAMPLES, max_duration_seconds=TAKE),
        )

    def generate(self, request: GenerateRequest) -> MotionResult:
        """See `Backbone.generate`.

        Raises:
            ProtocolError: a sentence or a length that the model can't take.
        """
        options, fps = request.options, request.fps(self.model.fps)
        count = 1 if options is None else options.num_samples
        blended = 0 if options is None else options.transition_frames
        parts = [
            self._segment(segment, fps, count, None if options is None else options.seed)
            for segment in request.segments
            if isinstance(segment, TextSegment)
        ]
        samples = [joined(of_sample, blended) for of_sample in zip(*parts, strict=True)]
        ends = np.cumsum([segment.duration_frames for segment in request.segments])[:-1]
        turns = np.stack([one.rotations for one in samples])
        flat = Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_quat()
        return MotionResult(
            rotations=flat.reshape(*turns.shape[:3], 4).astype(np.float32),
            root_translations=np.stack([one.root for one in samples]).astype(np.float32),
            chunk_boundaries=[[int(end) for end in ends] for _ in samples],
            notes=[self._note(line) for line in self._doubts(request)],
        )

    def _segment(
        self, segment: TextSegment, fps: float, count: int, seed: int | None
    ) -> list[RigidMotion]:
        """`count` motions of a sentence, on the model's own body, at `fps`, of the asked length."""
        longest = self.model.method.longest
        frames = int(np.ceil(segment.duration_frames * self.model.fps / fps))
        frames = max(frames, self.model.method.shortest)
        if longest is not None and frames > longest:
            raise ProtocolError(
                "invalid_request",
                f"a sentence of {segment.duration_frames / fps:.1f} s; {self.model_id} generates "
                f"at most {longest / self.model.fps:.1f} s of one: use several segments",
            )
        seed = segment.seed if segment.seed is not None else seed
        try:
            made = self._made(segment.prompt, frames, count, seed)
        except UserError as error:
            raise ProtocolError("invalid_request", str(error)) from error
        return [
            of_length(on_offsets(one, self._offsets).at(fps), segment.duration_frames)
            for one in made
        ]

    def _made(self, text: str, frames: int, count: int, seed: int | None) -> list[RigidMotion]:
        with self._one_at_a_time:
            motions = self.model.text_to_motion(text, frames, samples=count, seed=seed)
        if self.clean:
            motions = [one.clean(*self.clean) for one in motions]
        return [rigid_motion(one.joints, one.skeleton, one.fps) for one in motions]

    def _doubts(self, request: GenerateRequest) -> list[str]:
        return self.model.doubts([one.prompt for one in request.segments])

    def _note(self, line: str) -> dict[str, Any]:
        return {"code": "far_from_training", "severity": "warning", "message": line}

    def _skeleton(self) -> Skeleton:
        skeleton = self.model.skeleton
        names, parents = skeleton.joint_names, skeleton.parents
        joints = []
        for joint, (name, parent) in enumerate(zip(names, parents, strict=True)):
            place = (0.0, self._height, 0.0) if joint == 0 else tuple(self._offsets[joint])
            joints.append(
                Joint(
                    name=name,
                    parent=None if joint == 0 else names[parent],
                    rest_translation=tuple(float(value) for value in place),
                    rest_rotation=(0.0, 0.0, 0.0, 1.0),
                )
            )
        return Skeleton(joints=joints)
