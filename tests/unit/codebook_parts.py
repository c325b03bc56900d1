"""A small store for tests of codebooks."""

from pathlib import Path

from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from tests.unit.fake_source import FakeSource, joint_clip

EVIL = "</script><script>window.ran = 1</script>"


def small_store(folder: Path) -> MotionStore:
    """Twelve clips to train on, half of them of walking people, and one shorter than a token."""
    clips = [
        joint_clip(
            f"clip{i}",
            frames=24 + i,
            seed=i,
            captions=(Caption(f"a person {'walks' if i % 2 else 'is waving'} {EVIL}"),),
        )
        for i in range(12)
    ]
    build_store(FakeSource([*clips, joint_clip("short", frames=4)]), folder, progress=False)
    return MotionStore.open(folder)
