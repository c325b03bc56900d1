"""Golden vectors of the language model's text side: subfolder `lm`. All are exact.

A case is recognised by what it holds: filled templates, prompts at test time, motion strings, span
corruption. The codebook size of a case is read from the first motion token of its results.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.methods.base import INBETWEEN, PREDICTION, TEXT_TO_MOTION, Request
from motiongpt.methods.motiongpt.released import SeenWhole
from motiongpt.methods.motiongpt.rounding import Format, Rounded
from motiongpt.methods.motiongpt.tasks.inbetween import Inbetween
from motiongpt.methods.motiongpt.tasks.motion_to_text import MotionToText
from motiongpt.methods.motiongpt.tasks.placeholders import ReleasedMotion, ReleasedPlaceholders
from motiongpt.methods.motiongpt.tasks.prediction import Prediction
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.methods.motiongpt.tasks.task_mix import TaskMix
from motiongpt.methods.motiongpt.tasks.text_to_motion import TextToMotion
from motiongpt.methods.motiongpt.training.span_corruption import (
    released_corruption,
    released_sentinels,
    span_mask,
    span_numbers,
)
from motiongpt.motion.skeleton import HUMANML3D
from tests.golden.lm_strings import check_motion_strings, is_motion_strings

Arrays = Mapping[str, np.ndarray]

TASKS = {"t2m": TextToMotion, "m2t": MotionToText, "pred": Prediction, "inbetween": Inbetween}
WAYS_OF_TASKS = {"t2m": "motion", "m2t": "text", "pred": "completion", "inbetween": "completion"}
MASK = re.compile(r"mask/len(\d+)_seed(\d+)")
FPS, FRAMES_PER_TOKEN = 20.0, 4  # of the prompts at test time, which don't say


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    case = f"lm/{path.name}"
    if is_motion_strings(arrays):
        check_motion_strings(path, arrays, report)
    elif isinstance(arrays, list):
        for i, entry in enumerate(arrays):
            _check_entry(case, f"[{i}]", entry, report)
    elif isinstance(arrays, Mapping) and any("mask" in name for name in arrays):
        _check_masks(case, arrays, report)
        _check_corruption(case, arrays, report)
        _check_sentinels(case, arrays, report)
    else:
        report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these values")


def _check_entry(case: str, where: str, entry: Any, report: Any) -> None:
    if isinstance(entry, dict) and {"results", "tokens", "length"} <= entry.keys():
        _check_filled(case, where, entry, report)
    elif isinstance(entry, dict) and entry.get("task") in TASKS and "inputs" in entry:
        _check_prompts(case, where, entry, report)
    else:
        report.unchecked(case, where, "no known case holds these values")


def _check_filled(case: str, where: str, entry: dict[str, Any], report: Any) -> None:
    """Templates filled the released way."""
    vocabulary = MotionVocabulary(_codebook_size(entry["results"].values()))
    placeholders = ReleasedPlaceholders(
        vocabulary,
        predict_ratio=entry["predict_ratio"],
        inbetween_ratio=entry["inbetween_ratio"],
    )
    codes = np.array(entry["tokens"], np.int64)
    motion = ReleasedMotion(codes, entry["length"], entry["framerate"], entry["down_t"])
    drawn = _Drawn(entry["random_value"])
    for template, expected in entry["results"].items():
        caption = placeholders.quoted(entry["text"], drawn)
        found = placeholders.fill(template, motion, caption)
        report.exact(case, f"{where}/{template or 'empty template'}", found, expected)
    known = {"why", "predict_ratio", "inbetween_ratio", "framerate", "down_t", "tokens", "length"}
    _name_unchecked(
        case, where, entry, known | {"text", "quoted", "random_value", "results"}, report
    )


def _check_prompts(case: str, where: str, entry: dict[str, Any], report: Any) -> None:
    """Prompts of the released code's tests, before quotes are drawn."""
    mix = _released_tasks(_codebook_size(entry["inputs"]))
    task, text, frames = mix[TASKS[entry["task"]].name], entry.get("text", ""), entry["lengths"]
    codes = np.array(entry.get("tokens", []), np.int64)
    if len(codes) > frames // FRAMES_PER_TOKEN:
        # Padding was encoded too (or `lengths` counts tokens): no clip of ours can be like that.
        motion = ReleasedMotion(codes, frames, FPS, FRAMES_PER_TOKEN)
        wording = task.prompts.of_classes(task.classes)[0].inputs[0]
        found = mix.placeholders.fill(wording, motion, text)
    else:
        query = _query(task.name, text, codes, frames)
        found = task.prompt(query, with_length=entry.get("with_len", False))
    report.exact(case, f"{where}/inputs", [found], entry["inputs"])
    _check_decoding(case, f"{where}/generate_kwargs", entry, report)
    known = {"task", "tokens", "text", "lengths", "with_len", "inputs", "generate_kwargs"}
    _name_unchecked(case, where, entry, known, report)


