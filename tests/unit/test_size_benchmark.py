"""HumanML3D's size by simulation: the clips, what is projected, growth, and what the command leaves."""

import json
import signal

import numpy as np
import pytest

from motiongpt.data.build import build_store
from motiongpt.data.humanml3d import HumanML3DSource
from motiongpt.errors import UserError
from tests.benchmarks.humanml3d_size import __main__ as command
from tests.benchmarks.humanml3d_size import data_parts, projection
from tests.benchmarks.humanml3d_size.part import Found, Place
from tests.benchmarks.humanml3d_size.parts import PARTS, part_named
from tests.benchmarks.humanml3d_size.projection import Cost
from tests.benchmarks.humanml3d_size.report import Measured, growth, write_report
from tests.benchmarks.humanml3d_size.simulation import FRAMES, Simulated
from tests.benchmarks.scoring import projected


@pytest.fixture(autouse=True)
def signals():
    """The command takes a time limit for Ctrl-C; what was set before is set again."""
    usual = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, usual)


def test_clips_are_as_long_and_as_many_as_humanml3ds():
    plan = list(Simulated(3000)._plan())
    lengths = np.array([length for length, _, _ in plan])
    assert (lengths.min(), lengths.max()) == FRAMES and 138 < lengths.mean() < 146
    assert Simulated(29228).counts == {"train": 23384, "val": 1460, "test": 4384}
    assert all(len(captions) == 3 for _, _, captions in plan)


def test_the_folder_and_the_joints_are_the_same_clips(tmp_path):
    source = Simulated(40)
    source.write_folder(tmp_path / "HumanML3D")
    read = build_store(HumanML3DSource(str(tmp_path / "HumanML3D")), tmp_path / "a", progress=False)
    made = build_store(source, tmp_path / "b", progress=False)
    assert len(read) == len(made) == 40 and not read.rejected and not made.rejected
    assert list(read.names) == list(made.names) and (read.lengths == made.lengths).all()
    assert read.captions(7) == made.captions(7)
    # Features made of joints are of one size of body; those of the folder keep their scale.
    both = [store.features(3)[:, 4:67].ravel() for store in (read, made)]
    assert np.corrcoef(both)[0, 1] > 0.9999
    assert len({read.features(index).tobytes() for index in range(40)}) == 40


def test_the_parts_of_data_do_what_they_say(tmp_path):
    place = Place(tmp_path / "size", 120, threads=1)
    for name in ("simulate", "features", "verify", "prepare", "statistics", "card"):
        found = part_named(name).measure(place)
        assert found.seconds > 0 and found.whole == found.done > 0
    assert sorted(one.name for one in place.folder.iterdir()) == ["HumanML3D", "store"]
    with pytest.raises(AssertionError):
        data_parts.verify(Place(tmp_path / "size", 121, threads=1))


@pytest.mark.parametrize(
    ("found", "seconds"),
    [
        (Found(10.0, 5, 5), 10.0),
        (Found(10.0, 5, 50), 100.0),
        (Found(10.0, 3, 20, fixed=4.0), 44.0),
    ],
)
def test_what_is_not_done_is_projected_linearly(found, seconds):
    assert found.projected == pytest.approx(seconds)


def test_scoring_projects_from_the_replications_after_the_first():
    assert projected([10.0, 2.0, 3.0, 2.0], 20) == pytest.approx(17.0 + 16 * 2.0)
    assert projected([10.0, 2.0], 2) == 12.0


def part(clips, seconds, name="verify", whole=None):
    done = float(clips)
    return Measured(name, clips, Found(seconds, done, whole or done), seconds)


def test_growth_is_the_power_between_the_largest_two_sizes():
    linear = [part(250, 1.0), part(1000, 10.0), part(4000, 40.0)]
    assert growth(linear) == pytest.approx(1.0)
    assert growth([part(1000, 10.0), part(4000, 160.0)]) == pytest.approx(2.0)
    assert growth([part(1000, 0.1), part(4000, 160.0)]) is None, "too brief to tell"
    steps = [part(1000, 10.0, "pretrain", whole=9e9), part(4000, 10.0, "pretrain", whole=9e9)]
    assert growth(steps) is None, "as many steps, however many clips"


