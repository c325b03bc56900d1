"""Codes of every clip of a store, by view: what the tokens stage leaves for the language stages."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from motiongpt.arrays import map_array, read_array
from motiongpt.errors import UserError
from motiongpt.files import save_array, write_json
from motiongpt.reading import read_json_object


class TokenStore:
    """Memory-mapped codes: for each view one array of codes and where each clip begins in it.

    Attributes:
        frames_per_token: frames that one code stands for.
        codebook_size: codes lie in 0 … codebook_size - 1.
    """

    def __init__(
        self,
        views: Mapping[str, tuple[np.ndarray, np.ndarray]],
        frames_per_token: int,
        codebook_size: int,
    ) -> None:
        self._views = dict(views)
        self.frames_per_token, self.codebook_size = frames_per_token, codebook_size

    @staticmethod
    def write(
        folder: Path,
        views: Mapping[str, Sequence[np.ndarray]],
        frames_per_token: int,
        codebook_size: int,
    ) -> None:
        """Write the codes of all clips, in the order of the motion store."""
        folder = Path(folder)
        for name, clips in views.items():
            offsets = np.concatenate([[0], np.cumsum([len(codes) for codes in clips])])
            save_array(
                folder / f"{name}.codes.npy",
                np.concatenate([*clips, np.zeros(0, np.int64)]).astype(np.int64),
            )
            save_array(folder / f"{name}.offsets.npy", offsets.astype(np.int64))
        write_json(
            folder / "tokens.json",
            {
                "views": list(views),
                "codebook_size": codebook_size,
                "frames_per_token": frames_per_token,
            },
        )

    @classmethod
    def open(cls, folder: Path) -> "TokenStore":
        """Open what `write` wrote.

        Raises:
            UserError: no tokens there, or codes outside the codebook.
        """
        folder = Path(folder)
        try:
            about = read_json_object(folder / "tokens.json")
            views = {
                str(name): (
                    map_array(folder / f"{name}.codes.npy"),
                    read_array(folder / f"{name}.offsets.npy"),
                )
                for name in about["views"]
            }
            rate, size = int(about["frames_per_token"]), int(about["codebook_size"])
        except FileNotFoundError as error:
            raise UserError(
                f"{folder}: no tokens here; run the tokens stage: motiongpt run goal=tokens"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{folder}: broken ({error}); run the tokens stage again") from error
        for name, (codes, _) in views.items():
            if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) < size:
                raise UserError(
                    f"{folder}/{name}.codes.npy: codes outside 0 to "
                    f"{size - 1}; run the tokens stage again"
                )
        return cls(views, rate, size)

    def check_codebook(self, codebook_size: int) -> None:
        """Refuse tokens of another codebook.

        Raises:
            UserError: names both sizes.
        """
        if codebook_size != self.codebook_size:
            raise UserError(
                f"the tokens are of a codebook of {self.codebook_size} codes, the "
                f"configuration asks for {codebook_size}; set "
                f"tokenizer.codebook_size={self.codebook_size}"
            )

    def __len__(self) -> int:
        _, offsets = next(iter(self._views.values()))
        return len(offsets) - 1

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the views."""
        return tuple(self._views)

    def counts(self, view: str) -> np.ndarray:
        """(N,) int64 number of codes of each clip in one view."""
        _, offsets = self._views[view]
        return np.diff(offsets)

    def clip(self, index: int) -> dict[str, np.ndarray]:
        """Codes (L,) of clip `index`, by view name."""
        return {
            name: np.asarray(codes[offsets[index] : offsets[index + 1]])
            for name, (codes, offsets) in self._views.items()
        }
