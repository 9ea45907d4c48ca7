"""Python values and those of the library."""
from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any, Optional, Union

from ._library import BOOL, FLOAT, INT, NULL, STR, TEXT_SIZE, CValue
from .errors import ArgumentError

Value = Union[None, bool, int, float, str]

KINDS = {int: INT, float: FLOAT, str: STR, bool: BOOL}


def plain(value: Any) -> Any:
    """A scalar of numpy (or of anything that is made like one: no dimensions, and an
    item) as Python's own; anything else as it is. numpy need not be there."""
    if value is None or value.__class__ in KINDS:
        return value
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        return value.item()
    return value


def kind_of(kind: Any) -> Optional[int]:
    """The kind of a knob whose type is given as a class: Python's, or numpy's. None:
    there is none for it."""
    if kind in KINDS:
        return KINDS[kind]
    if not isinstance(kind, type) or not hasattr(kind, "dtype"):
        return None
    try:
        return KINDS.get(plain(kind()).__class__)
    except Exception:  # no class that can be made of nothing
        return None


@lru_cache(maxsize=1024)
def text(value: str) -> bytes:
    """A text for the library, which ends texts with a NUL."""
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{value!r} is not UTF-8") from None
    if b"\0" in encoded:
        raise ArgumentError(f"{value!r} has a NUL in it")
    return encoded


def maybe_text(value: Optional[str]) -> Optional[bytes]:
    """None and "" mean that it is not given."""
    return text(value) if value else None


def to_c(value: Any, what: str) -> CValue:
    """`what` is for the message of an ArgumentError."""
    out = CValue()
    given, value = value, plain(value)
    if value is None:
        out.kind = NULL
    elif isinstance(value, bool):
        out.kind, out.b = BOOL, value
    elif isinstance(value, float):
        out.kind, out.d = FLOAT, value
    elif isinstance(value, str):
        encoded = text(value)
        if len(encoded) >= TEXT_SIZE:
            raise ArgumentError(f"{what} is longer than {TEXT_SIZE - 1} bytes")
        out.kind, out.s = STR, encoded
    else:
        try:
            number = operator.index(value)
        except TypeError:
            raise ArgumentError(f"{what} is {given!r} ({type(given).__name__}): neither a "
                                "number, a text nor a boolean") from None
        if not -2**63 <= number < 2**63:
            raise ArgumentError(f"{what} is {number}: more than 64 bits")
        out.kind, out.i = INT, number
    return out


def from_c(value: CValue) -> Value:
    kind = value.kind
    if kind == INT:
        return int(value.i)
    if kind == FLOAT:
        return float(value.d)
    if kind == BOOL:
        return bool(value.b)
    if kind == STR:
        return bytes(value.s).decode(errors="replace")
    return None
