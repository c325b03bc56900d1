"""MP4: a film that every player shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from motiongpt.errors import UserError
from motiongpt.export.base import Format, option
from motiongpt.export.formats.pictures import SMALLEST, first_caption
from motiongpt.files import save_with
from motiongpt.motion.sequence import MotionSequence


@dataclass(frozen=True)
class Mp4(Format):
    """A film of the stick figure, H.264."""

    endings: ClassVar[tuple[str, ...]] = (".mp4",)

    size: int = option(480, "width and height in pixels, even", least=SMALLEST)

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        import imageio_ffmpeg  # its wheel brings ffmpeg

        from motiongpt.render.stick_figure import Scene, checked_joints

        if self.size % 2:
            raise UserError(f"size={self.size}: a film needs an even size")
        joints = checked_joints(motion.joints, motion.skeleton, str(path))
        caption = first_caption(motion)
        scene = Scene(joints, motion.skeleton, caption, motion.given, self.size, motion.fps, [])

        def save(temporary: Path) -> None:
            writer = imageio_ffmpeg.write_frames(
                str(temporary), (self.size, self.size), fps=motion.fps, macro_block_size=2
            )
            writer.send(None)  # starts ffmpeg
            try:
                for picture in scene.frames():
                    writer.send(picture.tobytes())
            finally:
                writer.close()

        save_with(path, save, suffix=".mp4")
