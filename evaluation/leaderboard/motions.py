"""Motion on the leaderboard: what its methods made of the same requests, out of their runs' pages.

Runs under one protocol are asked the same, and their pages show the same clips: so a clip of one
page stands beside the same one of another.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.leaderboard.runs import run_label, setting_key
from evaluation.replications.results import REAL
from evaluation.reports.result_page.reading import read_page
from evaluation.reports.results_file import PAGE, ResultsFile

MOST_METHODS = 5
"""Beside the real clip: more pictures of one size fit no screen."""
MOST_CLIPS = 4  # of a task under one protocol; all are on the runs' own pages
LARGEST = 12_000_000  # bytes of motion, so that the page stays far below 20 MB


@dataclass
class Shared:
    """Pages of runs that were asked the same, newest first: (label, method, data of its page)."""

    title: str
    pages: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)


def shared_motions(runs: Sequence[ResultsFile]) -> dict[str, Any]:
    """What the viewer's scripts read of the motion of `runs`; without any, `shown` is empty.

    A run without a page of today's form has none.
    """
    settings = _settings(runs)
    data: dict[str, Any] = {"skeletons": {}, "body": None, "clips": [], "shown": [], "tasks": []}
    wanted, size = list[tuple[int, str, str, Shared]](), 0
    for setting in settings:
        for task, title in _tasks(setting).items():
            name = f"{task}/{len(data['tasks'])}"
            titled = f"{title} · {setting.title}" if len(settings) > 1 else title
            data["tasks"].append({"name": name, "of": task, "title": titled, "distance": None})
            clips = _clips(setting, task)
            wanted += [(rank, name, clip, setting) for rank, clip in enumerate(clips)]
    for _, name, clip, setting in sorted(wanted, key=lambda one: one[0]):
        about, motions = _beside(setting, name, clip)
        size += sum(len(json.dumps(one)) for one in motions)
        if size > LARGEST:
            break
        first = len(data["clips"])
        data["shown"].append({**about, "motions": list(range(first, first + len(motions)))})
        data["clips"] += motions
    for setting in settings:
        for _, _, page in setting.pages:
            data["skeletons"].update(page["skeletons"])
            data["body"] = data["body"] or page["body"]
    order = [one["name"] for one in data["tasks"]]
    data["shown"].sort(key=lambda one: order.index(one["task"]))
    with_clips = {one["task"] for one in data["shown"]}
    data["tasks"] = [one for one in data["tasks"] if one["name"] in with_clips]
    return data


def _settings(runs: Sequence[ResultsFile]) -> list[Shared]:
    """Those of most methods first."""
    found: dict[tuple[str, ...], list[tuple[ResultsFile, Mapping[str, Any]]]] = {}
    for run in sorted(runs, key=lambda run: run.time, reverse=True):
        page = read_page(run.path.parent / PAGE)
        if page is not None and page["shown"]:
            found.setdefault(setting_key(run), []).append((run, page))
    shared = []
    for those in found.values():
        beside = [run for run, _ in those[:MOST_METHODS]]
        labels = _labels(beside)
        pages = [
            (label, run.method.name, page)
            for label, (run, page) in zip(labels, those, strict=False)
        ]
        shared.append(Shared(f"{beside[0].data.name}, {beside[0].protocol['name']}", pages))
    return sorted(shared, key=lambda one: -len(one.pages))


def _labels(runs: Sequence[ResultsFile]) -> list[str]:
    """The method's name; of several runs of one, what differs between them as well."""
    methods = [run.method.name for run in runs]
    labels = [
        run_label(run, runs) if methods.count(run.method.name) > 1 else run.method.name
        for run in runs
    ]
    return [
        f"{label} · {run.signature[:8]}" if labels.count(label) > 1 else label
        for label, run in zip(labels, runs, strict=True)
    ]


def _tasks(setting: Shared) -> dict[str, str]:
    return {
        str(task["name"]): str(task["title"])
        for _, _, page in setting.pages
        for task in page["tasks"]
    }


def _clips(setting: Shared, task: str) -> list[str]:
    """Names of clips, those first that most pages show."""
    counts: dict[str, int] = {}
    for _, _, page in setting.pages:
        for one in page["shown"]:
            if one["task"] == task:
                counts[one["clip"]] = counts.get(one["clip"], 0) + 1
    return sorted(counts, key=lambda clip: -counts[clip])[:MOST_CLIPS]


def _beside(setting: Shared, name: str, clip: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is said of a clip, and the motions of it: the real one, then each method's."""
    task = name.rpartition("/")[0]
    about: dict[str, Any] = {}
    said, motions = list[list[str]](), list[dict[str, Any]]()
    for label, method, page in setting.pages:
        for one in page["shown"]:
            if (one["task"], one["clip"]) != (task, clip):
                continue
            about = about or {**one, "task": name, "distance": None}
            said += [[f"{label} wrote", words] for _, words in one["said"]]
            own = {
                page["clips"][number]["name"]: page["clips"][number] for number in one["motions"]
            }
            if REAL in own and not motions:
                motions.append(own[REAL])
            if method in own:
                motions.append({**own[method], "name": label})
    return {**about, "said": said}, motions
