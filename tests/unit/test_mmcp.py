"""The server of the Motion Model Context Protocol, asked by the protocol's own client."""

import threading
import time

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from launch.cli import main
from motiongpt import load
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.mmcp.joining import joined, of_length, on_offsets
from motiongpt.motion.rigid import rigid_motion
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.tiny_models import tiny_model_folder

mcp = pytest.importorskip("motionmcp", reason="motionmcp-sdk is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model_folder(tmp_path_factory.mktemp("models") / "tiny", {"made": "here"})


@pytest.fixture(scope="module")
def served(folder):
    from motiongpt.mmcp.backbone import ServedModel

    return ServedModel(load(folder, "cpu"))


@pytest.fixture(scope="module")
def url(served):
    import uvicorn
    from motionmcp import build_app

    app = build_app(served)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def asked(model, *segments, **more):
    return {
        "protocol_version": "1.4",
        "model": model["id"],
        "skeleton": model["canonical_skeleton"],
        "segments": [
            {"type": "text", "prompt": text, "duration_frames": n} for text, n in segments
        ],
        **more,
    }


def test_blenders_client_gets_what_the_model_makes(served, url):
    from motionmcp import client

    capabilities = client.get_capabilities(url)
    model = client.pick_model(capabilities)
    assert model["fps"] == 20.0 and model["supported_segments"] == ["text"]
    body = asked(
        model, ("a person walks", 24), ("a person sits down", 16),
        options={"seed": 3, "num_samples": 2, "transition_frames": 4},
    )  # fmt: skip
    samples = client.parse_gltf_samples(client.generate(url, body))
    again = client.parse_gltf_samples(client.generate(url, body))
    other = client.parse_gltf_samples(client.generate(url, {**body, "options": {"seed": 4}}))
    assert len(samples) == 2 and len(other) == 1
    for found, same in zip(samples, again, strict=True):
        turns, root = found["local_rot_mats"], found["posed_joints"][:, 0]
        assert turns.shape == (40, HUMANML3D.n_joints, 3, 3) and root.shape == (40, 3)
        np.testing.assert_array_equal(turns, same["local_rot_mats"])
    assert np.abs(samples[0]["posed_joints"] - other[0]["posed_joints"]).max() > 1e-4


def test_a_sentence_is_the_models_own_motion(served):
    from motionmcp import GenerateRequest

    model = served.capabilities().model_dump(mode="json")
    request = GenerateRequest.model_validate(
        asked(model, ("a person walks", 30), options={"seed": 5, "transition_frames": 0})
    )
    found = served.generate(request)
    (motion,) = served.model.text_to_motion("a person walks", 30, seed=5)
    body = rigid_motion(motion.joints, motion.skeleton, motion.fps)
    turns = Rotation.from_quat(found.rotations[0].reshape(-1, 4)).as_matrix()
    np.testing.assert_allclose(turns.reshape(30, -1, 3, 3), body.rotations, atol=1e-5)
    faster = served.generate(
        GenerateRequest.model_validate(
            asked(model, ("a person walks", 45), timing={"fps": 30.0}, options={"seed": 5})
        )
    )
    assert faster.rotations.shape[:2] == (1, 45)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"segments": [{"type": "unconditioned", "duration_frames": 9}]}, "unsupported_segment"),
        ({"constraints": [{"type": "root_path", "frames": [0], "positions_xz": [[0, 0]]}]},
         "unsupported_constraint"),
        ({"segments": [{"type": "text", "prompt": " ", "duration_frames": 9}]}, "invalid_request"),
        ({"segments": [{"type": "text", "prompt": "walk", "duration_frames": 1100}]},
         "invalid_request"),
        ({"model": "another"}, "unknown_model"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_said_by_name(served, url, change, code):
    from motionmcp import client

    model = served.capabilities().model_dump(mode="json")
    with pytest.raises(client.MmcpError) as caught:
        client.generate(url, {**asked(model, ("a person walks", 9)), **change})
    assert caught.value.code == code and str(caught.value)


def test_parts_go_on_where_the_one_before_ended():
    bodies = [
        rigid_motion(np.asarray(clip.joints)[:50], HUMANML3D, 20.0)
        for clip in SyntheticSource(clips=3, seed=5).clips()
    ]
    parts = [on_offsets(one, bodies[0].offsets) for one in bodies]
    whole = joined(parts, blended=6)
    assert len(whole.root) == 150
    fastest = max(np.linalg.norm(np.diff(one.root, axis=0), axis=1).max() for one in parts)
    moved = np.linalg.norm(np.diff(whole.root, axis=0), axis=1)
    assert moved.max() <= max(fastest, 0.08)
    for seam in (50, 100):
        before, after = (Rotation.from_matrix(whole.rotations[i]) for i in (seam - 1, seam))
        assert np.degrees((before.inv() * after).magnitude()).max() < 40
    np.testing.assert_array_equal(whole.rotations[:50], parts[0].rotations)
    end = whole.rotations[99, 1:], parts[1].rotations[-1, 1:]
    np.testing.assert_array_equal(*end)  # beyond the seam, but for the way it faces
    assert len(of_length(parts[0], 70).root) == 70 and len(of_length(parts[0], 7).root) == 7


def test_models_of_the_same_name_are_refused(folder, tmp_path, capsys):
    assert main(["mmcp", str(folder), str(folder)]) == 2
    assert "is served already" in capsys.readouterr().err
    assert main(["mmcp", str(tmp_path / "nothing")]) == 2
    assert "no such folder" in capsys.readouterr().err
