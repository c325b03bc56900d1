"""Films and tables in TensorBoard: as animated pictures, and as texts."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from motiongpt.training.shown import Cell, ShownFile

WIDTH = 320  # pixels; a GIF of more is several megabytes
FILMS = (".mp4", ".gif")


def log_films(writer: Any, name: str, files: Sequence[ShownFile], step: int | None) -> None:
    """Films as GIF, which TensorBoard plays; scenes, which it can't show, as a list of their files.

    Args:
        writer: a `SummaryWriter`.
    """
    films = [one for one in files if Path(one.path).suffix in FILMS]
    for number, one in enumerate(films):
        _write_gif(writer, f"{name}/{number}", _as_gif(Path(one.path)), step or 0)
        writer.add_text(f"{name}/{number}", one.caption, step or 0)
    others = [one for one in files if one not in films]
    if others:
        rows = [[one.caption, str(one.path)] for one in others]
        writer.add_text(name, markdown(["caption", "file"], rows), step or 0)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table as TensorBoard's texts have it."""
    lines: list[Sequence[Cell]] = [columns, ["---"] * len(columns), *rows]
    texts = [["" if cell is None else _one_line(str(cell)) for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in texts)


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _as_gif(film: Path) -> bytes:
    """The film's bytes as GIF; made by the ffmpeg that a wheel brings."""
    if film.suffix == ".gif":
        return film.read_bytes()
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "film.gif")
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(film)]
        done = subprocess.run(
            [*command, "-vf", f"scale='min({WIDTH},iw)':-2", str(made)],
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode:
            raise OSError(f"{film}: ffmpeg says {done.stderr.strip()}")
        return made.read_bytes()


def _write_gif(writer: Any, name: str, content: bytes, step: int) -> None:
    from tensorboard.compat.proto.summary_pb2 import Summary

    width, height = (int.from_bytes(content[at : at + 2], "little") for at in (6, 8))
    picture = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=content)
    writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=name, image=picture)]), step)
