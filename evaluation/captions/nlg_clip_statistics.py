"""What clips add to the scores of nlg-metricverse, by the parts that the package itself calls.

The package gives clips apart for CIDEr alone. Its ROUGE-L is `rouge_score` on each clip, its BLEU
the function of a script on all of them: both are called here as the package does, a clip at a time.
"""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.captions.clip_statistics import ORDERS, ClipStatistics, mean_statistics

FILLER = "filler"  # any word


def rouge_statistics(
    references: Sequence[Sequence[str]], predictions: Sequence[str]
) -> ClipStatistics:
    """ROUGE-L: the best F1 of each clip.

    The mean over clips, whereas the package reports the median of 1,000 means of its own drawings:
    the two differ by a few ten-thousandths.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"])
    return mean_statistics(
        [
            max(scorer.score(caption, sentence)["rougeL"].fmeasure for caption in captions)
            for sentence, captions in zip(predictions, references, strict=True)
        ]
    )


def bleu_counts(
    references: Sequence[Sequence[str]], predictions: Sequence[str], script: Path
) -> np.ndarray:
    """(N, 2 * ORDERS + 2) counts of `bleu_statistics`, by the script's own function."""
    from nlgmetricverse.tokenizer import DefaultTokenizer

    words, compute = DefaultTokenizer().tokenize, _compute_bleu(script)
    return np.array(
        [
            _counts(words(sentence), [words(caption) for caption in captions], compute)
            for sentence, captions in zip(predictions, references, strict=True)
        ]
    )


def _counts(
    sentence: Sequence[str], references: Sequence[Sequence[str]], compute: Callable[..., Any]
) -> list[float]:
    """One row, read off the fractions that the function returns for a corpus of this clip.

    A second clip of one right word keeps it from dividing by the length of nothing; what that adds
    (a word that is there and matches, and its length on both sides) is taken off again.
    """
    corpus = [[list(one) for one in references], [[FILLER]]]
    _, precisions, _, _, _, length = compute(corpus, [list(sentence), [FILLER]], max_order=ORDERS)
    possible = [max(0, len(sentence) - order) for order in range(ORDERS)]
    filled = [possible[0] + 1, *possible[1:]]
    matches = [round(share * count) for share, count in zip(precisions, filled, strict=True)]
    return [matches[0] - 1, *matches[1:], *possible, length - 1, len(sentence)]


def _compute_bleu(script: Path) -> Callable[..., Any]:
    found = importlib.util.spec_from_file_location("nmt_bleu", script)
    assert found is not None and found.loader is not None  # a file that exists, see the back end
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    function: Callable[..., Any] = module.compute_bleu
    return function
