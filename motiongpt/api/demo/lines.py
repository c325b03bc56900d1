"""Reading a file of prompts.

A line is words, or `words#path` with a file of motion. In the words, `<motion>` stands for the
motion's tokens, `<Motion_Placeholder_s1>` for those of its first fifth, `<Motion_Placeholder_s2>`
for the rest, `<Motion_Placeholder_Masked>` for the motion with its middle half masked. Capital and
small letters are alike. Empty lines don't count; the first of the others has the ID 0.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motiongpt.api.inputs import check_letters
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks import templates
from motiongpt.reading import file_size

KNOWN = {
    name.lower(): placeholder
    for name, placeholder in {
        "<motion>": templates.MOTION,
        **{name: name for name in templates.PLACEHOLDERS if name != templates.CAPTION},
        **templates.ALIASES,
    }.items()
}
OF_MOTION = (
    templates.MOTION,
    templates.MOTION_GIVEN,
    templates.MOTION_REST,
    templates.MOTION_MASKED,
)
MOST_LETTERS = 20_000  # of a line; models read some 500 words
TASKS = ("t2m", "m2t", "pred", "inbetween")
_MARK = re.compile(r"<[A-Za-z]\w*>")
_TOKEN = re.compile(r"<motion_id_\d+>", re.IGNORECASE)
_FILE = re.compile(r".*\.(npy|npz|bvh)|\S*[./]\w\S*", re.IGNORECASE)


@dataclass(frozen=True)
class DemoLine:
    """One prompt.

    Attributes:
        words: with placeholders as `motiongpt.methods.motiongpt.tasks.templates` writes them.
        path: of its motion, None where it has none.
        task: one of `TASKS`.
        is_caption: the words describe a motion, rather than ask for something.
    """

    words: str
    path: Path | None
    task: str
    is_caption: bool

    @property
    def shown(self) -> tuple[str, ...]:
        """Placeholders of motion that its words have."""
        return tuple(one for one in OF_MOTION if one in self.words)


def numbered_lines(content: bytes) -> list[tuple[int, bytes]]:
    """The lines of a file that are not empty, each with its number from 1."""
    lines = content.removeprefix(b"\xef\xbb\xbf").splitlines()
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def read_line(
    line: bytes | str, folders: Sequence[Path], task: str | None, captions: bool
) -> DemoLine:
    """Understand one line.

    Args:
        folders: where a relative path is looked for, in this order.
        task: what all lines ask; None infers it from the line's placeholders.
        captions: words without a placeholder describe a motion.

    Raises:
        UserError: not UTF-8, no words, an unknown placeholder, or a file that is not there.
    """
    if len(line) > MOST_LETTERS:
        raise UserError(f"a line of {len(line):,} letters; at most {MOST_LETTERS:,} are read")
    words, path = _parted(_decoded(line))
    if not re.search(r"\w", _MARK.sub("", words)) and not _MARK.search(words):
        raise UserError("no words before '#'" if path else "no words")
    words = _MARK.sub(lambda match: _canonical(match[0]), words)
    found = DemoLine(words, _found(path, folders) if path else None, "", False)
    if found.shown and found.path is None:
        raise UserError(f"{found.shown[0]} without a motion; end the line with #PATH.npy")
    asked = task or _inferred(found.shown)
    return DemoLine(words, found.path, asked, captions and not found.shown)


def read_sentence(line: bytes | str) -> str:
    """A line of words alone, for a method that reads nothing else.

    Raises:
        UserError: not UTF-8, no words, or something that only MotionGPT's prompts have.
    """
    text = _decoded(line)
    words, path = _parted(text)
    if mark := _MARK.search(words):
        raise UserError(
            f"{mark[0]}: a placeholder of MotionGPT's prompts; this method reads words alone"
        )
    if path:
        raise UserError(
            f"#{path}: a motion, as MotionGPT's prompts have; this method reads words alone"
        )
    if not text:
        raise UserError("no words")
    return text


def _decoded(line: bytes | str) -> str:
    if isinstance(line, str):
        check_letters(line, "a line")
        return line.strip()
    try:
        return line.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise UserError(f"byte {line[error.start]:#04x} is no UTF-8 text") from error


def _parted(text: str) -> tuple[str, str]:
    """Words and path; a '#' that no path follows belongs to the words."""
    words, mark, path = text.rpartition("#")
    if mark and _FILE.fullmatch(path.strip()):
        return words.strip(), path.strip()
    return text, ""


def _canonical(mark: str) -> str:
    if _TOKEN.fullmatch(mark):
        return mark.lower()
    if mark.lower() not in KNOWN:
        names = ", ".join(["<motion>", *OF_MOTION[1:]])
        raise UserError(f"unknown placeholder {mark}; known are {names}")
    return KNOWN[mark.lower()]


def _found(path: str, folders: Sequence[Path]) -> Path:
    files = [folder / Path(path).expanduser() for folder in folders]
    for file in files:
        try:
            file_size(file)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}; name a file of motion") from error
        return file
    raise UserError(f"{path}: no such file, looked for in {' and '.join(map(str, folders))}")


def _inferred(shown: Sequence[str]) -> str:
    """What a line asks, by what it shows: a masked motion is to be filled, a first part to go on,
    any other motion to be described; words alone are to be moved."""
    if templates.MOTION_MASKED in shown:
        return "inbetween"
    if tuple(shown) == (templates.MOTION_GIVEN,):
        return "pred"
    return "m2t" if shown else "t2m"
