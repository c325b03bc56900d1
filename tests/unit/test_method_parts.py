"""A method has its own groups and, where it is a codec's, its own codec; others are refused by name."""

import pytest

from launch.composition.compose import compose_config
from motiongpt.errors import UserError


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["method=vposer_t", "codec=actor_small"],
            "codec=actor_small: method vposer_t .* choose one of: vposer_t, vposer_t_small$",
        ),
        (["method=mld_vae", "codec=actor"], "choose one of: mld_vae, mld_vae_small$"),
        (
            ["method=actor", "codec=mld_vae_small", "debug=tiny"],
            "choose one of: actor, actor_small",
        ),
        (["method=lookup", "+backbone=t5_tiny"], "method lookup has no backbone; .*=motiongpt$"),
        (["method=t2m_gpt", "+codec=actor"], "method t2m_gpt has no codec; .*actor,mld,mld_vae"),
        (["+codec=actor"], "method motiongpt has no codec"),
    ],
)
def test_parts_of_another_method_are_refused_with_the_valid_ones(words, said):
    with pytest.raises(UserError, match=said):
        compose_config(words)


@pytest.mark.parametrize(
    "words",
    [
        ["method=actor", "codec=actor"],
        ["method=mld", "codec=vposer_t_small"],  # diffusion of any codec's latent
        ["method=t2m_gpt", "text_encoder=small"],
        ["evaluator=tmr", "text_encoder@evaluator.text_encoder=clip"],
    ],
)
def test_parts_of_the_method_are_taken(words):
    compose_config(words)
