"""Published decoder-only models: what is refused, and before what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from motiongpt.backbones.adapters import LoRA
from motiongpt.backbones.initialisation import embedding_rows
from motiongpt.backbones.pretrained import OPTION, from_scratch, read_published
from motiongpt.backbones.steps.causal import CausalSteps
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.pretrained_source import check_source

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

INSTEAD = from_scratch("gpt2")
EXACT, ROUNDED = 1e-3, 5e-2  # gaps between scores, in their deviations: in float32, in others


def check_causal(
    outlook: Outlook, source: str, lora: LoRA | None = None, **settings: Any
) -> Sequence[str]:
    """See that `CausalBackbone.pretrained` will find what it needs; the arguments are its.

    Raises:
        UserError: a library is missing, or the weights can't be had or are of another kind.
    """
    if lora is not None:
        lora.check_libraries()
    if check_source(OPTION, source, INSTEAD) is not None:  # its configuration is on this machine
        from transformers import AutoConfig

        try:
            config = AutoConfig.from_pretrained(source, local_files_only=True)
        except (OSError, ValueError) as error:
            said = " ".join(str(error).split())[:200]
            raise UserError(f"{OPTION}={source} can't be loaded: {said}") from error
        _check_config(source, config)
    return ()


def read_causal(
    source: str, instead: str = INSTEAD, **options: Any
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and text tokenizer as they were published.

    Args:
        source: hub name or local folder.
        instead: what else may be done where they can't be had, in words.
        options: of `from_pretrained`.

    Raises:
        UserError: it can't be had, or is no decoder-only model that single steps can be made with.
    """
    model, text_tokenizer = read_published(
        source,
        "AutoModelForCausalLM",
        lambda config: _check_config(source, config),
        instead,
        **options,
    )
    check_steps(source, model)
    return model, text_tokenizer


def _check_config(source: str, config: PretrainedConfig) -> None:
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

    if config.is_encoder_decoder:
        raise UserError(
            f"{OPTION}={source} is a {config.model_type} model, which has an encoder: "
            "backbone=causal takes decoder-only models; a T5 goes with backbone=flan_t5_base"
        )
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise UserError(
            f"{OPTION}={source} is a {config.model_type} model, of which transformers has no "
            "language model: backbone=causal takes decoder-only models"
        )


@torch.no_grad()
def check_steps(source: str, model: PreTrainedModel) -> None:
    """See that single steps with a cache give the scores that the model gives of a whole text.

    That holds where tokens see no later ones and a score is the product of the last state and a row
    of the output embedding; a few tokens tell, whatever the architecture is called.

    Raises:
        UserError: it does not hold for this model.
    """
    ids = torch.arange(1, 5, device=model.device)[None] % len(embedding_rows(model))
    reason = "its scores are others in single steps than of a whole text"
    try:
        expected = model(input_ids=ids).logits[0, -2:].float()
        found = torch.cat(_scores_of_steps(model, ids))
        is_exact = all(value.dtype == torch.float32 for value in model.parameters())
        allowed = (EXACT if is_exact else ROUNDED) * expected.std()
        if bool(((found - expected).abs() <= allowed).all()):
            return
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
    raise UserError(
        f"{OPTION}={source}: backbone=causal can't generate with a {model.config.model_type} model "
        f"({reason}); choose a LLaMA, Qwen, GPT-NeoX, Phi or GPT-2"
    )


def _scores_of_steps(model: PreTrainedModel, ids: Tensor) -> list[Tensor]:
    """Scores (1, V) after all tokens (1, L) but one, read behind padding, and after that one."""
    steps = CausalSteps(model, "float32")
    mask = torch.ones_like(ids)
    mask[:, 0] = 0
    padded = torch.cat([ids[:, :1], ids[:, :-1]], dim=1)
    state = steps.start({"input_ids": padded, "attention_mask": mask}, tokens=1)
    head = steps.head(torch.arange(len(steps.output.weight), device=ids.device))
    before = head(state.hidden)
    state.append(ids[:, -1])
    return [before, head(state.hidden)]
