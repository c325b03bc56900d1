"""Motions as strings: MotionGPT's writing, and its way of reading as parsing="released"."""

import re
from pathlib import Path
from typing import Any

from motiongpt.backbones.motion_vocabulary import MotionVocabulary

WRITING = re.compile(r"codebook_(\d+)")
READING = re.compile(r"string_to_token_codebook_(\d+)")
MIDDLE = "get_middle_str"


def check_motion_strings(path: Path, value: dict[str, Any], report: Any) -> None:
    """Check every case of a file like parity/lm/motion_strings.json; all are exact.

    The codebook size is the number at the end of a group's name; the cases of `get_middle_str`
    have the one that their results begin with.
    """
    case = f"lm/{path.name}"
    for group, cases in value.items():
        if match := WRITING.fullmatch(group):
            _check_writing(case, group, MotionVocabulary(int(match[1])), cases, report)
        elif match := READING.fullmatch(group):
            _check_reading(case, group, MotionVocabulary(int(match[1])), cases, report)
        elif group == MIDDLE:
            _check_middle(case, cases, report)
        else:
            report.unchecked(case, group, "no check knows this group")


def is_motion_strings(value: Any) -> bool:
    """Whether a JSON value is a file of this kind, whatever its name."""
    return isinstance(value, dict) and (
        MIDDLE in value or any(WRITING.fullmatch(k) or READING.fullmatch(k) for k in value)
    )


def _check_writing(
    file: str, group: str, vocabulary: MotionVocabulary, cases: list[dict[str, Any]], report: Any
) -> None:
    for i, case in enumerate(cases):
        cut = case["tokens"][: case["length"]]
        report.exact(file, f"{group}[{i}]/string", vocabulary.write(cut), case["string"])
        if "list_to_string" in case:
            whole = vocabulary.write(case["tokens"])
            report.exact(file, f"{group}[{i}]/list_to_string", whole, case["list_to_string"])
        known = {"tokens", "length", "string", "list_to_string"}
        _name_unchecked(file, f"{group}[{i}]", case, known, report)


def _check_reading(
    file: str, group: str, vocabulary: MotionVocabulary, cases: list[dict[str, Any]], report: Any
) -> None:
    for i, case in enumerate(cases):
        codes = vocabulary.read(case["input"], parsing="released").tolist()
        report.exact(file, f"{group}[{i}]/tokens", codes, case["tokens"])
        if "cleaned" in case:
            cleaned = vocabulary.without_motion(case["input"], parsing="released")
            report.exact(file, f"{group}[{i}]/cleaned", cleaned, case["cleaned"])
        _name_unchecked(file, f"{group}[{i}]", case, {"input", "tokens", "cleaned"}, report)


def _check_middle(file: str, cases: list[dict[str, Any]], report: Any) -> None:
    for i, case in enumerate(cases):
        start = re.match(r"<motion_id_(\d+)>", case["middle"])
        if start is None:
            report.unchecked(file, f"{MIDDLE}[{i}]", "the result begins with no motion token")
            continue
        middle = MotionVocabulary(int(start[1])).released_motion(case["content"])
        report.exact(file, f"{MIDDLE}[{i}]/middle", middle, case["middle"])
        _name_unchecked(file, f"{MIDDLE}[{i}]", case, {"content", "middle"}, report)


def _name_unchecked(
    file: str, name: str, case: dict[str, Any], known: set[str], report: Any
) -> None:
    for key in sorted(case.keys() - known):
        report.unchecked(file, f"{name}/{key}", "no check knows this value")
