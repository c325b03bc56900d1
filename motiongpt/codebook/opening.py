"""The discrete codec of a run, whichever method's it is, and the motion that it was trained on."""

from dataclasses import dataclass
from pathlib import Path

import torch

from motiongpt.api.opening import part_folders
from motiongpt.api.run_record import CONFIG, RunRecord
from motiongpt.checksums import damage_below
from motiongpt.codecs.loading import is_codec, load_codec
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.training.stage import MODEL


@dataclass(frozen=True)
class OpenedCodec:
    """What a page of a codebook is about.

    Attributes:
        codec: trained.
        store: the motion whose codes are counted.
        run: stage and signature of the run that left the codec; a folder's name where it is no run.
    """

    codec: TrainedTokenizer
    store: MotionStore
    run: str


def open_codec(
    where: str | Path, store: str | Path | None = None, device: str | None = None
) -> OpenedCodec:
    """The codec of a run, of a model folder, or of an experiment's root with one method in it.

    Args:
        store: folder of the motion store; None for the one that the codec was trained on.
        device: None for a GPU where there is one.

    Raises:
        UserError: no codec there, one without a codebook, or no motion that fits it.
    """
    folder = _codec_folder(where)
    codec = load_codec(folder, device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if not isinstance(codec, TrainedTokenizer):
        raise UserError(
            f"{where}: its codec, {type(codec.network).__name__}, is continuous: its latents are "
            "vectors and it has no codebook; name a run of a discrete codec"
        )
    run = folder.parent if (folder.parent / CONFIG).is_file() else None
    opened = _trained_on(where, run) if store is None else MotionStore.open(Path(store))
    if opened.n_features != codec.n_features:
        raise UserError(
            f"{opened.folder}: features of width {opened.n_features} ({opened.skeleton.name}); the "
            f"codec of {where} reads {codec.n_features}: name another --store"
        )
    name = folder.name if run is None else f"{run.parent.name} {run.name}"
    return OpenedCodec(codec, opened, name)


def _codec_folder(where: str | Path) -> Path:
    """Folder of the codec that a run left itself, else of the one that its method has."""
    own = Path(where).expanduser() / MODEL
    if is_codec(own):
        if said := damage_below(own.parent, whole=True, part=MODEL):
            raise UserError(f"{where}: finished, but {said}: run with --again {own.parent.name}")
        return own
    found = [folder for folder in part_folders(where).values() if is_codec(folder)]
    if not found:
        raise UserError(
            f"{where}: its method has no codec, so no codebook; name a run of one that has"
        )
    return found[0]


def _trained_on(where: str | Path, run: Path | None) -> MotionStore:
    """The store that the run recorded, where it lay or, if outputs were moved, beside the runs."""
    if run is None:
        raise UserError(
            f"{where}: it does not say which motion it was trained on; name its store: "
            "--store outputs/data/NAME"
        )
    data = RunRecord.read(run).data
    recorded = Path(str(data.get("folder", "")))
    beside = run.absolute().parents[2] / "data" / recorded.name
    there = [one for one in (recorded, beside) if (one / "store.json").is_file()]
    if not there:
        raise UserError(
            f"{where}: the motion that it was trained on is not in {recorded}; name its store: "
            "--store FOLDER"
        )
    store = MotionStore.open(there[0])
    if store.fingerprint != data.get("fingerprint"):
        raise UserError(
            f"{where}: the motion in {there[0]} is no longer what it was trained on; name another "
            "store: --store FOLDER"
        )
    return store
