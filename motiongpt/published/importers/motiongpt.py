"""MotionGPT's checkpoints (arXiv:2306.14795): VQ-VAE and language model in one state_dict."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motiongpt.backbones.base import Backbone
from motiongpt.errors import UserError
from motiongpt.published.folder import CODEC, SavePart
from motiongpt.published.folder import LANGUAGE_MODEL as LANGUAGE_PART
from motiongpt.published.importers.base import (
    ImportedParts,
    Importer,
    ImportOptions,
    codec_summary,
    parameters,
    remarks_of,
)
from motiongpt.published.language_model import backbone_from_state, usual_text_tokenizer
from motiongpt.weights import tensors_under

TOKENIZER, LANGUAGE_MODEL = "vae.", "lm.language_model."
VQ_VAE = ("vae.encoder.model.", "vae.decoder.model.", "vae.quantizer.")  # other VAEs are vae.* too
IGNORED = ("metrics.", "_losses.")  # evaluators and sums of losses, saved with the model


class MotionGPTImporter(Importer):
    """`state_dict` with vae.* and lm.language_model.*, as motiongpt_s3_h3d.tar has it."""

    name = "motiongpt"
    holds = "state_dict with vae.* (and lm.language_model.*)"
    statistics = (
        "those of MotionGPT lie in its repository, github.com/OpenMotionLab/MotionGPT, in "
        "assets/meta (a folder that has assets/meta below it will do)"
    )

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """See `Importer`."""
        state = content.get("state_dict")
        return isinstance(state, Mapping) and any(str(n).startswith(VQ_VAE) for n in state)

    def parts(self, content: Mapping[str, Any], options: ImportOptions) -> ImportedParts:
        """See `Importer`. Without lm.* (stage 1 alone) there is no backbone."""
        state = {str(name): value for name, value in content["state_dict"].items()}
        ignored = tuple(name for name in state if name.startswith(IGNORED))
        _check_names(state)
        vq_vae = tensors_under(state, TOKENIZER)
        prefixed = {TOKENIZER + name: tensor for name, tensor in vq_vae.items()}
        codec, format, statistics = self.read_tokenizer(prefixed, TOKENIZER, options)
        parts: dict[str, SavePart] = {CODEC: codec.save}
        summary = [codec_summary(codec, format)]
        source: dict[str, Any] = {"statistics": statistics.source}
        language = tensors_under(state, LANGUAGE_MODEL)
        if language:
            words = options.text_tokenizer or usual_text_tokenizer(language, LANGUAGE_MODEL)
            backbone = backbone_from_state(language, codec.codebook_size, words, LANGUAGE_MODEL)
            parts[LANGUAGE_PART] = backbone.save
            summary.append(_language_summary(backbone))
            local = Path(words)  # of a folder the name: the path is nobody else's concern
            source["text_tokenizer"] = local.resolve().name if local.is_dir() else words
        else:
            summary.append("language model: none in this checkpoint")
        return ImportedParts(
            self.name, parts, format, tuple(summary), ignored, source, remarks_of(statistics)
        )


def _language_summary(backbone: Backbone) -> str:
    return (
        f"language model: {backbone.architecture}, {backbone.token_ids.vocabulary_size:,} tokens "
        f"of which {len(backbone.vocabulary)} for motion, {parameters(backbone)} parameters"
    )


def _check_names(state: Mapping[str, Any]) -> None:
    known = (TOKENIZER, LANGUAGE_MODEL, *IGNORED)
    others = [name for name in state if not name.startswith(known)]
    if others:
        raise UserError(
            f"state_dict: expected {TOKENIZER}* and {LANGUAGE_MODEL}*, found {others[0]} too"
            + (f" and {len(others) - 1} more" if len(others) > 1 else "")
            + ": the model was built in a way that can't be imported"
        )
