"""What each task may know of a tokenised clip at test time."""

from motiongpt.methods.motiongpt.tasks.query import Query


def query_of(mix, task, clip, text=None):
    """The query of a task, by its name, about a clip; `text` instead of the task's own words."""
    known = {"frames": clip.frames}
    if task == "text_to_motion":
        known["text"] = next(iter(clip.captions), "") if text is None else text
    elif task == "motion_to_text":
        known["motion"] = clip.codes
    elif task == "prediction":
        known.update(text=text or "", start=mix.placeholders.start(clip))
    else:
        head, tail = mix.placeholders.ends(clip)
        known.update(text=text or "", start=head, end=tail)
    return Query(clip.fps, clip.frames_per_token, **known)
