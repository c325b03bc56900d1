"""FBX: the same scene as in a GLB, converted by Blender, which knows the format."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from motiongpt.blender import find_blender, run_blender
from motiongpt.errors import UserError
from motiongpt.export.base import Format, option
from motiongpt.export.formats.glb import Glb
from motiongpt.files import save_with
from motiongpt.motion.sequence import MotionSequence

SECONDS = 600  # for Blender to start, read and write
# Run within Blender; the two files' names follow "--". Debian pairs Blender 3.4, whose reader of
# glTF says numpy.bool, with a numpy that has dropped the name.
SCRIPT = """
import sys
import bpy
import numpy
if "bool" not in vars(numpy):
    numpy.bool = bool
source, out = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps = {fps}
bpy.context.scene.render.fps_base = {base}
bpy.ops.import_scene.gltf(filepath=source)
bpy.ops.export_scene.fbx(filepath=out, add_leaf_bones=False, bake_anim_simplify_factor=0.0)
"""


@dataclass(frozen=True)
class Fbx(Format):
    """The free body, skinned and animated, by Blender where it is installed."""

    endings: ClassVar[tuple[str, ...]] = (".fbx",)

    blender: str = option("blender", "the program, by name or path")

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`.

        Raises:
            UserError: also where there is no Blender, or it fails.
        """
        program = find_blender(self.blender, f"{path}: .fbx is written", "write .glb")
        content = Glb().content(motion)
        with tempfile.TemporaryDirectory() as folder:
            source, script = Path(folder, "motion.glb"), Path(folder, "convert.py")
            source.write_bytes(content)
            whole = max(round(motion.fps), 1)
            script.write_text(SCRIPT.format(fps=whole, base=whole / motion.fps))
            save_with(path, lambda out: _convert(program, script, source, out), suffix=".fbx")


def _convert(program: str, script: Path, source: Path, out: Path) -> None:
    run_blender(program, script, [str(source), str(out)], SECONDS)
    if not out.stat().st_size:
        raise UserError(f"{program}: wrote no .fbx")
