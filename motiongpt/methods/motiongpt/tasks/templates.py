"""Instruction templates in MotionGPT's JSON format: reading and checking them.

A file holds group -> kind -> {"class": ..., "input": [...], "output": [...]}: wordings of what is
asked and of the output, with placeholders in angle brackets (see `placeholders.py`).
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from motiongpt.errors import UserError
from motiongpt.reading import parse_json, read_text

CAPTION = "<Caption_Placeholder>"
MOTION = "<Motion_Placeholder>"
MOTION_GIVEN = "<Motion_Placeholder_s1>"
MOTION_REST = "<Motion_Placeholder_s2>"
MOTION_MASKED = "<Motion_Placeholder_Masked>"
FRAMES = "<Frame_Placeholder>"
SECONDS = "<Second_Placeholder>"
PLACEHOLDERS = (CAPTION, MOTION, MOTION_GIVEN, MOTION_REST, MOTION_MASKED, FRAMES, SECONDS)

# MotionGPT's own file writes the frame count in two ways, of which its code fills one.
ALIASES = {"<Framelen_Placeholder>": FRAMES, "<Secondlen_Placeholder>": SECONDS}

# What an input of a class must hold one of; without it the wording is a broken fragment.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "t2m": (CAPTION,),
    "l2m": (FRAMES, SECONDS),
    "n2m": (),
    "m2t": (MOTION,),
    "m2l": (MOTION,),
    "t2t": (CAPTION, FRAMES, SECONDS),
    "n2t": (),
    "predict": (MOTION_GIVEN,),
    "inbetween": (MOTION_MASKED,),
}
_PLACEHOLDER = re.compile(r"<[A-Za-z]+_Placeholder[A-Za-z0-9_]*>")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TemplateKind:
    """One way of asking, in several wordings.

    Attributes:
        group: heading of the file, such as "Text-to-Motion".
        name: key below the group, such as "caption_framelen".
        template_class: what is turned into what, such as "t2m"; tasks choose by it.
        inputs: wordings of the prompt; the first is the evaluation prompt of its kind.
        outputs: wordings of the output.
    """

    group: str
    name: str
    template_class: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def needs_caption(self) -> bool:
        """Whether some wording speaks of the caption, so that a clip without one is no use."""
        return any(CAPTION in wording for wording in (*self.inputs, *self.outputs))


@dataclass(frozen=True)
class Templates:
    """All kinds of one file.

    Attributes:
        source: file name, for messages.
        kinds: in the order of the file.
        dropped: how many wordings were left out, by reason.
    """

    source: str
    kinds: tuple[TemplateKind, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path | None = None) -> Templates:
        """Read a template file; None is this project's own `instructions.json`.

        Empty wordings, wordings with an unknown placeholder and broken fragments are left out
        with one counted notice in the log; other faults of the file are refused.

        Raises:
            UserError: unreadable, not JSON, or not of the format; names group, kind and index.
        """
        if path is None:
            return cls.packaged("instructions")
        try:
            text = read_text(path, "utf-8-sig")
        except (OSError, UnicodeDecodeError) as fault:
            raise UserError(
                f"template file {path}: {fault}; give a readable JSON file or leave it null for "
                "the project's own templates"
            ) from fault
        return cls.parse(text, str(path))

    @classmethod
    def packaged(cls, name: str) -> Templates:
        """Read one of the files beside this module: instructions, pretraining, ..."""
        file = resources.files("motiongpt.methods.motiongpt.tasks") / "templates" / f"{name}.json"
        return cls.parse(file.read_text(encoding="utf-8"), f"{name}.json")

    @classmethod
    def parse(cls, text: str, source: str) -> Templates:
        """Check the text of a template file.

        Raises:
            UserError: not JSON or not of the format; names group, kind and index.
        """
        try:
            value = parse_json(text)
        except ValueError as fault:
            line = f":{fault.lineno}" if isinstance(fault, json.JSONDecodeError) else ""
            said = fault.msg if isinstance(fault, json.JSONDecodeError) else fault
            raise UserError(f"{source}{line}: not JSON ({said}); mend that line") from fault
        dropped: Counter[str] = Counter()
        kinds = tuple(_kinds(value, source, dropped))
        if dropped:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))
            _log.warning("%s: %d wordings left out: %s", source, dropped.total(), reasons)
        if not kinds:
            raise UserError(f"{source}: holds no templates; add group -> kind -> input, output")
        return cls(source, kinds, dict(dropped))

    def of_classes(self, classes: Iterable[str]) -> tuple[TemplateKind, ...]:
        """Kinds of the given classes, in the order of the file."""
        wanted = set(classes)
        return tuple(kind for kind in self.kinds if kind.template_class in wanted)


def _kinds(value: Any, source: str, dropped: Counter[str]) -> Iterable[TemplateKind]:
    for group, kinds in _mapping(value, source, "the file").items():
        for name, entry in _mapping(kinds, source, group).items():
            where = f"{group}/{name}"
            entry = _mapping(entry, source, where)
            template_class = entry.get("class")
            if not isinstance(template_class, str) or not template_class:
                raise UserError(f'{source}: {where} has no "class"; add one, such as "t2m"')
            required = REQUIRED.get(template_class, ())
            inputs = _wordings(entry, "input", required, f"{source}: {where}", dropped)
            outputs = _wordings(entry, "output", (), f"{source}: {where}", dropped)
            yield TemplateKind(group, name, template_class, inputs, outputs)


def _mapping(value: Any, source: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UserError(
            f"{source}: {where} is a {type(value).__name__}, not an object; the format is "
            'group -> kind -> {"class": ..., "input": [...], "output": [...]}'
        )
    return value


def _wordings(
    entry: Mapping[str, Any],
    side: str,
    required: tuple[str, ...],
    where: str,
    dropped: Counter[str],
) -> tuple[str, ...]:
    listed = entry.get(side)
    if not isinstance(listed, list):
        raise UserError(f'{where} has no list "{side}"; add one with at least one wording')
    kept = []
    for index, wording in enumerate(listed):
        if not isinstance(wording, str):
            raise UserError(
                f"{where} {side} {index} is a {type(wording).__name__}, not a string; write a "
                "sentence"
            )
        mended, fault = _mended(wording, required)
        if fault:
            dropped[fault] += 1
        else:
            kept.append(mended)
    if not kept:
        raise UserError(f"{where} has no usable {side}; write one with {' or '.join(PLACEHOLDERS)}")
    return tuple(kept)


def _mended(wording: str, required: tuple[str, ...]) -> tuple[str, str]:
    for alias, placeholder in ALIASES.items():
        wording = wording.replace(alias, placeholder)
    wording = wording.strip()
    if not wording:
        return wording, "empty"
    unknown = set(_PLACEHOLDER.findall(wording)) - set(PLACEHOLDERS)
    if unknown:
        return wording, f"with unknown placeholder {min(unknown)}"
    if required and not any(placeholder in wording for placeholder in required):
        return wording, f"without {' or '.join(required)}"
    return wording, ""
