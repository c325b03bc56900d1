"""T2M-GPT's checkpoints of its transformer (arXiv:2301.06052); its VQ-VAE is a file apart."""

from collections.abc import Mapping
from typing import Any

from motiongpt.errors import UserError
from motiongpt.methods.t2m_gpt.folder import METHOD, save_transformer
from motiongpt.methods.t2m_gpt.original_names import transformer_from_state
from motiongpt.published.importers.base import (
    ImportedParts,
    Importer,
    ImportOptions,
    format_of_codes,
    parameters,
)
from motiongpt.weights import tensors_under

TRANSFORMER = "transformer"
PARTS = ("trans_base.", "trans_head.")


class T2MGPTTransformerImporter(Importer):
    """`trans` with trans_base.* and trans_head.*."""

    name = "t2m_gpt_transformer"
    holds = "trans with the transformer's trans_base.*, trans_head.*"
    statistics = "the transformer needs none, its VQ-VAE does"
    experiment = "published_t2m_gpt published.codec=FOLDER published.transformer={folder}"

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """See `Importer`."""
        found = content.get("trans")
        return isinstance(found, Mapping) and any(str(n).startswith(PARTS) for n in found)

    def parts(self, content: Mapping[str, Any], options: ImportOptions) -> ImportedParts:
        """See `Importer`."""
        named = {str(name): value for name, value in content["trans"].items()}
        network = transformer_from_state(tensors_under(named, ""))
        codes = network.codebook_size
        if options.codebook_size not in (None, codes):
            raise UserError(
                f"trans: expected a codebook of {options.codebook_size} codes, found {codes}"
            )
        format, remarks = format_of_codes(options)
        summary = (
            f"transformer: {codes} codes, {len(network.blocks)} blocks, {parameters(network)} "
            f"parameters, reads text features of {network.text_width} numbers"
        )
        return ImportedParts(
            METHOD,
            {TRANSFORMER: lambda folder: save_transformer(network, folder)},
            format,
            (summary,),
            remarks=remarks,
        )
