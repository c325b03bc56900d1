"""The model card that the Hugging Face hub shows: what it is, sizes, provenance, use."""

import json
from pathlib import Path

from motiongpt.backbones.folder import read_settings
from motiongpt.published.folder import LANGUAGE_MODEL, ModelFolder

MEGABYTE = 1e6


def model_card(folder: ModelFolder, repository: str) -> str:
    """README.md of `repository` on the hub, for a model folder.

    Raises:
        UserError: a part of the folder is missing or damaged.
    """
    speaks = LANGUAGE_MODEL in folder.parts
    tags = ["motion", *(["text-to-motion", "motion-to-text"] if speaks else [])]
    lines = [
        "---",
        "library_name: motiongpt",
        f"tags: [{', '.join(tags)}]",
        "---",
        "",
        f"# {folder.name}",
        "",
        _what(speaks),
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
        "```python" if speaks else "```",
        *(_python(repository) if speaks else _command(repository)),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _what(speaks: bool) -> str:
    if speaks:
        return (
            "A motion-language model in the manner of MotionGPT (arXiv:2306.14795): text to "
            "motion, motion to text, prediction, in-between."
        )
    return "A motion tokenizer (VQ-VAE): motion to a sequence of codes, and back."


def _sizes(folder: ModelFolder) -> list[str]:
    tokenizer = folder.tokenizer()
    lines = [
        f"- Motion: skeleton `{folder.skeleton}`, {tokenizer.n_features} features a frame, "
        f"{folder.fps:g} frames per second",
        f"- Tokenizer: {tokenizer.codebook_size} codes, {tokenizer.frames_per_token} frames a "
        f"token, {_megabytes(folder.folder / 'tokenizer')}",
    ]
    if LANGUAGE_MODEL in folder.parts:
        settings = read_settings(folder.folder / LANGUAGE_MODEL)
        lines.append(
            f"- Language model: {settings['architecture']}, "
            f"{_megabytes(folder.folder / LANGUAGE_MODEL)}"
        )
    return lines


def _megabytes(part: Path) -> str:
    size = sum(path.stat().st_size for path in part.rglob("*.safetensors"))
    return f"{size / MEGABYTE:,.1f} MB of weights"


def _python(repository: str) -> list[str]:
    return [
        "from motiongpt import MotionGPT",
        "",
        f'model = MotionGPT.from_pretrained("{repository}")',
        'motion = model.text_to_motion("a person walks forward.", seed=1)[0]',
        'motion.save("walk.webp")',
    ]


def _command(repository: str) -> list[str]:
    name = repository.rpartition("/")[2]
    return [
        f"motiongpt download {repository} --to {name}",
        f"motiongpt run experiment=published published.folder={name} goal=evaluate_tokenizer",
    ]
