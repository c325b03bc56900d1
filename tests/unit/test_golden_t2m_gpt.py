"""The golden checks of T2M-GPT: files under other names pass, and every kind of array can miss."""

import json
import shutil

import numpy as np
import pytest

from tests.golden.__main__ import check_file, check_folder
from tests.golden.report import Report
from tests.golden.t2m_gpt import check
from tests.shared import SMALL, shared

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


def copied(folder, source):
    """A folder that holds the method's folder alone, its cases under other names."""
    target = folder / "t2m_gpt"
    target.mkdir()
    for file in source.iterdir():
        shutil.copyfile(file, target / f"some_{file.name}")
    return folder


def misses(path):
    report = Report()
    check_file(path, check, report, path.parent)
    return report.cases[f"t2m_gpt/{path.name}"].misses


def test_files_under_other_names_pass(tmp_path):
    report = check_folder(copied(tmp_path, shared("parity", "methods", "t2m_gpt")))
    assert not report.failed and len(report.cases) == 6
    assert not any(case.unchecked for case in report.cases.values())


@pytest.mark.parametrize(("file", "name", "by"), SPOILT)
def test_one_other_value_is_a_miss(tmp_path, file, name, by):
    small = SMALL / "methods" / "t2m_gpt"
    source = small if (small / file).exists() else shared("parity", "methods", "t2m_gpt")
    path = copied(tmp_path, source) / "t2m_gpt" / f"some_{file}"
    with np.load(path, allow_pickle=False) as arrays:
        changed = dict(arrays)
    array = np.array(changed[name])
    array.reshape(-1)[0] += np.asarray(by).astype(array.dtype)
    np.savez(path, **{**changed, name: array})
    assert misses(path)


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
def test_one_other_fact_is_a_miss(tmp_path, change):
    path = copied(tmp_path, SMALL / "methods" / "t2m_gpt") / "t2m_gpt" / "some_facts.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    assert misses(path)
