"""What is done away from the server: models, files of strangers, pages and films."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motiongpt.api.model import Model
from motiongpt.api.motion import Motion
from motiongpt.api.motiongpt import load
from motiongpt.data.training_captions import read_training_captions
from motiongpt.errors import UserError
from motiongpt.render.shown import Shown
from motiongpt.viewer.page import Choices, write_shared_page
from motiongpt.web.examples import chosen_captions
from motiongpt.web.requests import PageOutput, PageRequest, output_of

CLEAN = ("feet", "smooth")
SHARED = "shared"  # folder beside the pages, of what they have in common


@dataclass(frozen=True)
class ModelFacts:
    """What the page says of a model.

    Attributes:
        name: which no other model of the page has.
        tasks: that it can be asked.
        examples: captions that it was trained on.
    """

    name: str
    method: str
    tasks: frozenset[str]
    examples: tuple[str, ...]


class Workshop:
    """The models of a page, and all heavy work; it lives in a process of its own."""

    def __init__(
        self, places: Sequence[str], device: str | None = None, whisper: Path | None = None
    ) -> None:
        models = [load(place, device, keep_memory=True) for place in places]
        self._models = dict(zip(_names(models), models, strict=True))
        self._ears = None if whisper is None else _ears(whisper)

    def facts(self) -> list[ModelFacts]:
        """Of each model."""
        return [
            ModelFacts(name, model.method.name, model.method.tasks, _examples(model))
            for name, model in self._models.items()
        ]

    def outputs(self, request: PageRequest, names: Sequence[str], clean: bool) -> list[PageOutput]:
        """What each of the named models makes of a request, cleaned for the eye if asked for."""
        found = [output_of(self._models[name], name, request) for name in names]
        return [_cleaned(one) for one in found] if clean else found

    def read(self, path: Path, most_seconds: float) -> tuple[Motion, list[str]]:
        """A stranger's file, and what was odd about it.

        Raises:
            UserError: no motion, or a longer one; it names no folder of this machine.
        """
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                motion = Motion.from_file(path)
            except UserError as error:
                raise UserError(str(error).replace(str(path), path.name)) from None
        if motion.frames < 2:
            raise UserError(f"{path.name}: one frame; a motion has at least two")
        if motion.seconds > most_seconds:
            raise UserError(
                f"{path.name}: {motion.seconds:,.0f} s; at most {most_seconds:g} s are read: cut it"
            )
        return motion, [str(one.message).replace(str(path), path.name) for one in said]

    def write_page(self, path: Path, shown: Sequence[Shown], title: str) -> None:
        """The page on which motion is turned and played; what pages share lies beside it."""
        write_shared_page(path, shown, title, Choices(contacts=False), SHARED)

    def save(self, path: Path, motion: Motion) -> None:
        """A file to take home, by its ending."""
        motion.save(path)

    def words_of(self, path: Path) -> str:
        """What is said in a recording.

        Raises:
            UserError: nothing was heard, or it is no recording.
        """
        assert self._ears is not None
        from av import FFmpegError  # by which faster-whisper reads recordings

        try:
            pieces, _ = self._ears.transcribe(str(path))
        except FFmpegError as error:
            raise UserError(f"{path.name}: no recording that can be read") from error
        if not (words := " ".join(piece.text.strip() for piece in pieces).strip()):
            raise UserError("no words were heard; say it again, or type")
        return words


def _names(models: Sequence[Model]) -> list[str]:
    """Each model's name; a number behind those that have one in common."""
    names: list[str] = []
    for model in models:
        name, number = model.name, 2
        while name in names:
            name, number = f"{model.name} {number}", number + 1
        names.append(name)
    return names


def _examples(model: Model) -> tuple[str, ...]:
    trained = read_training_captions(map(Path, model.opened.folders.values()))
    return () if trained is None else chosen_captions(trained.captions)


def _cleaned(output: PageOutput) -> PageOutput:
    motions = tuple(motion.clean(*CLEAN) for motion in output.motions)
    return PageOutput(output.model, motions, output.text, output.doubts, output.problem)


def _ears(folder: Path):  # type: ignore[no-untyped-def]  # an optional package's class
    """A Whisper model of faster-whisper's format; nothing is downloaded.

    Raises:
        UserError: the package or the model is absent.
    """
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        raise UserError(
            "--whisper: the package faster-whisper is absent: pip install "
            "'motiongpt-platform[speech]'"
        ) from None
    for name in ("model.bin", "tokenizer.json"):  # without the second one, it would be downloaded
        if not (folder / name).is_file():
            raise UserError(f"--whisper {folder}: no {name}; name a folder of faster-whisper's")
    return WhisperModel(str(folder), device="cpu", compute_type="int8", local_files_only=True)
