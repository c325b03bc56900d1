"""Any decoder-only model of transformers, by name: LLaMA, Qwen, GPT-NeoX, Phi …"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, Unpack

import torch
from torch import Tensor

from motiongpt.backbones.adapters import Adapters, LoRA, fingerprint, reading_options
from motiongpt.backbones.causal_source import check_causal, read_causal
from motiongpt.backbones.folder import read_about, read_settings
from motiongpt.backbones.left_to_right import LeftToRight, LeftToRightSettings
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.pretrained import extend_vocabulary
from motiongpt.errors import UserError
from motiongpt.preflight import checked_by
from motiongpt.pretrained_tokenizer import load_tokenizer

ADAPTERS = "adapters"


@dataclass(frozen=True)
class Base:
    """The published weights that adapters belong to.

    Attributes:
        source: hub name or local folder.
        numbers: see `LoRA.base`.
        fingerprint: of the weights, see `adapters.fingerprint`.
    """

    source: str
    numbers: str
    fingerprint: str


class CausalBackbone(LeftToRight):
    """A decoder-only model of transformers, all of it trained, or adapters beside it.

    A prompt begins as the model's own texts do (LLaMA: with a mark of the start).
    """

    architecture = "causal"
    model_class = "AutoModelForCausalLM"
    adapters: Adapters | None = None
    base: Base | None = None

    @classmethod
    @checked_by(check_causal)
    def pretrained(
        cls,
        source: str,
        codebook_size: int,
        texts: Sequence[str] = (),
        initialisation: str = "normal",
        lora: LoRA | None = None,
        **settings: Unpack[LeftToRightSettings],
    ) -> Self:
        """Published weights with the motion tokens added; new ones use the global random state.

        Args:
            source: hub name or local folder; code that lies there is never executed.
            texts: not needed, because the text tokenizer comes with the weights.
            initialisation: see `initialisation.resize_vocabulary`.
            lora: trains adapters and the new tokens' rows; None trains all weights.

        Raises:
            UserError: the weights can't be had, are not of a decoder-only model that is generated
                with by a cache of keys and values, or a library is missing.
        """
        vocabulary = MotionVocabulary(codebook_size)
        numbers = "float32" if lora is None else lora.base
        model, text_tokenizer = read_causal(source, **reading_options(numbers))
        where = str(Path(source).resolve()) if Path(source).is_dir() else source
        base = Base(where, numbers, fingerprint(model))
        new_ids = extend_vocabulary(model, text_tokenizer, vocabulary, initialisation)
        backbone = cls(model, text_tokenizer, vocabulary, **settings)
        if lora is not None:
            backbone.base, backbone.adapters = base, Adapters.added(model, lora, new_ids)
        return backbone

    @classmethod
    def load(cls, folder: Path, codebook_size: int | None = None) -> Self:
        """See `Backbone.load`; adapters can be trained further.

        Raises:
            UserError: besides, the weights that adapters belong to can't be had, or are others.
        """
        base = _base_of(folder)
        if base is None:
            return super().load(folder, codebook_size)
        return cls._load_adapted(Path(folder), codebook_size, base, base.numbers)

    @classmethod
    def load_merged(cls, folder: Path, codebook_size: int | None = None) -> Self:
        """See `Backbone.load_merged`; adapters trained beside 4 bits are merged into float32."""
        base = _base_of(folder)
        if base is None:
            return super().load_merged(folder, codebook_size)
        numbers = "float32" if base.numbers == "nf4" else base.numbers
        adapted = cls._load_adapted(Path(folder), codebook_size, base, numbers)
        assert adapted.adapters is not None
        adapted.language_model.float()  # bfloat16 could not hold the sums
        model = adapted.adapters.merged()
        return cls(
            model,
            adapted.text_tokenizer,
            adapted.vocabulary,
            **adapted._settings(),  # type: ignore[arg-type]
        )

    @cached_property
    def opening(self) -> list[int]:
        """Ids that the model's own texts begin with."""
        plain = self._encode(["a"])[0]
        marked = list(self.text_tokenizer("a", verbose=False)["input_ids"])
        starts = [i for i in range(len(marked)) if marked[i : i + len(plain)] == plain]
        return marked[: starts[0]] if starts else []

    def encode_inputs(self, texts: Sequence[str]) -> list[list[int]]:
        """See `Backbone.encode_inputs`; each begins as the model's texts do."""
        opening, closing = self.opening, self._input_closing()
        rows = [opening + row + closing for row in self._encode(texts)]
        return [self.input_truncation.cut(row, closing) for row in rows]

    @classmethod
    def _load_adapted(
        cls, folder: Path, codebook_size: int | None, base: Base, numbers: str
    ) -> Self:
        settings = read_about(folder, cls.architecture, codebook_size)
        settings.pop(ADAPTERS)
        lacking = f"bring the weights back there, which the adapters in {folder} belong to"
        model, _ = read_causal(base.source, lacking, **reading_options(numbers))
        if fingerprint(model) != base.fingerprint:
            raise UserError(
                f"the adapters in {folder} were trained beside other weights than "
                f"{base.source} holds now: bring these back, or train again"
            )
        text_tokenizer = load_tokenizer(folder / "text_tokenizer")
        vocabulary = MotionVocabulary(settings.pop("codebook_size"))
        with torch.random.fork_rng(devices=[]):  # what is drawn here the adapters replace
            torch.manual_seed(0)
            model.resize_token_embeddings(len(text_tokenizer), mean_resizing=False)
            model.config.pad_token_id = text_tokenizer.pad_token_id
            backbone = cls(model, text_tokenizer, vocabulary, **settings)
            backbone.base, backbone.adapters = base, Adapters.read(model, folder / ADAPTERS)
        return backbone

    def _save_model(self, folder: Path, weights: Mapping[str, Tensor] | None) -> None:
        if self.adapters is None:
            super()._save_model(folder, weights)
        else:
            self.adapters.save(folder / ADAPTERS, weights)

    def _about(self) -> dict[str, Any]:
        about = super()._about()
        return about if self.base is None else {**about, ADAPTERS: asdict(self.base)}


def _base_of(folder: Path) -> Base | None:
    """What the adapters of a saved backbone belong to; None where it is whole."""
    found = read_settings(Path(folder)).get(ADAPTERS)
    if found is None:
        return None
    try:
        return Base(**found)
    except TypeError as error:
        raise UserError(
            f"the backbone in {folder} can't be read: it does not say what its adapters belong to"
        ) from error
