"""The model card that the Hugging Face hub shows: what it is, sizes, provenance, use."""

import inspect
import json
from pathlib import Path

from motiongpt.files import read_json
from motiongpt.methods.base import (
    INBETWEEN,
    MOTION_TO_TEXT,
    PREDICTION,
    TEXT_TO_MOTION,
)
from motiongpt.methods.loading import known_methods
from motiongpt.motion.skeleton import skeleton_by_name
from motiongpt.published.folder import CODEC, LANGUAGE_MODEL, ModelFolder

MEGABYTE = 1e6
WORDS = {
    TEXT_TO_MOTION: "text to motion",
    MOTION_TO_TEXT: "motion to text",
    PREDICTION: "prediction",
    INBETWEEN: "in-between",
}
TAGS = {TEXT_TO_MOTION: "text-to-motion", MOTION_TO_TEXT: "motion-to-text"}


def model_card(folder: ModelFolder, repository: str = "") -> str:
    """README.md of a model folder, or of `repository` on the hub.

    Raises:
        UserError: a part of the folder is missing or damaged.
    """
    tasks = _tasks(folder)
    tags = ", ".join(["motion", *(TAGS[task] for task in TAGS if task in tasks)])
    source = repository or folder.name
    lines = [
        "---",
        "library_name: motiongpt",
        f"tags: [{tags}]",
        "---",
        "",
        f"# {folder.name}",
        "",
        _what(folder, tasks),
        "",
        *_sizes(folder),
        "",
        "## Where it comes from",
        "",
        "```json",
        json.dumps(dict(folder.source), indent=2, ensure_ascii=False, sort_keys=True),
        "```",
        "",
        "The licence of these weights is that of their source, and of the motion they were trained",
        "on.",
        "",
        "## Use",
        "",
        "```python" if tasks else "```",
        *(_python(folder, source, tasks) if tasks else _command(source)),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _tasks(folder: ModelFolder) -> list[str]:
    """What the model can be asked; a codec that was published alone can't be asked anything."""
    kind = known_methods().get(folder.method)
    if kind is None or set(folder.parts) == {CODEC}:
        return []
    return [task for task in WORDS if task in kind.all_tasks]


def _what(folder: ModelFolder, tasks: list[str]) -> str:
    if not tasks:
        return f"A codec of motion, as method {folder.method} uses it: motion to latent, and back."
    kind = known_methods()[folder.method]
    said = (inspect.getdoc(inspect.getmodule(kind)) or "").partition("\n")[0]
    return f"{said} It does {', '.join(WORDS[task] for task in tasks)}."


def _sizes(folder: ModelFolder) -> list[str]:
    skeleton = skeleton_by_name(folder.skeleton)
    lines = [
        f"- Motion: skeleton `{skeleton.name}`, {skeleton.n_features} features a frame, "
        f"{folder.fps:g} frames per second"
    ]
    for part in folder.parts:
        where = folder.folder / folder.parts[part]
        lines.append(f"- {part.replace('_', ' ').capitalize()}: {_part(part, where)}")
    return lines


def _part(part: str, where: Path) -> str:
    codec = read_json(where / "tokenizer.json", {}).get("arguments", {})
    model = read_json(where / "backbone.json", {})
    said = []
    if part == CODEC and "codebook_size" in codec:
        said += [f"{codec['codebook_size']} codes", f"{codec['frames_per_token']} frames a token"]
    if part == LANGUAGE_MODEL and "architecture" in model:
        said += [str(model["architecture"])]
    size = sum(path.stat().st_size for path in where.rglob("*.safetensors"))
    return ", ".join([*said, f"{size / MEGABYTE:,.1f} MB of weights"])


def _python(folder: ModelFolder, source: str, tasks: list[str]) -> list[str]:
    lines = ["from motiongpt import load", "", f'model = load("{source}")']
    if TEXT_TO_MOTION in tasks:
        return [
            *lines,
            'motion = model.text_to_motion("a person walks forward.", seed=1)[0]',
            'motion.save("walk.webp")',
        ]
    return lines


def _command(source: str) -> list[str]:
    name = source.rpartition("/")[2]
    return [
        f"motiongpt download {source} --to {name}",
        f"motiongpt run experiment=published published.folder={name} goal=evaluate_codec",
    ]