def test_the_table_says_what_is_projected_and_what_grows_too_fast(tmp_path):
    measured = [
        part(1000, 10.0),
        part(4000, 160.0),
        part(1000, 5.0, "tokens"),
        Measured("prepare", 1000, problem="status 1: KeyError"),
        part(1000, 3.0, "pretrain", whole=3000),
    ]
    about = {
        "sizes": [1000, 4000],
        "command": "c",
        "time": "t",
        "gpu_tflops": 100.0,
        "utilisation": 0.5,
        "settings": {"threads": 1, "seed": 0},
        "git": {},
        "machine": command.describe_machine(),
    }
    assert PARTS["tokens"].most == 4000
    table = write_report(tmp_path, measured, [Cost("tokenizer", 3600, 50e12)], about)
    assert "| 10 s (10.0) | 160 s (160.0) | clips^2.00 **faster than linear** |" in table
    assert "| 5 s (5.0) | 20 s *p* |" in table and "**failed**: status 1: KeyError" in table
    assert "| 9 s *p* | 36 s *p* |" in table
    assert "| tokenizer | 3,600 | 50.00 | 1.0 |" in table and "not measured" in table
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["growth"]["verify"] == pytest.approx(2.0) and len(kept["measured"]) == 5


def test_operations_of_the_base_model_are_counted():
    tokenizer, pretrain, instruct = projection.costs()
    assert (tokenizer.steps, pretrain.steps, instruct.steps) == (150000, 300000, 300000)
    # flan-t5-base: 85 and 113 million weights in its layers, 25 in the output embedding.
    one = projection.language_flops(1.0, 0.0), projection.language_flops(0.0, 1.0)
    assert one[0] == pytest.approx(6 * 85e6, rel=0.01)
    assert one[1] == pytest.approx(6 * (113e6 + 25e6), rel=0.01)
    assert pretrain.flops == instruct.flops > 16 * 30 * one[1]
    # A convolution's work grows with the frames, but for the ends of a window.
    assert projection.vq_vae_flops(128) == pytest.approx(2 * projection.vq_vae_flops(64), rel=0.01)
    assert 0.5e9 < projection.vq_vae_flops(64) < 5e9


def test_a_part_that_fails_hides_no_other_and_fails_the_command(tmp_path, monkeypatch):
    asked = []

    def ended(words, log):
        name, clips, file = words[3], int(words[5]), words[-1]
        asked.append((name, clips))
        if name == "verify":
            log.write_text("KeyError: 'x'\n")
            return 1
        kept = {"seconds": 3.0, "done": clips, "whole": clips, "fixed": 0.0}
        kept |= {"core_seconds": 2.0, "start_bytes": 1, "peak_bytes": 2}
        with open(file, "w") as found:
            json.dump(kept, found)
        return 0

    monkeypatch.setattr(command, "_ended", ended)
    words = ["--clips", "4100", "--sizes", "200", "--parts", "verify", "prepare", "tokens"]
    assert command.main([*words, "--folder", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert asked == [
        *(("verify", 200), ("prepare", 200), ("tokens", 200)),
        *(("verify", 4100), ("prepare", 4100)),  # tokens is projected above 4,000 clips
    ]
    assert "**failed**: status 1: KeyError: 'x'" in (tmp_path / "out" / "table.md").read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["out"], "the clips are deleted"


def test_an_interruption_keeps_what_was_measured(tmp_path, monkeypatch):
    def one(part, clips, root, options):
        if part == "prepare":
            raise KeyboardInterrupt
        return Measured(part, clips, Found(1.0, clips, clips))

    monkeypatch.setattr(command, "_one", one)
    words = ["--clips", "200", "--sizes", "--folder", str(tmp_path), "--out", str(tmp_path / "out")]
    assert command.main([*words, "--parts", "verify", "prepare"]) == 130
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [one["part"] for one in kept["measured"]] == ["verify"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--clips", "20"], "100 or more"),
        (["--parts", "preparing"], "no part 'preparing'; choose some of: simulate, .*"),
        (["--utilisation", "2"], "at most 1"),
    ],
)
def test_bad_input_is_refused(words, said):
    with pytest.raises(UserError, match=said):
        command.main(words)


def test_smaller_sizes_are_chosen_where_none_are_named():
    assert command._parse(["--clips", "30000"]).sizes == [1000, 3750]
    assert command._parse(["--clips", "2000", "--sizes"]).sizes == []


@pytest.mark.long
@pytest.mark.slow
def test_all_parts_are_measured_in_processes(tmp_path):
    words = ["--clips", "240", "--sizes", "--threads", "1", "--folder", str(tmp_path)]
    assert command.main([*words, "--out", str(tmp_path / "out")]) == 0
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [one["part"] for one in kept["measured"]] == list(PARTS)
    assert all(one["peak_bytes"] > one["start_bytes"] > 0 for one in kept["measured"])
