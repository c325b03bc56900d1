"""The page itself, in Gradio's components."""

import html
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION
from motiongpt.web.desk import DOWNLOADS, UPLOADS, Desk, Settings, View

TITLE = "Motion from words"
EMPTY = '<div class="stage empty">The motion that you ask for is shown here.</div>'
ACTIONS = {
    MOTION_TO_TEXT: ("Describe it", "describe"),
    PREDICTION: ("Go on", "go-on"),
    INBETWEEN: ("Fill the middle", "fill"),
}
STYLE = Path(__file__).with_name("style.css")
SYSTEM = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
MONOSPACE = ["ui-monospace", "Consolas", "monospace"]


def theme() -> gr.themes.Base:
    """The system's own fonts: none is fetched."""
    return gr.themes.Base(
        primary_hue="blue", neutral_hue="slate", font=SYSTEM, font_mono=MONOSPACE
    )


def page(desk: Desk, speech: bool) -> gr.Blocks:
    """All components, and what happens when they are used.

    Args:
        speech: whether the worker has ears.
    """
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(300, 300))
    with blocks:
        gr.HTML(_heading(desk))
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=4, min_width=300):
                chat = gr.Chatbot(
                    label="chat",
                    show_label=False,
                    height=300,
                    render_markdown=False,
                    buttons=[],
                    feedback_options=None,
                    placeholder="Say what the person does. Click a line to see its motion again.",
                    elem_id="chat",
                )
                words = gr.Textbox(
                    show_label=False,
                    placeholder="a person walks in a circle",
                    max_length=desk.limits.letters,
                    elem_id="words",
                    submit_btn="Make motion",
                    autofocus=True,
                )
                spoken = gr.Audio(
                    label="or say it", sources=["microphone"], type="filepath", visible=speech
                )
                examples = _examples(desk, words)
                settings = _settings(desk)
                gr.HTML(_remarks(desk, speech))
            with gr.Column(scale=7, min_width=300):
                stage = gr.HTML(EMPTY, elem_id="stage")
                notes = gr.HTML("", elem_id="notes")
                clips = gr.Radio([], label="this one", visible=False, elem_id="clips")
                with gr.Row(elem_classes="actions"):
                    acts = {
                        task: gr.Button(label, size="sm", elem_id=name)
                        for task, (label, name) in ACTIONS.items()
                    }
                    again = gr.Button("Another seed", size="sm", elem_id="again")
                    upload = gr.UploadButton(
                        "Upload a motion", size="sm", file_types=list(UPLOADS), elem_id="upload"
                    )
                downloads = gr.HTML("", elem_id="downloads")
        shown = [chat, stage, notes, clips, downloads]
        one_by_one: dict[str, Any] = {"concurrency_id": "models", "concurrency_limit": 1}
        quiet: dict[str, Any] = {"show_progress": "hidden", "queue": False}
        ask = partial(_ask, desk)
        words.submit(ask, [words, *settings], [words, *shown], api_name="ask", **one_by_one)
        for example, sentence in examples:
            example.click(
                partial(_ask_example, desk, sentence), settings, shown, api_visibility="private",
                **one_by_one,
            )
        for task, button in acts.items():
            button.click(
                partial(_act, desk, task), settings, shown, api_name=ACTIONS[task][1], **one_by_one
            )
        again.click(partial(_again, desk), settings, shown, api_name="again", **one_by_one)
        upload.upload(partial(_upload, desk), upload, shown, api_name="upload", **one_by_one)
        clips.input(partial(_choose, desk), clips, shown, api_name="choose", **quiet)
        chat.select(partial(_look_at, desk), None, shown, api_name="look_at", **quiet)
        if speech:
            spoken.stop_recording(partial(_heard, desk), spoken, words, **one_by_one)
        blocks.unload(partial(_left, desk))
    blocks.queue(max_size=desk.limits.waiting, default_concurrency_limit=1)
    return blocks


def _examples(desk: Desk, words: gr.Textbox) -> list[tuple[gr.Button, str]]:
    """Sentences to click that the first model knows."""
    captions = next(iter(desk.facts.values())).examples
    if not captions:
        return []
    gr.HTML('<div class="label">sentences it was trained on</div>')
    with gr.Row(elem_id="examples"):
        return [(gr.Button(one, size="sm", elem_classes="example"), one) for one in captions]


