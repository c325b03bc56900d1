"""LoRA (arXiv:2106.09685) by peft: published weights stay as they are, small matrices are trained.

The rows of new tokens are trained whole, in the input embedding and in the output embedding. Only
these and the matrices are saved: they belong to the weights that they were trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from motiongpt.backbones.initialisation import embedding_rows
from motiongpt.errors import UserError
from motiongpt.reading import file_size

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OPTION = "backbone.lora"
BASES = ("float32", "bfloat16", "nf4")
ALL_LINEAR = "all-linear"
ROWS_COMPARED = 16


@dataclass(frozen=True)
class LoRA:
    """What is trained beside weights that stay; built by Hydra from a backbone's yaml.

    Attributes:
        rank: of the matrices.
        alpha: their product is multiplied by alpha / rank.
        dropout: share of what they read that is dropped in training.
        targets: names of the linear layers that get them; "all-linear" for all but the output
            embedding.
        base: numbers of the weights that stay: "float32", "bfloat16" (half the memory), or "nf4":
            4 bits (QLoRA, arXiv:2305.14314), which needs bitsandbytes and a GPU.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: str | Sequence[str] = ALL_LINEAR
    base: str = "float32"

    def __post_init__(self) -> None:
        """Refuse values that have no meaning.

        Raises:
            UserError: names the value and what is allowed.
        """
        if self.rank < 1:
            raise UserError(f"{OPTION}.rank={self.rank}: must be at least 1")
        if self.alpha <= 0:
            raise UserError(f"{OPTION}.alpha={self.alpha}: must be above 0")
        if not 0 <= self.dropout < 1:
            raise UserError(f"{OPTION}.dropout={self.dropout}: must be at least 0 and below 1")
        if self.base not in BASES:
            raise UserError(f"{OPTION}.base={self.base}: choose one of {', '.join(BASES)}")

    def check_libraries(self) -> None:
        """Refuse what a library is missing for, without importing any.

        Raises:
            UserError: says how it is installed.
        """
        check_peft()
        if self.base == "nf4" and find_spec("bitsandbytes") is None:
            raise UserError(
                f"{OPTION}.base=nf4 needs bitsandbytes, which is not installed: "
                'pip install -e ".[four-bits]", or set it to bfloat16'
            )


def check_peft() -> None:
    """Refuse adapters where peft is missing.

    Raises:
        UserError: says how it is installed.
    """
    if find_spec("peft") is None:
        raise UserError(f'{OPTION} needs peft, which is not installed: pip install -e ".[lora]"')


def reading_options(base: str) -> dict[str, Any]:
    """What `from_pretrained` is told to read the weights that stay in these numbers.

    Raises:
        UserError: 4 bits without a GPU.
    """
    if base != "nf4":
        return {"dtype": getattr(torch, base)}
    if not torch.cuda.is_available():
        raise UserError(f"{OPTION}.base=nf4 needs a GPU, and there is none: set it to bfloat16")
    return four_bits(torch.cuda.current_device())


def four_bits(device: int | str) -> dict[str, Any]:
    """What `from_pretrained` is told to read weights in 4 bits to a device, as QLoRA has them."""
    from transformers import BitsAndBytesConfig

    quantised = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"dtype": torch.float32, "quantization_config": quantised, "device_map": {"": device}}


def fingerprint(model: PreTrainedModel) -> str:
    """SHA-256 of what tells one model from another and is quick to read: no linear layer is.

    These are its vectors (norms, biases) and the first rows of its input embedding.
    """
    digest = hashlib.sha256()
    rows = embedding_rows(model)[:ROWS_COMPARED]
    vectors = (value for _, value in sorted(model.named_parameters()) if value.ndim == 1)
    for values in (rows, *vectors):
        digest.update(values.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()


class Adapters:
    """The adapters of a language model, in whose modules they are; no module of their own."""

    def __init__(self, model: Any) -> None:
        """`model`: a PeftModel."""
        self._model = model

    @classmethod
    def added(cls, language_model: PreTrainedModel, lora: LoRA, rows: Sequence[int]) -> Self:
        """Add new ones, which change nothing yet; all other weights are frozen.

        Args:
            rows: (K,) token ids whose rows are trained.

        Raises:
            UserError: peft is missing, a target that the model does not have, or an output
                embedding that peft can't train rows of.
        """
        lora.check_libraries()
        from peft import LoraConfig, get_peft_model

        wanted = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=wanted,
            trainable_token_indices={name: list(rows) for name in _embeddings(language_model)},
            fan_in_fan_out=_is_transposed(language_model),
        )
        try:
            return cls(get_peft_model(language_model, config))
        except ValueError as error:
            names = {
                name.rpartition(".")[2]
                for name, module in language_model.named_modules()
                if isinstance(module, nn.Linear)
            }
            raise UserError(
                f"{OPTION}.targets={wanted}: this model's linear layers are called "
                f"{', '.join(sorted(names))}; name some of them, or {ALL_LINEAR}"
            ) from error

    @classmethod
    def read(cls, language_model: PreTrainedModel, folder: Path) -> Self:
        """Add those that `save` wrote to the weights that they were trained on.

        Raises:
            UserError: peft is missing, or they can't be read.
        """
        check_peft()
        from peft import PeftModel

        try:
            for file in folder.iterdir():
                file_size(file)
            return cls(
                PeftModel.from_pretrained(
                    language_model, str(folder), is_trainable=True, torch_device="cpu"
                )
            )
        except Exception as error:  # peft raises whatever its parts make of a damaged file
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UserError(f"the adapters in {folder} can't be read: {reason}") from error

    def save(self, folder: Path, weights: Mapping[str, Tensor] | None = None) -> None:
        """Write adapter_config.json and adapter_model.safetensors, as peft's users know them.

        Args:
            weights: of the language model, by name, where they are not in it.
        """
        named = None
        if weights is not None:
            named = {f"base_model.model.{name}": value for name, value in weights.items()}
        self._model.save_pretrained(str(folder), save_embedding_layers=False, state_dict=named)
        (folder / "README.md").unlink(missing_ok=True)  # a form to fill in

    def merged(self) -> Any:
        """The language model with these in its weights, and no adapters any more."""
        return self._model.merge_and_unload()


def _embeddings(model: PreTrainedModel) -> list[str]:
    """Names of the modules whose rows are trained; a tied output embedding follows the input's.

    Raises:
        UserError: the output embedding has a bias, which peft leaves out of what it computes.
    """
    read, scores = model.get_input_embeddings(), model.get_output_embeddings()
    if scores.bias is not None:
        raise UserError(
            f"{OPTION}: the output embedding of a {model.config.model_type} model has a bias, "
            "beside which peft trains no rows: set backbone.lora=null"
        )
    tied = scores.weight is read.weight
    wanted = (read,) if tied else (read, scores)
    return [name for name, module in model.named_modules() if any(module is one for one in wanted)]


def _is_transposed(model: PreTrainedModel) -> bool:
    """Whether its layers are GPT-2's, whose weights are (in, out)."""
    from transformers.pytorch_utils import Conv1D

    return any(isinstance(module, Conv1D) for module in model.modules())
