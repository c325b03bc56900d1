"""The golden checks of T2M-GPT: files under other names pass, and every kind of array can miss."""

import json
import shutil

import numpy as np
import pytest

from tests.golden.__main__ import check_folder
from tests.shared import shared

SPOILT = [
    ("forward.npz", "out/attn_first", 1e-4),
    ("forward.npz", "out/head_norm", 1e-4),
    ("forward.npz", "out/logits_nocodes", 1e-4),
    ("forward.npz", "cfg/num_layers", 1),
    ("forward.npz", "w/trans_base.pos_embed.embed", 1e-2),
    ("loss.npz", "out/input_codes", 1),
    ("loss.npz", "out/loss", 1e-4),
    ("loss.npz", "out/loss_allrandom", 1e-4),
    ("loss.npz", "out/correct", 1),
    ("loss.npz", "grad/trans_base.tok_emb.weight", 1e-3),
    ("optim.npz", "out/lrs", 1e-5),
    ("optim.npz", "out/after/trans_head.head.weight", 1e-3),
    ("sample.npz", "out/ids", 1),
    ("sample.npz", "out/step_logits", 1e-4),
    ("sample.npz", "out/batch_ids", 1),
    ("sample.npz", "out/draw_ids", 1),
    ("sample.npz", "out/draw_probs", 1e-4),
    ("targets.npz", "out/target", 1),
    ("targets.npz", "out/clip/tokens/aa", 1),
]


@pytest.fixture
def copied(tmp_path):
    """A folder that holds the method's folder alone, its cases under other names."""
    source = shared("parity", "methods", "t2m_gpt")
    target = tmp_path / "t2m_gpt"
    target.mkdir()
    for file in source.iterdir():
        shutil.copyfile(file, target / f"some_{file.name}")
    return tmp_path


def test_files_under_other_names_pass(copied):
    report = check_folder(copied)
    assert not report.failed and len(report.cases) == 6
    assert not any(case.unchecked for case in report.cases.values())


@pytest.mark.parametrize(("file", "name", "by"), SPOILT)
def test_one_other_value_is_a_miss(copied, file, name, by):
    path = copied / "t2m_gpt" / f"some_{file}"
    with np.load(path, allow_pickle=False) as arrays:
        changed = dict(arrays)
    array = np.array(changed[name])
    array.reshape(-1)[0] += np.asarray(by).astype(array.dtype)
    np.savez(path, **{**changed, name: array})
    assert check_folder(copied).cases[f"t2m_gpt/{path.name}"].misses


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts["transformer"]["state_dict"].pop("trans_head.ln_f.bias"),
        lambda facts: facts["transformer"].update(parameters_base=1),
        lambda facts: facts["vqvae"]["parameters"].update(kit=1),
        lambda facts: facts["training_transformer"].update(gamma=0.1),
        lambda facts: facts["tokens"].update(pad_id=512),
    ],
)
def test_one_other_fact_is_a_miss(copied, change):
    path = copied / "t2m_gpt" / "some_facts.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    assert check_folder(copied).cases["t2m_gpt/some_facts.json"].misses
