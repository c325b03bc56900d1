"""First values of the motion tokens' embedding rows: explicit, because library defaults move.

MotionGPT leaves them to `resize_token_embeddings`, so its result depends on the version of
transformers: up to 4.45 new rows are drawn from the model's own initialisation (standard deviation
1.0 for T5), later ones are the mean of the old rows, nearly equal to each other. Besides, T5's
embedding has 28 spare rows behind its vocabulary, which the first 28 motion tokens take over as
they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from motiongpt.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

INITIALISATIONS = ("normal", "mean_resizing", "released")


def resize_vocabulary(
    model: PreTrainedModel,
    vocabulary_size: int,
    new_ids: Sequence[int] | Tensor,
    initialisation: str = "normal",
) -> None:
    """Give `model` exactly `vocabulary_size` rows and fill the rows of the new tokens.

    Input and output embeddings are both treated, an output bias too; tied ones stay tied.

    Args:
        new_ids: (K + 3,) ids of the motion tokens, spare rows of the old embedding included.
        initialisation: "normal" draws every new row from a normal distribution with the mean and
            standard deviation that each column has over the old rows; "mean_resizing" is
            transformers' own default since 4.46; "released" what it did before, when MotionGPT was
            written. The last two leave spare rows as they are.

    Raises:
        UserError: unknown `initialisation`.
    """
    if initialisation not in INITIALISATIONS:
        raise UserError(
            f"initialisation={initialisation} is unknown: choose one of "
            f"{', '.join(INITIALISATIONS)}"
        )
    model.resize_token_embeddings(vocabulary_size, mean_resizing=initialisation == "mean_resizing")
    if initialisation != "normal":
        return
    ids = torch.as_tensor(new_ids, dtype=torch.long)
    draw_like_the_rest(embedding_rows(model), ids)
    output = model.get_output_embeddings()
    if output is not None and output.weight is not embedding_rows(model):
        draw_like_the_rest(output.weight, ids)
    if getattr(output, "bias", None) is not None:
        draw_like_the_rest(output.bias[:, None], ids)


def embedding_rows(model: PreTrainedModel) -> Tensor:
    """Weight (rows, D) of the input embedding."""
    embedding = model.get_input_embeddings()
    assert isinstance(embedding, nn.Embedding), "language models of transformers embed token ids"
    return embedding.weight


@torch.no_grad()
def draw_like_the_rest(weight: Tensor, ids: Tensor) -> None:
    """Redraw rows `ids` of `weight` (rows, D): each column's mean and deviation over the rest."""
    old = torch.ones(len(weight), dtype=torch.bool, device=weight.device)
    old[ids.to(weight.device)] = False
    mean, deviation = weight[old].mean(dim=0), weight[old].std(dim=0)
    noise = torch.randn(len(ids), weight.shape[1], dtype=weight.dtype).to(weight.device)
    weight[ids.to(weight.device)] = mean + noise * deviation
