"""Text-motion retrieval under the four protocols of TMR (Petrovich et al., ICCV 2023, section 4.1).

Shape letters: N clips, D width of an embedding, E of a sentence's features.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evaluation.metrics.base import Batch
from evaluation.metrics.embeddings import EmbeddingMetric
from evaluation.metrics.match_ranks import (
    TOP,
    Ways,
    alike_texts,
    both_ways,
    dissimilar,
    pooled,
    shuffled_pools,
)
from evaluation.metrics.numbers import Number, Size
from evaluation.metrics.positions import counted
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook, preflight
from motiongpt.text_encoders.base import TextEncoder, TextEncoderFactory

RetrievalProtocol = Literal["all", "threshold", "dissimilar", "pools"]
PROTOCOLS: tuple[RetrievalProtocol, ...] = get_args(RetrievalProtocol)
SENTENCES = "sentences"


class ProtocolRetrieval(EmbeddingMetric):
    """R@1 to R@10 in per cent and the median rank, texts to motions ("t2m") and back ("m2t").

    all: among all clips. threshold: a clip whose caption means the same counts as found.
    dissimilar: among clips whose captions are far from each other. pools: in pools of 32, as in
    R-precision. Similarity is the cosine, of captions and of motions.

    Args:
        protocols: of these four.
        threshold: of the similarity of captions, (cosine + 1) / 2, above which they mean the same.
        dissimilar: clips of that protocol.
        pool: clips of a pool.
        sentence_encoder: node of conf/text_encoder that tells captions apart; None takes the
            evaluator's own embeddings of them, which costs nothing but is judge and party.

    Raises:
        UserError: another protocol.
    """

    kinds = frozenset({"motion"})

    def __init__(
        self,
        protocols: Sequence[RetrievalProtocol] = PROTOCOLS,
        threshold: float = 0.95,
        dissimilar: int = 100,
        pool: int = 32,
        sentence_encoder: TextEncoderFactory | None = None,
    ) -> None:
        super().__init__("caption", "motion")
        self.add_list(SENTENCES)
        if unknown := set(protocols) - set(PROTOCOLS):
            raise UserError(
                f"metrics.retrieval_protocols.protocols has {', '.join(sorted(unknown))}; choose "
                f"of {', '.join(PROTOCOLS)}"
            )
        self.protocols, self.threshold = tuple(protocols), threshold
        self.dissimilar, self.pool = dissimilar, pool
        self.make_encoder = sentence_encoder
        self._encoder: TextEncoder | None = None
        self.numbers: Mapping[str, Number] = {
            f"{protocol}_{way}_{name}": Number("", "lower")
            if name == "medr"
            else Number("%", "higher")
            for protocol in self.protocols
            for way in ("t2m", "m2t")
            for name in (*(f"r{top}" for top in TOP), "medr")
        }

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """What the encoder of sentences needs."""
        return () if self.make_encoder is None else preflight(self.make_encoder, outlook)

    def shortage(self, size: Size) -> str:
        """See `Metric.shortage`."""
        needed = {"dissimilar": self.dissimilar, "pools": self.pool}
        for protocol, least in needed.items():
            if protocol in self.protocols and size.clips < least:
                option = "dissimilar" if protocol == "dissimilar" else "pool"
                return (
                    f"the retrieval protocol {protocol} needs at least {least} clips, there are "
                    f"{size.clips}; evaluate more clips, or choose fewer as "
                    f"metrics.retrieval_protocols.{option}={size.clips}"
                )
        return ""

    def update(self, batch: Batch) -> None:
        """Take in pairs of embeddings, (N, D) each, and the captions of the cases.

        Raises:
            UserError: one side is absent, or they are of different numbers of clips.
        """
        super().update(batch)
        if self.make_encoder is None:
            return
        if self._encoder is None:
            self._encoder = self.make_encoder((), 0, lambda line: None)
        texts = [case.caption for case in batch.cases]
        if len(texts) != len(batch.embeddings["caption"]):
            raise self.mistake(
                f"got {len(texts)} captions and {len(batch.embeddings['caption'])} embeddings"
            )
        self.extend_list(SENTENCES, self._encoder.encode(texts))

    def compute(self) -> dict[str, Tensor]:
        """All numbers over all clips.

        Raises:
            UserError: not finite, or too few clips.
        """
        texts, motions = self.gathered_set("caption"), self.gathered_set("motion")
        if short := self.shortage(Size(len(texts))):
            raise self.mistake(short)
        similarities = _unit(texts) @ _unit(motions).T
        sentences = _unit(self._sentences()) if self.make_encoder else _unit(texts)
        found = {
            protocol: self._under(protocol, similarities, sentences) for protocol in self.protocols
        }
        return {
            f"{protocol}_{way}_{name}": torch.tensor(value, dtype=torch.float64)
            for protocol, ways in found.items()
            for way, values in ways.items()
            for name, value in values.items()
        }

    def _under(
        self, protocol: RetrievalProtocol, similarities: np.ndarray, sentences: np.ndarray
    ) -> Ways:
        if protocol == "threshold":
            # rounding must not make a caption unlike itself
            alike = alike_texts(sentences, self.threshold) | np.eye(len(sentences), dtype=bool)
            return both_ways(similarities, alike)
        if protocol == "dissimilar":
            chosen = dissimilar(sentences, self.dissimilar)
            return both_ways(similarities[np.ix_(chosen, chosen)])
        if protocol == "pools":
            return pooled(similarities, shuffled_pools(len(similarities), self.pool))
        return both_ways(similarities)

    def _sentences(self) -> Tensor:
        """Features (N, E) of the captions, in the order of their positions."""
        features, positions = self.joined_list(SENTENCES), self.joined_list("caption_positions")
        assert features is not None and positions is not None
        return features[counted(positions, self)]


def _unit(rows: Tensor) -> np.ndarray:
    return functional.normalize(rows.float(), dim=-1).numpy()
