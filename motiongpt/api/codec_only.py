"""A codec whose method generates nothing: it is opened like any model, and only reconstructs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch

from motiongpt.codecs.loading import load_codec
from motiongpt.codecs.trained_codec import TrainedCodec
from motiongpt.errors import UserError
from motiongpt.methods.base import Method, MotionFormat, Output, Request, check_options, part_folder

CODEC = "codec"
"""Part of a method, and name of its attribute, that encodes and decodes motion."""


class CodecOnly(Method):
    """Stands for a method that has a codec and nothing else; every request is refused by name.

    Args:
        name: of the method.
        codec: what it has.
    """

    name = CODEC
    all_tasks = frozenset()
    tasks = frozenset()

    def __init__(self, name: str, codec: TrainedCodec) -> None:
        self.name = name  # type: ignore[misc]  # one class stands for all such methods
        self.codec = codec

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        name: str = CODEC,
        **options: Any,
    ) -> Self:
        """See `Method.load`; one part, "codec".

        Args:
            name: of the method.

        Raises:
            UserError: also a codec of another skeleton's features.
        """
        check_options(name, options, ())
        folder = part_folder(folders, CODEC, name)
        codec = load_codec(folder, device)
        expected = format.skeleton.n_features
        if codec.n_features != expected:
            raise UserError(
                f"{folder}: n_features expected {expected} of the skeleton "
                f"{format.skeleton.name}, found {codec.n_features}"
            )
        return cls(name, codec)

    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`: nothing can be requested."""
        self.check_tasks(requests)
        return []
