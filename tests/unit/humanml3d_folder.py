"""A small folder in HumanML3D's layout, for tests."""

from pathlib import Path

import numpy as np

WHOLE = "a person walks#a/DET person/NOUN walk/VERB#0.0#0.0"


class Folder:
    """Writes clips into `path` as HumanML3D publishes them; `lists` writes the split lists."""

    def __init__(self, path: Path, features: int = 263) -> None:
        self.path = path
        self.features = features
        self.ids: dict[str, list[str]] = {"train": [], "val": [], "test": []}
        (path / "new_joint_vecs").mkdir(parents=True)
        (path / "texts").mkdir()

    def clip(
        self,
        name: str,
        split: str = "train",
        frames: int = 60,
        text: str | None = WHOLE,
        features: np.ndarray | None = None,
    ) -> np.ndarray:
        if features is None:
            rng = np.random.default_rng(list(name.encode()))
            features = rng.normal(size=(frames, self.features)).astype(np.float32)
        np.save(self.motion(name), features)
        if text is not None:
            (self.path / "texts" / f"{name}.txt").write_text(text)
        self.ids[split].append(name)
        self.lists()
        return features

    def motion(self, name: str) -> Path:
        return self.path / "new_joint_vecs" / f"{name}.npy"

    def lists(self) -> None:
        for split, ids in self.ids.items():
            (self.path / f"{split}.txt").write_text("".join(f"{name}\n" for name in ids))