def _query(task: str, text: str, codes: np.ndarray, frames: int) -> Query:
    """What the released protocol lets a task know of a clip: its given parts are cut of `codes`."""
    rows = np.zeros((frames, HUMANML3D.n_features), np.float32)
    request = Request(
        "golden",
        task,
        text,
        frames,
        start=rows[:1] if task in (PREDICTION, INBETWEEN) else None,
        end=rows[:1] if task == INBETWEEN else None,
        motion=None if task == TEXT_TO_MOTION else rows,
    )
    format = Format(FRAMES_PER_TOKEN, FPS, HUMANML3D)
    rounded = Rounded(request, format)
    if rounded.is_completion:
        rounded = SeenWhole(request, format)
    rounded.take([codes] if request.motion is not None else [])
    return rounded.query


def _check_decoding(case: str, where: str, entry: dict[str, Any], report: Any) -> None:
    """How the protocol of the released code decodes; its `max_length` counts the first, given token.

    A motion's greatest length is not compared: whatever lies behind the real clip's end is cut off.
    """
    expected = dict(entry["generate_kwargs"])
    decoding = _released_decodings()[f"{WAYS_OF_TASKS[entry['task']]}_decoding"]
    found = {
        "do_sample": decoding.strategy == "sampling",
        "num_beams": decoding.num_beams,
        "max_length": decoding.max_text_tokens + 1,
    }
    if TASKS[entry["task"]].output == "motion":
        del found["max_length"], expected["max_length"]
    report.exact(case, where, found, expected)


@cache
def _released_decodings() -> Mapping[str, Any]:
    config = compose_config(["protocol=motiongpt_release"])
    return {
        name: build(value)
        for name, value in config.protocol.motiongpt.items()
        if name.endswith("_decoding")
    }


def _check_masks(case: str, arrays: Arrays, report: Any) -> None:
    """Which tokens are corrupted, for a length and a seed of numpy's old generator."""
    for name in arrays:
        if match := MASK.fullmatch(name):
            random = np.random.RandomState(int(match[2]))
            found = span_mask(int(match[1]), random.shuffle, anywhere=False)
            report.exact(case, name, found, arrays[name])
    if {"masks", "seed_of_masks"} <= arrays.keys():
        masks = arrays["masks"]
        random = np.random.RandomState(int(arrays["seed_of_masks"]))
        rows = [span_mask(masks.shape[1], random.shuffle, anywhere=False) for _ in masks]
        report.exact(case, "masks", np.stack(rows), masks)


def _check_corruption(case: str, arrays: Arrays, report: Any) -> None:
    """Inputs and labels of a batch."""
    if not {"input_ids", "masks", "tokenizer_len", "codebook"} <= arrays.keys():
        return
    tokens, codebook = int(arrays["tokenizer_len"]), int(arrays["codebook"])
    masks = arrays["masks"]
    inputs, labels = released_corruption(arrays["input_ids"], masks, tokens, codebook)
    found = {
        "inputs": inputs,
        "labels": labels,
        "sentinel_inputs": _sentinel_ids(masks, tokens, codebook),
        "sentinel_targets": _sentinel_ids(~masks, tokens, codebook),
    }
    for name in found.keys() & arrays.keys():
        report.exact(case, name, found[name], arrays[name])


def _check_sentinels(case: str, arrays: Arrays, report: Any) -> None:
    """Sentinels of masks written by hand, which may begin with a span."""
    if not {"hand_mask", "tokenizer_len", "codebook"} <= arrays.keys():
        return
    tokens, codebook = int(arrays["tokenizer_len"]), int(arrays["codebook"])
    mask = arrays["hand_mask"]
    found = {
        "hand_sentinel": _sentinel_ids(mask, tokens, codebook),
        "hand_sentinel_of_complement": _sentinel_ids(~mask, tokens, codebook),
    }
    for name in found.keys() & arrays.keys():
        report.exact(case, name, found[name], arrays[name])


def _sentinel_ids(mask: np.ndarray, tokens: int, codebook: int) -> np.ndarray:
    numbers = span_numbers(mask)
    sentinels = released_sentinels(tokens, codebook, mask.shape[-1])
    return np.where(numbers > 0, sentinels[np.maximum(numbers, 1) - 1], numbers)


@cache
def _released_tasks(codebook_size: int) -> TaskMix:
    tasks = {task.name: task for task in TASKS.values()}
    return TaskMix(codebook_size, tasks, placeholders="released", prompts="released")


def _codebook_size(results: Any) -> int:
    """Number of the start mark, which is the first motion token that is written anywhere."""
    found = next(filter(None, (re.search(r"<motion_id_(\d+)>", text) for text in results)), None)
    return int(found[1]) if found else 512


def _name_unchecked(
    case: str,
    where: str,
    entry: dict[str, Any],
    known: set[str],
    report: Any,
    why: str = "no check knows this value",
) -> None:
    for key in sorted(entry.keys() - known):
        report.unchecked(case, f"{where}/{key}", why)


class _Drawn:
    """A generator that always draws the number that the case was made with."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value
