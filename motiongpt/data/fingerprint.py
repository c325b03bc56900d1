"""One hash of everything in a store that can change a result."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np


class Fingerprint:
    """SHA-256 over named parts; independent of paths, times, and how the parts were computed."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def array(self, name: str, array: np.ndarray) -> None:
        """Add an array: its name, type, shape and little-endian bytes."""
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self._add(f"{name} {array.dtype.str} {array.shape}", array.reshape(-1).view(np.uint8).data)

    def strings(self, name: str, strings: Iterable[str]) -> None:
        """Add strings, each with its length, so that none can run into the next."""
        for string in strings:
            content = string.encode()
            self._add(f"{name} {len(content)}", content)

    def string_lists(self, name: str, lists: Sequence[Sequence[str]]) -> None:
        """Add lists of strings, each with its length."""
        for strings in lists:
            self._add(f"{name} {len(strings)}", b"")
            self.strings(name, strings)

    def settings(self, name: str, values: Mapping[str, object]) -> None:
        """Add values that JSON can hold."""
        self._add(name, json.dumps(values, sort_keys=True).encode())

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._hash.hexdigest()

    def _add(self, title: str, content: bytes | memoryview) -> None:
        self._hash.update(title.encode() + b"\n")
        self._hash.update(content)
