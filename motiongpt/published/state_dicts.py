"""A model of transformers from its configuration and weights, without a folder between."""

from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel

from motiongpt.weights import check_fit, check_weights

Model = TypeVar("Model", bound=PreTrainedModel)


def model_of(
    kind: type[Model], config: PretrainedConfig, state: Mapping[str, Tensor], prefix: str
) -> Model:
    """The model with these weights, in float32 and evaluation mode; no random number is drawn.

    Args:
        prefix: of the weights' names in their file, for messages.

    Raises:
        UserError: as `check_weights`, or no network has these sizes.
    """
    check_fit(lambda: kind(config), lambda made: check_weights(made.state_dict(), state, prefix))
    model: Model = kind.from_pretrained(None, config=config, state_dict=dict(state))
    return model.float().eval()
