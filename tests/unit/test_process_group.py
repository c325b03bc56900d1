"""A process leaves its group before it ends: gloo's threads may else abort it when all is done."""

import pytest
import torch.distributed as dist

from launch.jobs import job
from launch.jobs.plan_file import planned_as_json
from motiongpt.distributed import process_group_ended
from motiongpt.errors import UserError
from motiongpt.training.stage import Processes
from tests.unit.plans import planned


@pytest.fixture
def join(tmp_path):
    def of_one(*arguments):
        dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)

    yield of_one
    if dist.is_initialized():
        dist.destroy_process_group()


def test_after_the_block_there_is_no_group(join):
    with process_group_ended():
        join()
        assert dist.is_initialized()
    assert not dist.is_initialized()
    with process_group_ended():
        pass


def test_after_a_block_that_fails_there_is_none_either(join):
    with pytest.raises(UserError, match="refused"), process_group_ended():
        join()
        raise UserError("refused")
    assert not dist.is_initialized()


def test_a_job_ends_without_the_group_of_its_stage(join, monkeypatch, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(planned_as_json(planned(tmp_path, "tokenizer", "a" * 16)))
    monkeypatch.setattr(job, "run_stage", join)
    assert job.run_job(plan, "test", Processes()) == "a" * 16
    assert not dist.is_initialized()
