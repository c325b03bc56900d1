"""One motion, as people and files have it.

The files' own modules know `MotionSequence`, not this class: imports go one way.
Shape letters: T frames, J joints, F features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.api.motion_file import BvhOptions, motion_of_array, read_motion
from motiongpt.motion.sequence import MotionSequence


class Motion(MotionSequence):
    """Joints in metres, with all that is known about them, to and from files; it never changes.

    `from_joints`, `from_features` and `from_file` make one. A slice of frames, `motion[10:40]`, is
    a motion that stays where it was; one frame, `motion[-1]`, is a motion of that pose.
    Attributes as of `MotionSequence`.
    """

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        fps: float | None = None,
        captions: Sequence[str] | None = None,
        *,
        mapping: str | Path | None = None,
        metres_per_unit: float | None = None,
        up_axis: str | None = None,
        skip_first: int = 0,
    ) -> Motion:
        """Read joints or features (.npy, told apart by their shape), .npz of `save`, or .bvh.

        A BVH file whose first frame is a T-pose, or whose body lies, is read with a warning that
        names the argument which mends it.

        Args:
            fps: of an .npy file, which doesn't say; the skeleton's where it is not given.
            captions: instead of the file's own.
            mapping: of a BVH file: the yaml of a joint mapping (`motiongpt data mapping FILE`
                writes one), or a shipped one's name; None finds the shipped one that fits.
            metres_per_unit: of a BVH file, instead of the mapping's: 1, 0.01, 0.001 …
            up_axis: of a BVH file, "Y" or "Z", instead of the mapping's.
            skip_first: frames at the start of a BVH file to leave out.

        Raises:
            UserError: no such file, one of another kind, or numbers that are no motion.
        """
        options = BvhOptions(mapping, metres_per_unit, up_axis, skip_first)
        return cls.of(read_motion(Path(path), fps, captions, options))

    @classmethod
    def from_array(
        cls, array: np.ndarray, fps: float | None = None, captions: Sequence[str] = ()
    ) -> Motion:
        """Joints (T, J, 3) or features (T, F), told apart by their shape; a leading 1 is dropped.

        Raises:
            UserError: the shape is that of no known skeleton's joints or features.
        """
        return cls.of(motion_of_array(array, fps, captions))

    def rigid(self) -> Motion:
        """The same on bones of constant length, for programs that know no others.

        Joints move by some millimetres: decoded bones stretch. Nothing turns faster than a person
        can (motiongpt/motion/rigid.py).
        """
        from motiongpt.motion.cleaning import cleaned

        return self._moved(cleaned(self.joints, self.skeleton, self.fps, rigid=True))

    def clean(self, *steps: str) -> Motion:
        """The same for the eye: "feet" locks feet that stand, "smooth" takes trembling away.

        `motion.clean("feet", "smooth")`. Bones that are rigid stay so.

        Raises:
            UserError: a step that there is not.
        """
        from motiongpt.motion.cleaning import cleaned

        return self._moved(cleaned(self.joints, self.skeleton, self.fps, steps))

    def _moved(self, joints: np.ndarray) -> Motion:
        found = joints.astype(np.float32)
        return Motion(found, self.fps, self.captions, self.skeleton, self.given)

    def save(
        self,
        path: str | Path,
        fps: float | None = None,
        rigid: bool | None = None,
        clean: str | Sequence[str] = (),
        beside: Mapping[str, MotionSequence] | None = None,
        label: str = "",
        **options: Any,
    ) -> Path:
        """Write a file; its ending says which kind: `motiongpt export --help` lists them.

        .npy holds the joints; .npz joints, features, fps, captions and skeleton; .html is a page to
        turn and play it in, .gif, .webp and .mp4 are films, .png a picture of several poses, .bvh a
        skeleton with rotations for other programs. As
        `motion.save("walk.bvh", fps=60, names="mixamo", clean="feet,smooth")`.

        Args:
            fps: frames per second of the file; the motion's if None.
            rigid: bones of constant length; where None, all files have them but .npy and .npz.
            clean: steps of `clean` before it is written.
            beside: label -> motions that a page or a picture shows beside this one, as
                `real.save("both.html", label="real", beside={"generated": generated})`.
            label: of this motion.
            options: those of the format.

        Raises:
            UserError: another ending, or an option that it does not have.
        """
        from motiongpt.export.saving import save_motion  # loads what draws pictures

        return save_motion(self, Path(path), fps, rigid, clean, beside, label, **options)

    def show(self) -> Any:
        """A page to turn and play it in: below the cell of a notebook, else in the browser.

        Outside a notebook the page's path is printed and returned.
        """
        from motiongpt.api.showing import show_motion  # loads what draws pictures

        return show_motion(self)
