"""What a run over golden vectors found: one line a case, then the totals."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

Found = Any


@dataclass
class Case:
    """What was compared for one file."""

    name: str
    n_compared: int = 0
    largest: float = 0.0
    largest_name: str = "-"
    misses: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def line(self) -> str:
        verdict = "MISS" if self.misses else "ok" if self.n_compared else "NOTHING COMPARED"
        largest = f"{self.largest:.2e}"
        return f"{verdict:5} {self.name}: largest error {largest} ({self.largest_name}), {self.n_compared} compared"


class Report:
    """Collects comparisons; `failed` says whether any missed its tolerance."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.notes: list[str] = []

    def compare(
        self,
        case: str,
        name: str,
        found: Found,
        expected: Found,
        atol: float | np.ndarray = 0,
        rtol: float = 0,
    ) -> None:
        """Miss unless shapes agree and |found - expected| <= atol + rtol |expected| everywhere."""
        entry = self._case(case)
        entry.n_compared += 1
        found, expected = _array(found), _array(expected)
        if found.shape != expected.shape:
            entry.misses.append(f"{name}: shape {found.shape}, expected {expected.shape}")
            return
        found, expected = found.astype(np.float64), expected.astype(np.float64)
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
        with np.errstate(invalid="ignore"):
            error = np.where(same, 0.0, np.abs(found - expected))
        error = np.where(np.isnan(error), np.inf, error)
        allowed = atol + rtol * np.abs(np.nan_to_num(expected))
        largest = float(error.max(initial=0.0))
        if largest > entry.largest or entry.largest_name == "-":
            entry.largest, entry.largest_name = largest, name
        n_wrong = int((error > allowed).sum())
        if n_wrong:
            tolerance = f"{np.max(atol):g}" + (f" + {rtol:g} relative" if rtol else "")
            entry.misses.append(
                f"{name}: {n_wrong} of {error.size} values off by up to {largest:.3e}, allowed {tolerance}"
            )

    def exact(self, case: str, name: str, found: Found, expected: Found) -> None:
        """Miss unless both are equal: arrays in shape and every value, anything else by ==."""
        entry = self._case(case)
        entry.n_compared += 1
        if isinstance(expected, np.ndarray | torch.Tensor):
            found, expected = _array(found), _array(expected)
            if found.shape != expected.shape:
                entry.misses.append(f"{name}: shape {found.shape}, expected {expected.shape}")
            elif not np.array_equal(found, expected):
                n_wrong = int((found != expected).sum())
                entry.misses.append(
                    f"{name}: {n_wrong} of {found.size} values differ, must be equal"
                )
        elif found != expected:
            entry.misses.append(f"{name}: found {_brief(found)}, expected {_brief(expected)}")

    def unchecked(self, case: str, name: str, why: str) -> None:
        """Name something in the file that was not compared."""
        self._case(case).unchecked.append(f"{name}: {why}")

    def crashed(self, case: str, error: BaseException) -> None:
        """Count a case that could not be computed at all as a miss."""
        self._case(case).misses.append(f"could not be computed: {type(error).__name__}: {error}")

    def note(self, text: str) -> None:
        """Remember a line about the folder as a whole: an absent or unsupported subfolder."""
        self.notes.append(text)

    @property
    def failed(self) -> bool:
        """True if a comparison missed, or if nothing was compared."""
        compared = sum(case.n_compared for case in self.cases.values())
        return compared == 0 or any(case.misses for case in self.cases.values())

    def lines(self) -> Iterator[str]:
        """The report as text, one line at a time."""
        for case in self.cases.values():
            yield case.line()
            yield from (f"      MISS {miss}" for miss in case.misses)
            yield from (f"      not checked: {name}" for name in case.unchecked)
        yield from (f"note: {note}" for note in self.notes)
        cases = self.cases.values()
        totals = Counter(
            cases=len(cases),
            compared=sum(case.n_compared for case in cases),
            misses=sum(len(case.misses) for case in cases),
            unchecked=sum(len(case.unchecked) for case in cases),
        )
        yield (
            f"{totals['cases']} cases, {totals['compared']} comparisons, "
            f"{totals['misses']} misses, {totals['unchecked']} not checked"
        )

    def _case(self, name: str) -> Case:
        return self.cases.setdefault(name, Case(name))


class ReadArrays(Mapping[str, np.ndarray]):
    """The arrays of one `.npz`; remembers which were read by key.

    Asking whether a name is there, or listing the names, does not count as reading.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = dict(arrays)
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        value = self._arrays[name]
        self._read.add(name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of an array, without counting as reading it."""
        return self._arrays[name].shape

    def unread(self) -> list[str]:
        """Names that nobody asked for."""
        return [name for name in self._arrays if name not in self._read]


def _array(value: Found) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
    return np.asarray(value)


def _brief(value: Found) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
