"""Visitors: what each one has asked and made, and its files, which go when it goes."""

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from motiongpt.api.motion import Motion
from motiongpt.errors import UserError
from motiongpt.web.limits import Limits
from motiongpt.web.requests import PageRequest


@dataclass
class Clip:
    """A motion that a visitor can take home.

    Attributes:
        name: whose it is, for people.
    """

    name: str
    motion: Motion


@dataclass
class Turn:
    """One request and what came of it.

    Attributes:
        token: names its files; who does not know it can't ask for them.
        request: None where a file was uploaded.
        models: that were asked.
        said: what the page says about it, line by line.
        chosen: index of the clip that the next request is about.
    """

    token: str
    folder: Path
    request: PageRequest | None = None
    models: tuple[str, ...] = ()
    clips: list[Clip] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    chosen: int = 0

    @property
    def page(self) -> Path:
        """The page that shows its clips; pages of one server share a folder beside them."""
        return self.folder / f"{self.token}.html"

    @property
    def files(self) -> Path:
        """Folder of the files to take home."""
        return self.folder / self.token

    def forget(self) -> None:
        """Delete its files."""
        self.page.unlink(missing_ok=True)
        shutil.rmtree(self.files, ignore_errors=True)


@dataclass
class Session:
    """One visitor.

    Attributes:
        messages: of the chat: who, and the words.
        shown: index of the turn that is looked at.
    """

    turns: list[Turn] = field(default_factory=list)
    messages: list[tuple[str, str, str]] = field(default_factory=list)
    heard: float = 0.0
    shown: str = ""

    @property
    def turn(self) -> Turn | None:
        """The one that is looked at; None before the first."""
        return next((one for one in self.turns if one.token == self.shown), None)

    @property
    def motion(self) -> Motion | None:
        """What the next request is about."""
        turn = self.turn
        return turn.clips[turn.chosen].motion if turn and turn.clips else None


class Sessions:
    """All visitors, by the name that Gradio has for each.

    Args:
        folder: of all files; only this class and the worker write into it.
        clock: seconds that only grow.
    """

    def __init__(
        self, folder: Path, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._limits, self._clock = folder, limits, clock
        self._all: dict[str, Session] = {}
        self._lock = threading.RLock()

    def of(self, name: str) -> Session:
        """A visitor's session; those that said nothing for long end."""
        with self._lock:
            now = self._clock()
            for other, session in list(self._all.items()):
                if other != name and now - session.heard > self._limits.idle:
                    self.end(other)
            while name not in self._all and len(self._all) >= self._limits.sessions:
                self.end(min(self._all, key=lambda one: self._all[one].heard))
            found = self._all.setdefault(name, Session())
            found.heard = now
            return found

    def end(self, name: str) -> None:
        """Forget a visitor and delete its files."""
        with self._lock:
            for turn in self._all.pop(name, Session()).turns:
                turn.forget()

    def close(self) -> None:
        """End all."""
        with self._lock:
            for name in list(self._all):
                self.end(name)

    def new_turn(self) -> Turn:
        """An empty turn, with a token that nobody guesses."""
        return Turn(secrets.token_hex(16), self._folder)

    def keep(self, name: str, turn: Turn) -> None:
        """Put a finished turn into its session; too many turns push out the oldest.

        Raises:
            UserError: the visitor has left meanwhile; the turn's files are gone.
        """
        with self._lock:
            if name not in self._all:
                turn.forget()
                raise UserError("the session has ended; load the page again")
            session = self._all[name]
            session.turns.append(turn)
            session.shown = turn.token
            while len(session.turns) > self._limits.turns:
                session.turns.pop(0).forget()

    def find(self, token: str) -> Turn | None:
        """The turn with this token, of whichever session."""
        with self._lock:
            for session in self._all.values():
                for turn in session.turns:
                    if secrets.compare_digest(turn.token, token):
                        return turn
        return None

    def __len__(self) -> int:
        return len(self._all)
