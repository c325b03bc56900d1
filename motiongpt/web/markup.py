"""What the page says, as HTML; words of visitors and files are text in it, never tags."""

import html

from motiongpt.web.desk import DOWNLOADS, UPLOADS, Desk
from motiongpt.web.views import View

TITLE = "Motion from words"
EMPTY = '<div class="stage empty">The motion that you ask for is shown here.</div>'


def heading(desk: Desk) -> str:
    """The title, and the models that are asked."""
    models = ", ".join(f"{one.name} ({one.method})" for one in desk.facts.values())
    return f"<header><h1>{TITLE}</h1><p>{html.escape(models)}</p></header>"


def remarks(desk: Desk, speech: bool) -> str:
    """What one can say and upload, and what is off."""
    megabytes = desk.limits.upload_bytes / (1 << 20)
    lines = [
        "Go on from what is shown: “describe it”, “go on with …”, “now faster”.",
        f"Files: {', '.join(UPLOADS)} of at most {megabytes:g} MB and "
        f"{desk.limits.upload_seconds:g} s; they are deleted when you leave.",
    ]
    if not speech:
        lines.append("Speech: start with --whisper FOLDER, a model of faster-whisper.")
    return f'<div class="remarks">{"<br>".join(map(html.escape, lines))}</div>'


def stage(view: View) -> str:
    """The viewer's page in a frame."""
    if not view.token:
        return EMPTY
    return (
        f'<iframe class="stage clips-{min(len(view.clips), 3)}" src="/motion/{view.token}.html" '
        'title="the motion, to turn and to play"></iframe>'
    )


def notes(view: View) -> str:
    """What was understood, and the doubts."""
    lines = [f"<p>{html.escape(one)}</p>" for one in view.notes]
    lines += [f'<p class="doubt" role="alert">{html.escape(one)}</p>' for one in view.doubts]
    return "".join(lines)


def downloads(view: View) -> str:
    """Links to the chosen motion's files."""
    if not view.token:
        return ""
    links = [
        f'<a href="/motion/{view.token}/{view.chosen}{ending}" download '
        f'data-ending="{ending}">{ending[1:].upper()}</a>'
        for ending in DOWNLOADS
    ]
    return f'<span class="label">take home</span>{"".join(links)}'
