"""What an importer does: recognise a checkpoint, and make the parts of a method of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.original_names import QUANTIZER_NAMES, load_original, original_sizes
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat
from motiongpt.motion.skeleton import HUMANML3D, KIT, Skeleton
from motiongpt.published.folder import SavePart
from motiongpt.published.statistics import Statistics, read_statistics
from motiongpt.weights import made_to_fit

SKELETONS: Mapping[int, tuple[Skeleton, float]] = {
    HUMANML3D.n_features: (HUMANML3D, 20.0),
    KIT.n_features: (KIT, 12.5),
}
"""Number of features -> the skeleton it is of, and frames per second of that data set."""


@dataclass(frozen=True)
class ImportOptions:
    """What a checkpoint doesn't tell.

    Attributes:
        statistics: folder with mean.npy and std.npy.
        store: folder of a motion store, instead.
        text_tokenizer: hub name or local folder; None for the one that was used in training.
        codebook_size: that is expected; None takes what is there.
    """

    statistics: Path | None = None
    store: Path | None = None
    text_tokenizer: str | None = None
    codebook_size: int | None = None


@dataclass(frozen=True)
class ImportedParts:
    """What a checkpoint turned into.

    Attributes:
        method: whose parts they are.
        parts: part -> what writes it.
        format: of the motions.
        summary: what was imported, in lines for a person.
        ignored: names in the checkpoint that are no part of the model.
        source: further provenance.
        remarks: lines that a person should read.
    """

    method: str
    parts: Mapping[str, SavePart]
    format: MotionFormat
    summary: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


class Importer(ABC):
    """Turns the checkpoints of one project into our parts.

    Attributes:
        name: as conf/published calls it.
        holds: what its checkpoints look like, for messages.
        statistics: where mean and std are to be had.
        normalisation: of a store that has the same.
        experiment: that evaluates the model {folder}, and what it has to be told.
    """

    name: ClassVar[str]
    holds: ClassVar[str]
    statistics: ClassVar[str]
    normalisation: ClassVar[str] = "motiongpt"
    experiment: ClassVar[str] = "published published.folder={folder}"

    @abstractmethod
    def recognises(self, content: Mapping[str, Any]) -> bool:
        """Whether the checkpoint is of this project, by the names of its parts."""

    @abstractmethod
    def parts(self, content: Mapping[str, Any], options: ImportOptions) -> ImportedParts:
        """The parts of a checkpoint that is recognised.

        Raises:
            UserError: something is missing, left over or of another size than expected.
        """

    def read_tokenizer(
        self, state: Mapping[str, Tensor], prefix: str, options: ImportOptions
    ) -> tuple[TrainedTokenizer, MotionFormat, Statistics]:
        """The VQ-VAE that MotionGPT and T2M-GPT share, with its statistics.

        Raises:
            UserError: as `parts`.
        """
        sizes = original_sizes(state, prefix)
        _check_codebook(sizes["codebook_size"], options.codebook_size, prefix)
        format = format_of(sizes["n_features"], f"{prefix}encoder.model.0.weight")
        found = self.read_statistics(options, format)
        learned = prefix + QUANTIZER_NAMES[1] in state
        quantizer = StandardQuantizer if learned else EMAResetQuantizer
        network = made_to_fit(
            lambda: VQVAE(quantizer=quantizer, **sizes),
            lambda made: load_original(made, state, prefix),
        )
        codec = TrainedTokenizer(network, found.mean, found.std)
        return codec, format, found

    def read_statistics(self, options: ImportOptions, format: MotionFormat) -> Statistics:
        """Mean and std that fit the motions.

        Raises:
            UserError: see `published.statistics.read_statistics`.
        """
        return read_statistics(
            options.statistics,
            options.store,
            format.skeleton,
            self.statistics,
            self.normalisation,
        )


def format_of(n_features: int, name: str) -> MotionFormat:
    """The motions that have so many features.

    Args:
        name: of the weight that tells, for the message.

    Raises:
        UserError: no known skeleton has.
    """
    if n_features not in SKELETONS:
        known = " or ".join(f"{n} ({one.name})" for n, (one, _) in SKELETONS.items())
        raise UserError(f"{name}: expected {known} features, found {n_features}")
    skeleton, fps = SKELETONS[n_features]
    return MotionFormat(fps, skeleton)


def format_of_codes(options: ImportOptions) -> tuple[MotionFormat, tuple[str, ...]]:
    """Of the motions behind codes, which a network of codes doesn't tell; and what to say of it.

    Raises:
        UserError: a motion store that can't be opened.
    """
    if options.store is not None:
        store = MotionStore.open(options.store)
        return MotionFormat(store.fps, store.skeleton), ()
    skeleton, fps = SKELETONS[HUMANML3D.n_features]
    return MotionFormat(fps, skeleton), (
        "taken to be of HumanML3D's motions, the checkpoint doesn't tell: --store FOLDER with a "
        "motion store of other data says otherwise",
    )


def codec_summary(codec: TrainedTokenizer, format: MotionFormat) -> str:
    """A codec in one line."""
    return (
        f"motion tokenizer: {codec.codebook_size} codes, {codec.frames_per_token} frames a token, "
        f"{codec.n_features} features ({format.skeleton.name}, {format.fps:g} fps), "
        f"{parameters(codec.tokenizer)} parameters"
    )


def parameters(module: nn.Module) -> str:
    """How many numbers a network learns."""
    return f"{sum(parameter.numel() for parameter in module.parameters()):,}"


def remarks_of(found: Statistics) -> tuple[str, ...]:
    """What to say of statistics that don't look like the released ones."""
    if not found.looks_plain:
        return ()
    return (
        "warning: root and contacts are not weighted as in the released statistics (their std is "
        "a 25th of HumanML3D's own): these may be of another normalisation than the weights",
    )


def _check_codebook(found: int, expected: int | None, prefix: str) -> None:
    if expected is not None and found != expected:
        raise UserError(
            f"{prefix}quantizer: expected a codebook of {expected} codes, found {found}"
        )
