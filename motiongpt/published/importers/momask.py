"""MoMask's checkpoints (arXiv:2312.00063): four files, one a network; each becomes one part."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from motiongpt.codecs.residual_vq import original_names as codec_names
from motiongpt.codecs.residual_vq.network import ResidualVQVAE
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.momask import original_names as names
from motiongpt.methods.momask.folder import METHOD, MoMaskNetwork, save_network
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.published.folder import CODEC
from motiongpt.published.importers.base import (
    ImportedParts,
    Importer,
    ImportOptions,
    codec_summary,
    format_of,
    format_of_codes,
    parameters,
    remarks_of,
)
from motiongpt.weights import load_checked, made_to_fit, tensors_under

CONTAINERS: Mapping[str, tuple[str, ...]] = {
    "rvqvae": ("vq_model", "net"),
    "mask_transformer": ("t2m_transformer", "trans"),
    "residual_transformer": ("res_transformer",),
    "length_estimator": ("estimator",),
}
"""Network -> keys under which a file may have its weights."""
MARKS = {
    "rvqvae": codec_names.FIRST,
    "mask_transformer": "token_emb.weight",
    "residual_transformer": "quant_emb.weight",
    "length_estimator": "output.11.weight",
}
"""A weight of each that no other has."""
TEXT_ENCODER = "clip_model."


class Kind(NamedTuple):
    """One network of codes: the part it becomes, and how it is made of released weights."""

    part: str
    network: type[Any]
    sizes: Callable[[Mapping[str, Tensor]], dict[str, Any]]
    renamed: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


KINDS = {
    "mask_transformer": Kind(
        "masked", MaskedTransformer, names.masked_sizes, names.from_original_state_dict
    ),
    "residual_transformer": Kind(
        "residual", ResidualTransformer, names.residual_sizes, names.from_original_state_dict
    ),
    "length_estimator": Kind(
        "length", LengthEstimator, names.length_sizes, names.length_from_original
    ),
}


class MoMaskImporter(Importer):
    """The residual VQ-VAE, the masked or the residual transformer, or the length estimator."""

    name = "momask"
    holds = "vq_model, t2m_transformer, res_transformer or estimator with MoMask's weights"
    statistics = "those of MoMask lie in the folder meta beside its residual VQ-VAE's folder model"
    experiment = "published_momask published.PART={folder}"

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """See `Importer`."""
        return _found(content) is not None

    def parts(self, content: Mapping[str, Any], options: ImportOptions) -> ImportedParts:
        """See `Importer`."""
        found = _found(content)
        assert found is not None
        kind, container = found
        whole = tensors_under({str(n): value for n, value in content[container].items()}, "")
        state = {name: one for name, one in whole.items() if not name.startswith(TEXT_ENCODER)}
        ignored = tuple(name for name in whole if name not in state)
        if kind == "rvqvae":
            return self._codec(state, options, ignored)
        return _network(KINDS[kind], state, options, ignored)

    def _codec(
        self, state: Mapping[str, Tensor], options: ImportOptions, ignored: tuple[str, ...]
    ) -> ImportedParts:
        sizes = codec_names.original_sizes(state)
        _check_codebook(sizes["codebook_size"], options)
        format = format_of(sizes["n_features"], "encoder.model.0.weight")
        statistics = self.read_statistics(options, format)
        network = made_to_fit(
            lambda: ResidualVQVAE(**sizes), lambda made: codec_names.load_original(made, state)
        )
        codec = TrainedTokenizer(network, statistics.mean, statistics.std)
        summary = f"{codec_summary(codec, format)}, {codec.codebooks} codebooks"
        return ImportedParts(
            METHOD,
            {CODEC: codec.save},
            format,
            (summary,),
            ignored,
            {"statistics": statistics.source},
            remarks_of(statistics),
        )


def _network(
    kind: Kind, state: Mapping[str, Tensor], options: ImportOptions, ignored: tuple[str, ...]
) -> ImportedParts:
    sizes = kind.sizes(state)
    if "codebook_size" in sizes:
        _check_codebook(sizes["codebook_size"], options)

    def load(made: nn.Module) -> None:
        load_checked(made, kind.renamed(state), "released weights: ")

    network: MoMaskNetwork = made_to_fit(lambda: kind.network(**sizes), load)
    network.eval()
    format, remarks = format_of_codes(options)
    summary = (
        f"{kind.part}: {parameters(network)} parameters, reads text features of "
        f"{network.text_width} numbers"
    )
    return ImportedParts(
        METHOD,
        {kind.part: lambda folder: save_network(network, folder)},
        format,
        (summary,),
        ignored,
        remarks=remarks,
    )


def _found(content: Mapping[str, Any]) -> tuple[str, str] | None:
    """Which network a file holds, and under which key."""
    for kind, containers in CONTAINERS.items():
        for container in containers:
            state = content.get(container)
            if isinstance(state, Mapping) and MARKS[kind] in state:
                return kind, container
    return None


def _check_codebook(found: int, options: ImportOptions) -> None:
    if options.codebook_size not in (None, found):
        raise UserError(f"expected a codebook of {options.codebook_size} codes, found {found}")
