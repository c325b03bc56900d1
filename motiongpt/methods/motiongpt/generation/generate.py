"""A backbone's outputs to prompts: motions or texts, batched and constrained."""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongpt.backbones.base import Backbone
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.beams import search_rows
from motiongpt.methods.motiongpt.generation.constraints import OutputVocabulary, Rows, alike
from motiongpt.methods.motiongpt.generation.decoding import FREE_TOKENS, Decoding
from motiongpt.methods.motiongpt.generation.loop import generate_rows
from motiongpt.sampling.rng import base_seed, uniform_rows


@torch.inference_mode()
def generate(
    backbone: Backbone,
    prompts: Sequence[str],
    kind: str | Sequence[str] = "motion",
    decoding: Decoding | None = None,
    token_counts: Sequence[int | None] | None = None,
    seed: int | None = None,
    keys: Sequence[int] | None = None,
    max_motion_tokens: int = FREE_TOKENS,
) -> list[str]:
    """An output to each prompt: motion as start, codes, end; or plain text.

    An output does not depend on the other rows, but for rounding.

    Args:
        kind: "motion" or "text", for all rows or for each.
        decoding: `Decoding()` by default.
        token_counts: for each row the exact number of codes, or None for a free length.
        seed: makes sampling repeatable; without it the global random state moves on.
        keys: of the rows' streams of random numbers; their numbers by default.
        max_motion_tokens: a motion of free length ends after this many codes at the latest.

    Raises:
        UserError: unknown kind, impossible length, or more than the model has positions for.
    """
    decoding = decoding or Decoding()
    kinds = [kind] * len(prompts) if isinstance(kind, str) else list(kind)
    counts = list(token_counts) if token_counts is not None else [None] * len(prompts)
    streams = range(len(prompts)) if keys is None else keys
    if not len(kinds) == len(counts) == len(prompts) == len(streams):
        raise UserError(
            f"{len(prompts)} prompts with {len(kinds)} kinds, {len(counts)} lengths and "
            f"{len(streams)} keys: give one of each for every prompt"
        )
    if not prompts:
        return []
    rows = Rows.of(kinds, counts, max_motion_tokens, decoding.max_text_tokens)
    uniform = uniform_rows(base_seed(seed), streams, rows.longest())
    outputs: dict[int, str] = {}
    was_training = backbone.language_model.training
    backbone.language_model.eval()
    try:
        for indices in alike(prompts, rows, decoding.batch_size):
            some = [prompts[index] for index in indices]
            found = _of_batch(backbone, some, rows.part(indices), uniform[indices], decoding)
            outputs.update(zip(indices, found, strict=True))
    finally:
        backbone.language_model.train(was_training)
    return [outputs[index] for index in range(len(prompts))]


def _of_batch(
    backbone: Backbone, prompts: Sequence[str], rows: Rows, uniform: Tensor, decoding: Decoding
) -> list[str]:
    """Outputs of one batch, all of one kind."""
    inputs, prefix_length = backbone.prompt_batch(prompts)
    backbone.check_room(inputs["input_ids"].shape[1], rows.longest())
    inputs = {name: tensor.to(backbone.device) for name, tensor in inputs.items()}
    ids = backbone.token_ids
    if decoding.strategy == "beams":
        new = search_rows(backbone.language_model, inputs, prefix_length, rows, ids, decoding)
    else:
        vocabulary = OutputVocabulary.of("motion" if bool(rows.is_motion[0]) else "text", ids)
        model = backbone.step_model(decoding.precision)
        new = generate_rows(model, inputs, rows, vocabulary, uniform, decoding)
    return [backbone.decode_ids(row) for row in new]
