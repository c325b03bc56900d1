"""The worker's process: bounds of time, errors, and that it comes back."""

import os
import time

import pytest

from motiongpt.errors import UserError
from motiongpt.web.worker import Worker


class Workbench:
    def __init__(self, problem=""):
        if problem:
            raise UserError(problem)

    def double(self, number):
        return 2 * number

    def sleep(self):
        time.sleep(600)

    def die(self):
        os._exit(9)

    def refuse(self):
        raise UserError("no such thing")

    def fail(self):
        raise ZeroDivisionError


@pytest.mark.slow
def test_a_worker_survives_what_it_is_asked():
    worker = Worker(Workbench, seconds=5)
    try:
        assert worker.call("double", 2) == 4
        for name, said in {
            "refuse": "no such thing",
            "fail": "ZeroDivisionError",
            "die": "the worker ended",
            "sleep": "took longer than 5 s",
        }.items():
            with pytest.raises(UserError, match=said):
                worker.call(name)
            assert worker.call("double", 4) == 8
    finally:
        worker.close()


@pytest.mark.slow
def test_models_that_can_not_be_opened_are_one_line():
    with pytest.raises(UserError, match="no such folder"):
        Worker(Workbench, "no such folder", seconds=5)
