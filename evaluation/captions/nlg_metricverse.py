"""The scores of nlg-metricverse, kept off the network as far as that package can be.

Importing it loads a DistilBERT for a plot; BLEU is computed by a script that it downloads. ROUGE-L
and CIDEr need neither.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluation.captions.base import METRICS
from evaluation.captions.clip_statistics import ClipStatistics, bleu_statistics, mean_statistics
from evaluation.captions.nlg_clip_statistics import bleu_counts, rouge_statistics
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook

MODEL_VARIABLE = "MOVERSCORE_MODEL"
SEED = 0  # of the bootstrap from which that package takes ROUGE
INSTALL = "pip install -c constraints.txt -e '.[nlg-metricverse]'"
WITHOUT_BLEU = "captions.back_end.metrics=[rougeL,cider]"
ORDERS = {"bleu1": 1, "bleu4": 4}


class NlgMetricverseBackEnd:
    """BLEU, ROUGE-L and CIDEr as the package computes them from sentences.

    Its own tokenisation comes on top of the protocol's: BLEU and ROUGE drop capitals and
    punctuation, CIDEr splits at spaces. ROUGE-L is the median of 1,000 bootstrap means of each
    clip's best F1, so it differs from COCO's by definition.

    Args:
        metrics: which of bleu1, bleu4, rougeL and cider.
        bleu_script: a local copy of the script that BLEU needs, `nmt/scripts/bleu.py` of
            tensorflow/nmt at 0be8642; None lets the package download it.

    Raises:
        UserError: an unknown metric, a script that is not there, or no such package.
    """

    name, package = "nlg_metricverse", "nlg-metricverse"

    def __init__(self, metrics: Sequence[str] = METRICS, bleu_script: str | None = None) -> None:
        if unknown := [metric for metric in metrics if metric not in METRICS]:
            raise UserError(
                f"captions.back_end.metrics: {unknown[0]}: no such metric; "
                f"valid: {', '.join(METRICS)}"
            )
        if bleu_script is not None and not Path(bleu_script).is_file():
            raise UserError(
                f"captions.back_end.bleu_script={bleu_script}: no such file; "
                "name a copy of tensorflow/nmt's nmt/scripts/bleu.py"
            )
        if not find_spec("nlgmetricverse"):
            raise UserError(
                f"captions=nlg_metricverse: the package is not installed; it is this project's "
                f"extra: {INSTALL}, or choose captions=coco"
            )
        self.metrics, self.bleu_script = list(metrics), bleu_script

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """See `Stage.preflight`: the package, and BLEU's script."""
        self._scorers(self.metrics)
        return ()

    def score(
        self, references: Sequence[Sequence[str]], predictions: Sequence[str]
    ) -> dict[str, float]:
        """The scores named by `metrics`.

        Raises:
            UserError: the package is absent, or BLEU's script can't be downloaded.
        """
        scorers = self._scorers(self.metrics)
        scores = {}
        for name in self.metrics:
            result = _computed(scorers[name], references, predictions)
            scores[name] = float(result["rougeL" if name == "rougeL" else "score"])
        return scores

    def clip_statistics(
        self,
        references: Sequence[Sequence[str]],
        predictions: Sequence[str],
        metrics: Sequence[str],
    ) -> dict[str, ClipStatistics]:
        """See `nlg_clip_statistics`; CIDEr's weights of words are those of all references.

        Raises:
            UserError: as `score`.
        """
        scorers = self._scorers(metrics)
        result = {}
        if orders := {name: ORDERS[name] for name in metrics if name in ORDERS}:
            script = Path(scorers[next(iter(orders))].external_module_path)
            counts = bleu_counts(references, predictions, script)
            result = {name: bleu_statistics(counts, order) for name, order in orders.items()}
        if "rougeL" in metrics:
            result["rougeL"] = rouge_statistics(references, predictions)
        if "cider" in metrics:
            found = _computed(scorers["cider"], references, predictions)
            result["cider"] = mean_statistics(found["scores"])
        return result

    def _scorers(self, metrics: Sequence[str]) -> dict[str, Any]:
        """All of them before anything is computed: BLEU may be out of reach."""
        makers: dict[str, Callable[[], Any]] = {
            "bleu1": lambda: self._bleu(1),
            "bleu4": lambda: self._bleu(4),
            "rougeL": lambda: _metric("rouge", {"rouge_types": ["rougeL"]}),
            "cider": lambda: _metric("cider", {}),
        }
        return {name: makers[name]() for name in metrics}

    def _bleu(self, order: int) -> Any:
        if self.bleu_script is not None:
            return _local_bleu(self.bleu_script, order)
        try:
            return _metric("bleu", {"max_order": order})
        except OSError as error:  # what `evaluate` and `requests` raise without a network
            if error.filename is not None:  # a file of this machine
                raise
            raise UserError(
                "captions=nlg_metricverse: its BLEU downloads a script, which can't be reached; "
                "name a copy of tensorflow/nmt's nmt/scripts/bleu.py by "
                f"captions.back_end.bleu_script=FILE, or go without BLEU by {WITHOUT_BLEU}"
            ) from error


@lru_cache(maxsize=1)
def load_package() -> ModuleType:
    """Import nlgmetricverse without touching the network.

    Raises:
        UserError: it is not installed, or not beside the versions that it needs.
    """
    try:
        with _tiny_model():
            import nlgmetricverse
    except (ImportError, AttributeError) as error:  # the latter from newer versions of others
        raise UserError(
            "captions=nlg_metricverse: the package can't be imported "
            f"({' '.join(str(error).split())}); it is this project's extra: "
            f"{INSTALL}, or choose captions=coco"
        ) from error
    return nlgmetricverse


@contextmanager
def _tiny_model() -> Iterator[None]:
    """Have the import load an empty model from a folder instead of one from the network.

    Nothing that is scored here uses it.
    """
    import torch
    from transformers import DistilBertConfig, DistilBertModel

    before = os.environ.get(MODEL_VARIABLE)
    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        Path(folder, "vocab.txt").write_text("\n".join(words) + "\n")
        size = {"dim": 1, "hidden_dim": 1, "n_layers": 1, "n_heads": 1}
        config = DistilBertConfig(vocab_size=len(words), max_position_embeddings=2, **size)
        DistilBertModel(config).save_pretrained(folder)
        os.environ[MODEL_VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[MODEL_VARIABLE]
            else:
                os.environ[MODEL_VARIABLE] = before


def _computed(scorer: Any, references: Sequence[Sequence[str]], predictions: Sequence[str]) -> Any:
    """What the package says of single sentences that have several references each."""
    return scorer.compute(
        predictions=[[sentence] for sentence in predictions],
        references=[list(captions) for captions in references],
    )["score"]


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "resulting_name": "score",
        "compute_kwargs": options,
        "keep_in_memory": True,
        "seed": SEED,
    }


def _metric(path: str, options: dict[str, Any]) -> Any:
    return load_package().load_metric(path, **_settings(options))


def _local_bleu(script: str, order: int) -> Any:
    load_package()
    from nlgmetricverse.metrics.bleu.bleu_planet import BleuPlanet

    class LocalBleu(BleuPlanet):
        """The package's BLEU with a script that is already here."""

        def _download_and_prepare(self, dl_manager: Any) -> None:
            self.external_module_path = script

    return LocalBleu(**_settings({"max_order": order}))
