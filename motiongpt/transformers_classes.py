"""Classes of transformers by name: importing them takes seconds, which a plan needn't wait for."""

from typing import Any


def transformers_class(name: str) -> Any:
    """The class of transformers that is called `name`, imported when it is first asked for."""
    import transformers

    return getattr(transformers, name)
