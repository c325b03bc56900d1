"""BVH as this project exports it."""

from motiongpt.export.bvh import bvh_text
from motiongpt.motion.skeleton import HUMANML3D
from tests.forms.motions import FPS

OPTIONS: dict = {}
MILLIMETRES = 3.0
"""The exporter keeps bones rigid that move less than 3 mm within the body."""


def write(folder, name, bench):
    (folder / f"{name}.bvh").write_text(bvh_text(bench.joints(name), HUMANML3D, FPS))