def _settings(desk: Desk) -> list[Any]:
    names = list(desk.facts)
    with gr.Accordion("Options", open=len(names) > 1, elem_id="options"):
        models = gr.CheckboxGroup(
            names,
            value=names,
            label="models, side by side",
            visible=len(names) > 1,
            elem_id="models",
        )
        with gr.Row():
            seconds = gr.Slider(
                0, 10, 0, step=0.5, label="length (seconds; 0: the model ends)", elem_id="seconds"
            )
            samples = gr.Slider(
                1, desk.limits.samples, min(2, desk.limits.samples), step=1, label="samples",
                elem_id="samples",
            )
        with gr.Row():
            seed = gr.Number(
                None, label="seed (empty: a new one)", precision=0, minimum=0, elem_id="seed"
            )
            clean = gr.Checkbox(True, label="clean up: feet stand still, no trembling", elem_id="clean")
    return [seconds, samples, seed, clean, models]


def _heading(desk: Desk) -> str:
    models = ", ".join(f"{one.name} ({one.method})" for one in desk.facts.values())
    return (
        f'<header><h1>{TITLE}</h1><p>{html.escape(models)}</p></header>'
    )


def _remarks(desk: Desk, speech: bool) -> str:
    megabytes = desk.limits.upload_bytes / (1 << 20)
    lines = [
        "Go on from what is shown: “describe it”, “go on with …”, “now faster”.",
        f"Files: {', '.join(UPLOADS)} of at most {megabytes:g} MB and "
        f"{desk.limits.upload_seconds:g} s; they are deleted when you leave.",
    ]
    if not speech:
        lines.append("Speech: start with --whisper FOLDER, a model of faster-whisper.")
    return f'<div class="remarks">{"<br>".join(map(html.escape, lines))}</div>'


def _chosen(
    seconds: float | None, samples: float | None, seed: float | None, clean: bool,
    models: Sequence[str] | None,
) -> Settings:
    return Settings(
        seconds or None,
        int(samples or 1),
        None if seed is None else int(seed),
        bool(clean),
        tuple(models or ()),
    )


def _ask(desk: Desk, words: str, *settings: Any, request: gr.Request) -> list[Any]:
    return ["", *_shown(desk.ask(_visitor(request), words or "", _chosen(*settings)))]


def _ask_example(desk: Desk, sentence: str, *settings: Any, request: gr.Request) -> list[Any]:
    return _shown(desk.ask(_visitor(request), sentence, _chosen(*settings)))


def _act(desk: Desk, task: str, *settings: Any, request: gr.Request) -> list[Any]:
    return _shown(desk.act(_visitor(request), task, _chosen(*settings)))


def _again(desk: Desk, *settings: Any, request: gr.Request) -> list[Any]:
    return _shown(desk.again(_visitor(request), _chosen(*settings)))


def _upload(desk: Desk, file: str, request: gr.Request) -> list[Any]:
    return _shown(desk.upload(_visitor(request), Path(file)))


def _choose(desk: Desk, clip: int, request: gr.Request) -> list[Any]:
    return _shown(desk.choose(_visitor(request), int(clip)))


def _look_at(desk: Desk, event: gr.SelectData, request: gr.Request) -> list[Any]:
    index = event.index[0] if isinstance(event.index, list | tuple) else event.index
    return _shown(desk.look_at(_visitor(request), int(index)))


def _heard(desk: Desk, file: str | None) -> str:
    return desk.heard(Path(file)) if file else ""


def _left(desk: Desk, request: gr.Request) -> None:
    desk.sessions.end(_visitor(request))


def _visitor(request: gr.Request) -> str:
    return str(request.session_hash)


def _shown(view: View) -> list[Any]:
    """What stands in chat, stage, notes, choice and downloads."""
    messages = [{"role": who, "content": words} for who, words in view.messages]
    many = len(view.clips) > 1
    choice = gr.Radio(
        [(name, index) for index, name in enumerate(view.clips)],
        value=view.chosen if many else None,
        visible=many,
    )
    return [messages, _stage(view), _notes(view), choice, _downloads(view)]


def _stage(view: View) -> str:
    if not view.token:
        return EMPTY
    return (
        f'<iframe class="stage clips-{min(len(view.clips), 3)}" src="/motion/{view.token}.html" '
        'title="the motion, to turn and to play"></iframe>'
    )


def _notes(view: View) -> str:
    lines = [f"<p>{html.escape(one)}</p>" for one in view.notes]
    lines += [f'<p class="doubt" role="alert">{html.escape(one)}</p>' for one in view.doubts]
    return "".join(lines)


def _downloads(view: View) -> str:
    if not view.token:
        return ""
    links = [
        f'<a href="/motion/{view.token}/{view.chosen}{ending}" download '
        f'data-ending="{ending}">{ending[1:].upper()}</a>'
        for ending in DOWNLOADS
    ]
    return f'<span class="label">take home</span>{"".join(links)}'
