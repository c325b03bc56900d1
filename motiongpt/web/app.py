"""The page itself, in Gradio's components."""

from pathlib import Path
from typing import Any

import gradio as gr

from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION
from motiongpt.web.desk import UPLOADS, Desk
from motiongpt.web.handlers import Handlers
from motiongpt.web.markup import EMPTY, TITLE, heading, remarks

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
    return gr.themes.Base(primary_hue="blue", neutral_hue="slate", font=SYSTEM, font_mono=MONOSPACE)


def page(desk: Desk, speech: bool) -> gr.Blocks:
    """All components, and what happens when they are used.

    Args:
        speech: whether the worker has ears.
    """
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(300, 300))
    do = Handlers(desk)
    with blocks:
        gr.HTML(heading(desk))
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=4, min_width=300):
                chat = gr.Chatbot(
                    label="chat",
                    show_label=False,
                    height=260,
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
                examples = _examples(desk)
                settings = _settings(desk)
                gr.HTML(remarks(desk, speech), elem_classes="later")
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
        words.submit(do.ask, [words, *settings], [words, *shown], api_name="ask", **one_by_one)
        for example, sentence in examples:
            example.click(
                do.asking(sentence),
                settings,
                shown,
                api_visibility="private",
                **one_by_one,
            )
        for task, button in acts.items():
            button.click(do.acting(task), settings, shown, api_name=ACTIONS[task][1], **one_by_one)
        again.click(do.again, settings, shown, api_name="again", **one_by_one)
        upload.upload(do.upload, upload, shown, api_name="upload", **one_by_one)
        clips.input(do.choose, clips, shown, api_name="choose", **quiet)
        chat.select(do.look_at, None, shown, api_name="look_at", **quiet)
        if speech:
            spoken.stop_recording(do.heard, spoken, words, **one_by_one)
        blocks.unload(do.left)
    blocks.queue(max_size=desk.limits.waiting, default_concurrency_limit=1)
    return blocks


def _examples(desk: Desk) -> list[tuple[gr.Button, str]]:
    """Sentences to click that the first model knows."""
    captions = next(iter(desk.facts.values())).examples
    if not captions:
        return []
    gr.HTML('<div class="label">sentences it was trained on</div>', elem_classes="later")
    with gr.Row(elem_id="examples", elem_classes="later"):
        return [(gr.Button(one, size="sm", elem_classes="example"), one) for one in captions]


def _settings(desk: Desk) -> list[Any]:
    names = list(desk.facts)
    with gr.Accordion("Options", open=len(names) > 1, elem_id="options", elem_classes="later"):
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
                1,
                desk.limits.samples,
                min(2, desk.limits.samples),
                step=1,
                label="samples",
                elem_id="samples",
            )
        with gr.Row():
            seed = gr.Textbox(label="seed (empty: a new one)", max_length=10, elem_id="seed")
            clean = gr.Checkbox(
                True, label="clean up: feet stand still, no trembling", elem_id="clean"
            )
    return [seconds, samples, seed, clean, models]
