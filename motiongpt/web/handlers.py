"""What happens when the page's components are used, for the visitor who uses them."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from motiongpt.web.desk import Desk, Settings
from motiongpt.web.markup import downloads, notes, stage
from motiongpt.web.views import View

Handler = Callable[..., Any]


class Handlers:
    """Of Gradio's events: components' values in, `shown` out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def ask(self, request: gr.Request, words: str, *settings: Any) -> list[Any]:
        """A typed sentence; the box is empty after it."""
        view = self._desk.ask(_visitor(request), words or "", _chosen(*settings))
        return ["", *shown(view)]

    def asking(self, sentence: str) -> Handler:
        """A click on an example."""

        def ask(request: gr.Request, *settings: Any) -> list[Any]:
            return shown(self._desk.ask(_visitor(request), sentence, _chosen(*settings)))

        return ask

    def acting(self, task: str) -> Handler:
        """A click on what can be done with the chosen motion."""

        def act(request: gr.Request, *settings: Any) -> list[Any]:
            return shown(self._desk.act(_visitor(request), task, _chosen(*settings)))

        return act

    def again(self, request: gr.Request, *settings: Any) -> list[Any]:
        """The same with another seed."""
        return shown(self._desk.again(_visitor(request), _chosen(*settings)))

    def upload(self, file: str, request: gr.Request) -> list[Any]:
        """A file that Gradio has received."""
        return shown(self._desk.upload(_visitor(request), Path(file)))

    def choose(self, clip: int, request: gr.Request) -> list[Any]:
        """The sample that the next request is about."""
        return shown(self._desk.choose(_visitor(request), int(clip)))

    def look_at(self, event: gr.SelectData, request: gr.Request) -> list[Any]:
        """A line of the chat."""
        index = event.index[0] if isinstance(event.index, list | tuple) else event.index
        return shown(self._desk.look_at(_visitor(request), int(index)))

    def heard(self, file: str | None) -> str:
        """A recording."""
        return self._desk.heard(Path(file)) if file else ""

    def left(self, request: gr.Request) -> None:
        """The visitor closed the page."""
        self._desk.sessions.end(_visitor(request))


def shown(view: View) -> list[Any]:
    """What stands in chat, stage, notes, choice and downloads."""
    # Gradio's chat shows what it is given as HTML, without scripts but with pictures.
    messages = [
        {"role": who, "content": html.escape(words, quote=False)} for who, words in view.messages
    ]
    many = len(view.clips) > 1
    choice = gr.Radio(
        [(name, index) for index, name in enumerate(view.clips)],
        value=view.chosen if many else None,
        visible=many,
    )
    return [messages, stage(view), notes(view), choice, downloads(view)]


def _chosen(
    seconds: float | None,
    samples: float | None,
    seed: str | None,
    clean: bool,
    models: Sequence[str] | None,
) -> Settings:
    return Settings(
        seconds or None,
        int(samples or 1),
        (seed or "").strip(),
        bool(clean),
        tuple(models or ()),
    )


def _visitor(request: gr.Request) -> str:
    return str(request.session_hash)
