"""Score what was predicted, without the model: captions in a file, or saved predictions."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from evaluation.captions.base import CaptionBackEnd
from evaluation.captions.bert import BertScoreBackEnd
from evaluation.captions.files import read_predictions, read_references
from evaluation.captions.protocol import PROTOCOLS, CaptionProtocol, caption_protocol
from evaluation.captions.score import score_captions
from launch import score_predictions
from launch.composition.build import build
from launch.composition.compose import compose_config

EXAMPLES = """examples:
  motiongpt score captions --references test.jsonl --predictions ours.jsonl
  motiongpt score captions --references test.jsonl --predictions test.jsonl --system tm2t
  motiongpt score captions --references test.jsonl --predictions ours.jsonl --protocol normalised
  motiongpt score captions --references test.jsonl --predictions ours.jsonl --bert roberta-large
  motiongpt score captions --references test.jsonl --predictions ours.jsonl \\
      captions=nlg_metricverse captions.back_end.metrics=[rougeL,cider]
"""


def main(arguments: Sequence[str]) -> int:
    """Run one of captions and predictions."""
    kinds = {"captions": _captions, "predictions": score_predictions.main}
    parser = argparse.ArgumentParser(
        prog="motiongpt score",
        description=f"{__doc__} More: motiongpt score captions --help, score predictions --help.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=list(kinds), help="what was predicted")
    what = parser.parse_args(arguments[:1]).what
    return kinds[what](arguments[1:])


def _captions(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="motiongpt score captions",
        description="Score sentences against references, one clip a line of JSON.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--references",
        type=Path,
        required=True,
        metavar="FILE",
        help='lines {"id": ..., "references": [...]}',
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="FILE",
        help='lines {"id": ..., "prediction": ...}, or with "predictions": {SYSTEM: ...}',
    )
    parser.add_argument("--system", help="whose, where a line holds several systems' predictions")
    parser.add_argument(
        "--protocol",
        help=f"{' or '.join(PROTOCOLS)}; short for captions.references=, which is raw by default",
    )
    parser.add_argument(
        "--bert",
        metavar="MODEL",
        help="add BERTScore by a model of the Hugging Face hub, or a folder with roberta-large",
    )
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, as captions=nlg_metricverse")
    options = parser.parse_intermixed_args(arguments)
    with_bert = ["metrics=[all,bert_score]"] if options.bert else []
    config = compose_config([*with_bert, *options.overrides])
    settings = config.captions
    protocol = caption_protocol(options.protocol or settings.references)
    references = read_references(options.references)
    predictions = read_predictions(options.predictions, references, options.system)
    back_end: CaptionBackEnd = build(settings.back_end, "captions.back_end")
    result = score_captions(references, predictions, protocol, back_end)
    if options.bert:
        _add_bert(result, references, predictions, protocol, _bert(config, options.bert))
    if options.system is not None:
        result["system"] = options.system
    print(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False))
    return 0


def _bert(config: DictConfig, model: str) -> BertScoreBackEnd:
    """The back end of `metrics=bert_score` with another model, or a local copy of its own."""
    given = {"folder": model} if Path(model).is_dir() else {"model": model}
    back_end: BertScoreBackEnd = build(config.metrics.bert_score.back_end, **given)
    return back_end


def _add_bert(
    result: dict[str, Any],
    references: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
    protocol: CaptionProtocol,
    back_end: BertScoreBackEnd,
) -> None:
    added = score_captions(references, predictions, protocol, back_end)
    result["metrics"].update(added["metrics"])
    result["versions"].update(added["versions"])
    result["bert_score"] = {
        name: getattr(back_end, name) for name in ("model", "layers", "folder", "idf")
    }
