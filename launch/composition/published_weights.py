"""The published weights that conf/published knows."""

from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.composition.overrides import choices
from motiongpt.errors import UserError
from motiongpt.published.weights import PublishedWeights

GROUP = "published"


def known_weights() -> list[PublishedWeights]:
    """All of conf/published, by name."""
    return [published_weights(name) for name in choices(GROUP)]


def published_weights(name: str) -> PublishedWeights:
    """Those of `conf/published/NAME.yaml`.

    Raises:
        UserError: there is no such file; the known names are listed.
    """
    if name not in choices(GROUP):
        raise UserError(
            f"{name}: no published weights of this name; known: {', '.join(choices(GROUP))}; or a "
            "model folder on the hub, OWNER/NAME"
        )
    found: PublishedWeights = build(compose_config([f"+{GROUP}={name}"])[GROUP])
    return found
