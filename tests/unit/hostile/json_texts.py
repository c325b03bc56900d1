"""Texts that are no JSON object of ours, in the place of one."""

import json

DEEP = "[" * 100_000
JSON = {
    "empty": "",
    "cut": '{"format": 1, "cl',
    "deep": DEEP,
    "list": "[]",
    "null": "null",
    "number": "5",
    "digits": '{"format": ' + "9" * 5_000 + "}",
    "surrogate": '{"format": "\\ud800"}',
    "escape": '{"format": "\\u001b[2J"}',
    "nan": '{"format": NaN}',
    "latin": b'{"name": "\xe9"}',
    "keys": json.dumps({f"k{n}": n for n in range(9_999)}),
    "long": json.dumps({"format": "x" * 1_000_000}),
}
