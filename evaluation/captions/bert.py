"""BERTScore (Zhang et al., ICLR 2020), by the bert-score package and a model that it knows.

The package loads its model by a name that it looks up on the network and stops with an assertion
where a layer is missing, so loading is done here; embedding, matching and weighting are its own.
"""

import csv
import importlib.util
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.captions.clip_statistics import ClipStatistics, mean_statistics
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.pretrained_source import check_source

if TYPE_CHECKING:
    from torch import Tensor

PERCENT = 100.0
BATCH_SIZE = 64  # the package's
F1 = 2  # of precision, recall, F1
LANGUAGE = "en"
OPTION = "metrics.bert_score.back_end.folder"


class BertScoreBackEnd:
    """F1 of the best match among a clip's references, mean over clips, in per cent.

    `bert_rescaled` is the same on the scale on which chance is 0; the package has the baselines
    of the models that it knows. With another model it is left out.

    Args:
        model: name on the Hugging Face hub, which also finds the baseline.
        layers: from how many layers the embeddings come; the package takes 17 for roberta-large.
        folder: a local copy of the model with its tokenizer; None downloads it.
        idf: whether rare words weigh more, counted in the references: True in MotionGPT's code.
            What is in every reference weighs nothing, so this needs more than one clip.

    Raises:
        UserError: the package is absent, or there is no model in the folder.
    """

    name, package = "bert_score", "bert-score"

    def __init__(
        self,
        model: str = "roberta-large",
        layers: int = 17,
        folder: str | None = None,
        idf: bool = True,
    ) -> None:
        # An empty folder would pass for a model whose kind is guessed from the folder's name.
        if folder is not None and not Path(folder, "config.json").is_file():
            raise UserError(
                f"BERTScore: {folder}: no model here (no config.json); name a local copy of "
                f"{model} with its tokenizer"
            )
        self.model, self.layers, self.folder, self.idf = model, layers, folder, idf
        self.baseline = baseline(model, layers)
        self.metrics: Sequence[str] = (
            ("bert_raw",) if self.baseline is None else ("bert_raw", "bert_rescaled")
        )

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """See `Stage.preflight`: the model."""
        check_source(OPTION, self.folder or self.model, "go without BERTScore")
        return ()

    def score(
        self, references: Sequence[Sequence[str]], predictions: Sequence[str]
    ) -> dict[str, float]:
        """Both scores; a sentence without words counts as 0.

        Raises:
            UserError: the model can't be loaded.
        """
        raw = float(self._best(references, predictions).mean())
        return {name: unit * (raw - zero) for name, (unit, zero) in self._scales().items()}

    def clip_statistics(
        self,
        references: Sequence[Sequence[str]],
        predictions: Sequence[str],
        metrics: Sequence[str],
    ) -> dict[str, ClipStatistics]:
        """The best match of each clip; words weigh what they do among all references.

        Raises:
            UserError: the model can't be loaded.
        """
        best = self._best(references, predictions).numpy()
        return {
            name: mean_statistics(best - zero, unit)
            for name, (unit, zero) in self._scales().items()
            if name in metrics
        }

    def _scales(self) -> dict[str, tuple[float, float]]:
        """Score -> its unit, and the F1 at which it is 0."""
        scales = {"bert_raw": (PERCENT, 0.0)}
        if self.baseline is not None:
            scales["bert_rescaled"] = (PERCENT / (1 - self.baseline), self.baseline)
        return scales

    def _best(self, references: Sequence[Sequence[str]], predictions: Sequence[str]) -> "Tensor":
        """(N,) F1 of each sentence's best match."""
        import torch
        from bert_score.utils import bert_cos_score_idf

        tokenizer, network = self._loaded
        wanted = [caption for captions in references for caption in captions]
        found = [
            sentence
            for sentence, captions in zip(predictions, references, strict=True)
            for _ in captions
        ]
        scores = bert_cos_score_idf(
            network,
            wanted,
            found,
            tokenizer,
            self._weights(wanted, tokenizer),
            batch_size=BATCH_SIZE,
            device=next(network.parameters()).device,
        )[:, F1]
        best = [part.max() for part in scores.split([len(captions) for captions in references])]
        return torch.stack(best).double().cpu()

    def _weights(self, references: list[str], tokenizer: Any) -> dict[int, float]:
        """Weight of each word piece; the marks of start and end weigh nothing without idf."""
        from bert_score.utils import get_idf_dict

        if self.idf:
            return get_idf_dict(references, tokenizer, nthreads=0)
        weights: dict[int, float] = defaultdict(lambda: 1.0)
        weights[tokenizer.sep_token_id] = weights[tokenizer.cls_token_id] = 0.0
        return weights

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """Tokenizer, and the network up to the layer that is used."""
        import torch
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        source = self.folder or self.model
        try:
            config = AutoConfig.from_pretrained(source)
            if not 0 < self.layers <= config.num_hidden_layers:
                raise UserError(
                    f"BERTScore: layers={self.layers}: {source} has 1 to {config.num_hidden_layers}"
                )
            tokenizer = AutoTokenizer.from_pretrained(source, use_fast=False)
            network = AutoModel.from_pretrained(source, num_hidden_layers=self.layers)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"BERTScore: the model {source} can't be loaded ({reason}); name a folder with a "
                f"whole copy, by {OPTION}=FOLDER or --bert FOLDER, or go without BERTScore"
            ) from error
        # A tokenizer without a limit of its own would let the positions run out.
        tokenizer.model_max_length = min(tokenizer.model_max_length, _positions(config))
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return tokenizer, network.eval().to(device)


def baseline(model: str, layers: int) -> float | None:
    """F1 of random pairs of sentences as the package has it; None where it has none.

    Raises:
        UserError: the package is absent.
    """
    found = importlib.util.find_spec("bert_score")
    if found is None or found.origin is None:
        raise UserError("BERTScore: the package is absent; install bert-score")
    path = Path(found.origin).parent / "rescale_baseline" / LANGUAGE / f"{model}.tsv"
    if not path.is_file():
        return None
    with path.open(newline="") as lines:
        by_layer = {int(row["LAYER"]): float(row["F"]) for row in csv.DictReader(lines)}
    return by_layer.get(layers)


def _positions(config: Any) -> int:
    """Tokens that fit; RoBERTa numbers them from behind its padding's number."""
    first = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta") else 0
    return int(config.max_position_embeddings) - first
