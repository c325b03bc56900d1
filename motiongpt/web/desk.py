"""What visitors can do, whatever page they do it on; problems come back as words."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

from motiongpt.api.inputs import SEEDS, check_letters
from motiongpt.errors import UserError
from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION
from motiongpt.printable import printable
from motiongpt.render.shown import Shown
from motiongpt.web.limits import Limits
from motiongpt.web.requests import PageOutput, PageRequest
from motiongpt.web.sessions import Clip, Session, Sessions, Turn
from motiongpt.web.views import View, caption, clips_of, file_name, lengths, view_of
from motiongpt.web.wording import asked_by
from motiongpt.web.worker import Worker
from motiongpt.web.workshop import ModelFacts

DOWNLOADS = (".glb", ".bvh", ".mp4", ".npy")
UPLOADS = (".npy", ".npz", ".bvh")
VISITOR, PAGE = "user", "assistant"
DONE = {
    TEXT_TO_MOTION: "",
    PREDICTION: "It goes on. ",
    INBETWEEN: "The middle is new. ",
}


@dataclass(frozen=True)
class Settings:
    """What a visitor has set.

    Attributes:
        seconds: None lets the model end.
        seed: as it was typed; empty draws one.
        clean: feet that stand are locked, trembling goes.
        models: names; empty for the first.
    """

    seconds: float | None = None
    samples: int = 1
    seed: str = ""
    clean: bool = True
    models: Sequence[str] = ()


class Desk:
    """The models, the visitors and what is between them."""

    def __init__(
        self, worker: Worker, sessions: Sessions, limits: Limits, facts: Sequence[ModelFacts]
    ) -> None:
        self.worker, self.sessions, self.limits = worker, sessions, limits
        self.facts = {one.name: one for one in facts}
        self._downloads = BoundedSemaphore(limits.downloads)

    def view(self, visitor: str) -> View:
        """What the visitor sees as it is."""
        return view_of(self.sessions.of(visitor))

    def ask(self, visitor: str, sentence: str, settings: Settings) -> View:
        """A sentence: a new motion, or something with the last one."""
        session = self.sessions.of(visitor)

        def work() -> str:
            words = self.limits.checked_sentence(sentence)
            check_letters(words, "the sentence")
            if not words:
                raise UserError("say what the person does, as: a person walks in a circle")
            asked = asked_by(words, _last_text(session))
            return self._turn(visitor, asked.task, asked.text, settings)

        return self._talk(session, sentence, work)

    def act(self, visitor: str, task: str, settings: Settings) -> View:
        """Describe the chosen motion, let it go on, or fill its middle."""
        session = self.sessions.of(visitor)
        names = {MOTION_TO_TEXT: "Describe it", PREDICTION: "Go on", INBETWEEN: "Fill the middle"}
        return self._talk(session, names[task], lambda: self._turn(visitor, task, "", settings))

    def again(self, visitor: str, settings: Settings) -> View:
        """The request of the turn that is looked at, with another seed."""
        session = self.sessions.of(visitor)

        def work() -> str:
            turn = session.turn
            if turn is None or turn.request is None:
                raise UserError("nothing was asked yet that could be asked again")
            if turn.request.task == MOTION_TO_TEXT:
                raise UserError("a description is the likeliest one: another seed changes nothing")
            one = turn.request
            return self._turn(visitor, one.task, one.text, settings, one)

        return self._talk(session, "Another seed", work)

    def upload(self, visitor: str, path: Path) -> View:
        """A stranger's file; it is deleted when it has been read."""
        session = self.sessions.of(visitor)

        def work() -> str:
            try:
                if path.suffix.lower() not in UPLOADS:
                    raise UserError(
                        f"{path.name}: expected a file that ends in {', '.join(UPLOADS)}"
                    )
                if (size := path.stat().st_size) > self.limits.upload_bytes:
                    raise UserError(
                        f"{path.name}: {size:,} bytes; at most "
                        f"{self.limits.upload_bytes:,} are read"
                    )
                motion, odd = self.worker.call("read", path, self.limits.upload_seconds)
            finally:
                path.unlink(missing_ok=True)
            turn = self.sessions.new_turn()
            turn.clips = [Clip("uploaded", motion)]
            turn.doubts = odd
            self._show(visitor, turn)
            return (
                f"{path.name}: {motion.seconds:.1f} s at {motion.fps:g} frames per second. "
                "Describe it, let it go on, or fill its middle."
            )

        return self._talk(session, f"Uploaded {path.name}", work)

    def choose(self, visitor: str, clip: int) -> View:
        """The clip that the next request is about."""
        session = self.sessions.of(visitor)
        if session.turn is not None and 0 <= clip < len(session.turn.clips):
            session.turn.chosen = clip
        return view_of(session)

    def look_at(self, visitor: str, message: int) -> View:
        """The turn that a message of the chat tells of, if its files are still there."""
        session = self.sessions.of(visitor)
        if 0 <= message < len(session.messages):
            token = session.messages[message][2]
            if any(turn.token == token for turn in session.turns):
                session.shown = token
        return view_of(session)

    def heard(self, path: Path) -> str:
        """The words of a recording, which is deleted."""
        try:
            return str(self.worker.call("words_of", path))
        finally:
            path.unlink(missing_ok=True)

    def file(self, token: str, clip: int, ending: str) -> tuple[Path, str]:
        """A file to take home, and its name there; it is made when it is first asked for.

        Raises:
            UserError: no such motion, too many wait, or the file can't be made.
        """
        turn = self.sessions.find(token)
        if turn is None or not 0 <= clip < len(turn.clips) or ending not in DOWNLOADS:
            raise UserError("no such motion; its session has ended")
        path = turn.files / f"{clip}{ending}"
        if not path.is_file():
            if not self._downloads.acquire(blocking=False):
                raise UserError("too many files are being made; try again in a minute")
            try:
                turn.files.mkdir(exist_ok=True)
                self.worker.call("save", path, turn.clips[clip].motion)
            finally:
                self._downloads.release()
        return path, f"{file_name(turn.clips[clip])}{ending}"

    def _turn(
        self,
        visitor: str,
        task: str,
        text: str,
        settings: Settings,
        same: PageRequest | None = None,
    ) -> str:
        """Ask the models, keep what they made, and say it."""
        session = self.sessions.of(visitor)
        names = self._models(settings.models)
        turn = self.sessions.new_turn()
        turn.models = tuple(names)
        turn.request = PageRequest(
            task,
            text,
            settings.seconds,
            max(1, min(settings.samples, self.limits.samples)),
            _seed(settings.seed, same),
            same.motion if same else None if task == TEXT_TO_MOTION else session.motion,
        )
        outputs: list[PageOutput] = self.worker.call("outputs", turn.request, names, settings.clean)
        failed = [one for one in outputs if one.problem]
        if len(failed) == len(outputs):
            raise UserError("; ".join(dict.fromkeys(one.problem for one in failed)))
        several = len(names) > 1
        turn.clips = [clip for one in outputs for clip in clips_of(one, several)]
        turn.doubts = list(dict.fromkeys(doubt for one in outputs for doubt in one.doubts))
        said = [f"{one.model}: {one.problem}" for one in failed]
        if task == MOTION_TO_TEXT:
            said += [
                f"{one.model}: {one.text}" if several else one.text for one in outputs if one.text
            ]
            turn.clips = [Clip("described", turn.request.motion)] if turn.request.motion else []
        else:
            said.insert(0, f"{DONE[task]}{lengths(turn.clips)}; seed {turn.request.seed}")
        if text:
            turn.said.append(f"Understood: {text}")
        self._show(visitor, turn)
        return "\n".join(said)

    def _show(self, visitor: str, turn: Turn) -> None:
        request = turn.request
        words = request.text if request else ""
        shown = [
            Shown(clip.motion, clip.name, printable(caption(clip, words))) for clip in turn.clips
        ]
        try:
            self.worker.call("write_page", turn.page, shown, printable(words) or "motion")
        except UserError:
            turn.forget()
            raise
        self.sessions.keep(visitor, turn)

    def _models(self, names: Sequence[str]) -> list[str]:
        chosen = [name for name in names if name in self.facts]
        return chosen or [next(iter(self.facts))]

    def _talk(self, session: Session, said: str, work: Callable[[], str]) -> View:
        """Note what the visitor said and what came of it; a problem is one line."""
        before = session.shown
        words = printable(" ".join(said.split()))[: self.limits.letters]
        try:
            line = work()
        except UserError as error:
            line = f"That did not work: {error}"
        token = session.shown if session.shown != before else ""
        session.messages += [(VISITOR, words, token), (PAGE, line, token)]
        del session.messages[: -4 * self.limits.turns]
        return view_of(session)


def _last_text(session: Session) -> str:
    turn = session.turn
    return turn.request.text if turn and turn.request else ""


def _seed(typed: str, same: PageRequest | None) -> int:
    """The one asked for; another than last time where the same is asked again.

    Raises:
        UserError: no whole number, or too large a one.
    """
    if typed and not (typed.isascii() and typed.isdecimal() and int(typed) < SEEDS):
        raise UserError(f"seed {typed}: expected a whole number from 0 to {SEEDS - 1}, or nothing")
    asked = int(typed) if typed else None
    if same is not None and asked in (None, same.seed):
        return (same.seed + same.samples) % SEEDS
    return secrets.randbelow(100_000) if asked is None else asked
