"""Makes what a document says fit the contract: text from outside never keeps the rest of it from being said.

Names of streams, electrodes and files are as long and as strange as somebody made them. They are cut to the
bounds that the document's own type states; numbers are left as they are, for a wrong one is a fault of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect

ROOM = (2000, 200, 50, 12, 3)
"""The most characters that a text may have: with the first every bound holds, with the last any document is
small."""

_DocumentT = TypeVar("_DocumentT", bound=Struct)
_Fit = Callable[[Any, int], Any]


def fitted(document: _DocumentT, room: int = ROOM[0]) -> _DocumentT:
    """The document with every text cut to its bound, and to ``room`` characters, and every list to its own.

    Halves of characters become question marks. The same object where nothing was to be done.
    """
    fit = _of_struct(type(document))
    return document if fit is None else fit(document, room)


@cache
def _of_struct(kind: type[Struct]) -> _Fit | None:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)  # noqa: S101 - what a Struct is
    fits = {field.name: fit for field in found.fields if (fit := _fit_of(field.type)) is not None}
    return (lambda value, room: _struct(value, room, fits)) if fits else None


def _struct(value: Struct, room: int, fits: dict[str, _Fit]) -> Struct:
    changed = {}
    for name, fit in fits.items():
        was = getattr(value, name)
        if (now := fit(was, room)) is not was:
            changed[name] = now
    return msgspec.structs.replace(value, **changed) if changed else value


def _fit_of(kind: inspect.Type) -> _Fit | None:
    """What makes a value of this type fit; None for numbers, times and words of ours."""
    match kind:
        case inspect.Metadata(type=inner):
            return _fit_of(inner)
        case inspect.StrType(pattern=None, max_length=most):
            return lambda value, room: _text(value, min(most or room, room))
        case inspect.ListType(item_type=item, max_length=most):
            return _fit_of_list(_fit_of(item), most)
        case inspect.DictType(key_type=key, value_type=inner):
            return _fit_of_dict(_fit_of(key), _fit_of(inner))
        case inspect.StructType(cls=cls):
            return _of_struct(cls)
        case inspect.UnionType(types=types):
            (fit, *_) = [*(fit for one in types if (fit := _fit_of(one)) is not None), None]
            return None if fit is None else lambda value, room: value if value is None else fit(value, room)
    return None


def _text(value: Any, most: int) -> Any:
    if not isinstance(value, str):  # a fault of ours, which the contract finds
        return value
    if len(value) > most:
        value = value[:most]
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def _fit_of_list(item: _Fit | None, most: int | None) -> _Fit:
    def fit(values: list[Any], room: int) -> list[Any]:
        kept = values[:most]
        kept = kept if item is None else [item(value, room) for value in kept]
        same = len(kept) == len(values) and all(a is b for a, b in zip(kept, values, strict=True))
        return values if same else kept

    return fit


def _fit_of_dict(key: _Fit | None, inner: _Fit | None) -> _Fit | None:
    if key is None and inner is None:
        return None

    def fit(values: dict[Any, Any], room: int) -> dict[Any, Any]:
        kept = {
            key(name, room) if key else name: inner(value, room) if inner else value
            for name, value in values.items()
        }
        return values if kept == values else kept

    return fit
