"""The transformer of T2M-GPT: causal, the same with and without a cache, and its weights' names."""

import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.methods.t2m_gpt.blocks import sinusoids
from motiongpt.methods.t2m_gpt.folder import load_transformer, save_transformer
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.original_names import (
    SINUSOIDS,
    original_sizes,
    original_state_dict,
    transformer_from_state,
)

SIZES = {
    "codebook_size": 11,
    "text_width": 6,
    "block_size": 9,
    "width": 16,
    "blocks": 2,
    "heads": 2,
    "expansion": 3,
    "dropout": 0.0,
}


def network(seed=0, **sizes):
    torch.manual_seed(seed)
    made = CodeTransformer(**{**SIZES, **sizes}).eval()
    for parameter in made.parameters():  # larger than at the start: attention matters
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def batch(rows=3, codes=8):
    torch.manual_seed(1)
    return torch.randn(rows, 6), torch.randint(13, (rows, codes))


@torch.no_grad()
def test_no_position_sees_a_later_one_and_all_see_the_text():
    made, (text, codes) = network(), batch()
    logits = made(text, codes)
    assert logits.shape == (3, 9, 12) and made.max_codes == 8
    changed = codes.clone()
    changed[:, 4] = (changed[:, 4] + 1) % 13
    other = made(text, changed)
    torch.testing.assert_close(other[:, :5], logits[:, :5], rtol=0, atol=1e-6)
    assert ((other[:, 5:] - logits[:, 5:]).abs().amax(2) > 1e-3).all()
    assert ((made(text + 1, codes) - logits).abs().amax(2) > 1e-3).all()
    torch.testing.assert_close(made(text, codes[:, :3]), logits[:, :4])
    torch.testing.assert_close(made(text, codes[:, :0]), logits[:, :1])


@torch.no_grad()
def test_code_by_code_gives_what_the_whole_row_gives():
    made, (text, codes) = network(), batch()
    state, logits = made.start(text), made(text, codes)
    torch.testing.assert_close(state.logits, logits[:, 0])
    for position in range(4):
        state.append(codes[:, position])
        torch.testing.assert_close(state.logits, logits[:, position + 1])
    rows = torch.tensor([2, 0])
    state.keep(rows)
    torch.testing.assert_close(state.logits, logits[rows, 4])
    for position in range(4, 8):
        state.append(codes[rows, position])
        torch.testing.assert_close(state.logits, logits[rows, position + 1])


def test_positions_are_sines_and_cosines():
    found = sinusoids(4, 6)
    angle = torch.tensor(3 * 10000 ** (-4 / 6))
    torch.testing.assert_close(found[3, 4:], torch.stack((angle.sin(), angle.cos())))
    assert found[0].tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"heads": 3}, "width=16 must be even and divisible by transformer.heads=3"),
        ({"block_size": 1}, "block_size=1 has no room"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, message):
    with pytest.raises(UserError, match=message):
        CodeTransformer(**{**SIZES, **sizes})


def test_more_codes_than_positions_are_refused():
    with pytest.raises(UserError, match="9 codes, more than .* at most 8"):
        network()(*batch(codes=9))


@torch.no_grad()
def test_released_names_lead_to_the_same_network():
    made, (text, codes) = network(), batch()
    state = original_state_dict(made)
    projection = made.head[1].attention.output.weight
    assert torch.equal(state["trans_head.blocks.1.attn.proj.weight"], projection)
    assert state["trans_base.blocks.0.attn.mask"].shape == (1, 1, 9, 9)
    found = transformer_from_state(state, heads=2)
    assert found.arguments() == {**made.arguments(), "dropout": 0.1}
    assert torch.equal(found(text, codes), made(text, codes))


def test_heads_are_one_for_64_of_the_width_unless_said():
    with torch.device("meta"):
        state = original_state_dict(CodeTransformer(**{**SIZES, "width": 128, "heads": 1}))
    assert original_sizes(state)["heads"] == 2 and original_sizes(state, 8)["heads"] == 8
    with pytest.raises(UserError, match="heads=7 can't share the width 128"):
        original_sizes(state, 7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("trans_head.ln_f.bias"), "trans_head.ln_f.bias: expected shape .16,., found no such"),
        (lambda s: s.pop("trans_base.tok_emb.weight"), "tok_emb.weight: expected this weight"),
        (lambda s: s.update({"extra": torch.zeros(1)}), "trans.extra: expected no such weight, found shape"),
        (lambda s: s.update({"trans_head.ln_f.bias": torch.zeros(5)}), "expected shape .16,., found shape .5,."),
        (lambda s: s.update({SINUSOIDS: s[SINUSOIDS] + 0.1}), "expected sines and cosines"),
        (lambda s: s.update({SINUSOIDS: s[SINUSOIDS] * torch.nan}), "holds NaN or infinity"),
    ],
)  # fmt: skip
def test_other_checkpoints_are_refused_with_what_was_expected(change, message):
    state = original_state_dict(network())
    change(state)
    with pytest.raises(UserError, match=message):
        transformer_from_state(state, heads=2)


@torch.no_grad()
def test_a_saved_transformer_is_the_same(tmp_path):
    made, (text, codes) = network(dropout=0.25), batch()
    save_transformer(made, tmp_path)
    found = load_transformer(tmp_path)
    assert found.arguments() == made.arguments() and not found.training
    assert torch.equal(found(text, codes), made(text, codes))


def test_damaged_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match="no such file; train"):
        load_transformer(tmp_path)
    save_transformer(network(), tmp_path)
    save_transformer(network(width=8), tmp_path / "other")
    (tmp_path / "other" / "transformer.safetensors").replace(tmp_path / "transformer.safetensors")
    with pytest.raises(UserError, match="expected shape .*, found shape"):
        load_transformer(tmp_path)
    (tmp_path / "transformer.safetensors").write_bytes(b"1234567890")
    with pytest.raises(UserError, match="damaged weights"):
        load_transformer(tmp_path)
    (tmp_path / "transformer.json").write_text('{"method": "mld", "format": 1}')
    with pytest.raises(UserError, match="of method mld, format 1; expected t2m_gpt, 1"):
        load_transformer(tmp_path)
