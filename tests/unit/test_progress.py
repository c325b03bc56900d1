"""Progress in a file: some lines, not one for each step."""

import io
import sys
import time

from motiongpt.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def written(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    for _ in progress_bar(range(20), unit="clip", file=stream):
        time.sleep(0.02)
    return stream.getvalue().count("\r")


def test_a_terminal_sees_it_move_and_a_file_is_spared(monkeypatch):
    assert written(monkeypatch, Terminal()) > 3
    stream = io.StringIO()
    assert written(monkeypatch, stream) == 2, "the start and the end"
    assert "20/20" in stream.getvalue()
