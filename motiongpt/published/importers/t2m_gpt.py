"""T2M-GPT's checkpoints of its VQ-VAE (arXiv:2301.06052): its transformer is a file apart."""

from collections.abc import Mapping
from typing import Any

from motiongpt.published.folder import CODEC
from motiongpt.published.importers.base import (
    ImportedParts,
    Importer,
    ImportOptions,
    codec_summary,
    remarks_of,
)
from motiongpt.weights import tensors_under

PREFIXES = ("vqvae.", "")  # inside the wrapper that is trained, or alone
EDGE = "encoder.model.0.weight"


class T2MGPTImporter(Importer):
    """`net` with the VQ-VAE's weights, with or without the prefix "vqvae."."""

    name = "t2m_gpt"
    holds = "net with the VQ-VAE's encoder.*, decoder.*, quantizer.*"
    statistics = (
        "those of T2M-GPT are downloaded by its repository's script into "
        "checkpoints/t2m/VQVAEV3_CB1024_CMT_H1024_NRES3/meta"
    )
    experiment = "published published.folder={folder} goal=evaluate_codec"

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """See `Importer`."""
        return isinstance(content.get("net"), Mapping) and _prefix(content["net"]) is not None

    def parts(self, content: Mapping[str, Any], options: ImportOptions) -> ImportedParts:
        """See `Importer`."""
        state = tensors_under({str(name): value for name, value in content["net"].items()}, "")
        prefix = _prefix(state) or ""
        codec, format, statistics = self.read_tokenizer(state, prefix, options)
        outside = tuple(name for name in state if not name.startswith(prefix))
        return ImportedParts(
            self.name,
            {CODEC: codec.save},
            format,
            (codec_summary(codec, format),),
            outside,
            {"statistics": statistics.source},
            remarks_of(statistics),
        )


def _prefix(state: Mapping[str, Any]) -> str | None:
    return next((prefix for prefix in PREFIXES if prefix + EDGE in state), None)
