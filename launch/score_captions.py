"""Score sentences against references, one clip a line of JSON; several systems are compared."""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.captions.base import CaptionBackEnd
from evaluation.captions.bert import BertScoreBackEnd
from evaluation.captions.files import read_references, read_systems
from evaluation.captions.protocol import PROTOCOLS, CaptionProtocol, caption_protocol
from evaluation.captions.score import score_captions
from launch import compare_captions
from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.plan_options import add_config_dir, with_own_configs

RESAMPLES = 10_000
EXAMPLES = """examples:
  motiongpt score captions --references test.jsonl --predictions ours.jsonl
  motiongpt score captions --references test.jsonl --predictions test.jsonl --system tm2t
  motiongpt score captions --references test.jsonl --predictions ours.jsonl --protocol normalised
  motiongpt score captions --references test.jsonl --predictions ours.jsonl --bert roberta-large
  motiongpt score captions --references test.jsonl --predictions ours.jsonl \\
      captions=nlg_metricverse captions.back_end.metrics=[rougeL,cider]
all systems of two files under every protocol, with intervals, tests and a page:
  motiongpt score captions --references test.jsonl --predictions test.jsonl \\
      --predictions ours.jsonl --output court
"""


def main(arguments: Sequence[str]) -> int:
    """Print the scores of one system as JSON, or compare systems."""
    started = time.monotonic()
    options = _parser().parse_intermixed_args(arguments)
    options.overrides = with_own_configs(options.overrides, options)
    references = read_references(options.references)
    systems = read_systems(options.predictions, references, options.system)
    if _compares(options, systems):
        return compare_captions.compare(options, references, systems, started)
    (system,) = systems.values()
    result = _scores(options, references, system.sentences)
    if options.system:
        result["system"] = options.system[0]
    print(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False))
    return 0


def _compares(options: argparse.Namespace, systems: Mapping[str, Any]) -> bool:
    """Whether several systems or protocols are asked for, or files of a comparison."""
    named = options.protocol
    plain = not named or (len(named) == 1 and named[0] in PROTOCOLS)
    return len(systems) > 1 or options.output is not None or not plain


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt score captions",
        description=f"{__doc__} One system's scores are printed as JSON. Several are scored under "
        "every protocol with bootstrap intervals over clips and paired tests, and it is counted "
        "where protocols put two systems in opposite order.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--references",
        type=Path,
        required=True,
        metavar="FILE",
        help='lines {"id": ..., "references": [...]}, perhaps with the data set\'s "tokens": [...]',
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help='lines {"id": ..., "prediction": ...}, or with "predictions": {SYSTEM: ...}; may be '
        "given several times",
    )
    parser.add_argument(
        "--system",
        action="append",
        default=[],
        help="only this one; may be given several times (default: all)",
    )
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="NAME",
        help=f"one system: {' or '.join(PROTOCOLS)}, short for captions.references=, which is raw "
        f"by default. A comparison: {compare_captions.VALID}; may be given several times (default: "
        "all)",
    )
    parser.add_argument(
        "--bert",
        metavar="MODEL",
        help="add BERTScore by a model of the Hugging Face hub, or a folder with roberta-large",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="compare, and write tables and a page there"
    )
    parser.add_argument(
        "--resamples", type=int, default=RESAMPLES, help="drawings of clips (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the drawings (default: 0)")
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, as captions=nlg_metricverse")
    add_config_dir(parser)
    return parser


def _scores(
    options: argparse.Namespace,
    references: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
) -> dict[str, Any]:
    with_bert = ["metrics=[all,bert_score]"] if options.bert else []
    config = compose_config([*with_bert, *options.overrides])
    protocol = caption_protocol(next(iter(options.protocol), config.captions.references))
    back_end: CaptionBackEnd = build(config.captions.back_end, "captions.back_end")
    result = score_captions(references, predictions, protocol, back_end)
    if options.bert:
        _add_bert(
            result,
            references,
            predictions,
            protocol,
            compare_captions.bert_back_end(config, options.bert),
        )
    return result


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
