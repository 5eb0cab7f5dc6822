"""Reads the data in a pickle without ever running it.

A pickle is a program. This is a small machine for the harmless part of its language (see the opcode
documentation in the standard library's ``pickletools``): it never imports a module, never calls what the file
names, and knows only the few names in ``_NAMES``, each standing for an inert class of our own.
"""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from models.errors import ModelFileError

MAX_ENCODER_BYTES = 1_000_000
MAX_OPCODES = 2_000_000
_MARK = object()
_PLAIN_DTYPE = re.compile(r"[?biufSU]\d{0,6}")


class InertError(ModelFileError):
    """The pickle holds something other than plain data."""


@dataclass(slots=True)
class _Dtype:
    """Stands for ``numpy.dtype``."""

    code: str
    order: str = "|"

    def set_state(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) >= 2 and _text(state[1]) in "<>|="):
            raise InertError(f"unexpected state of a number type: {state!r:.80}")
        self.order = _text(state[1])

    def real(self) -> np.dtype[Any]:
        if not _PLAIN_DTYPE.fullmatch(self.code):
            raise InertError(f"arrays of type {self.code!r} are not read, only plain numbers and text")
        order = cast(Literal["<", ">", "|", "="], self.order)
        return np.dtype(self.code.replace("?", "b1")).newbyteorder(order)


@dataclass(slots=True)
class _Array:
    """Stands for ``numpy.ndarray``; ``value`` is a real array once the state has come."""

    value: Any = None

    def set_state(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) in (4, 5)):
            raise InertError("unexpected state of an array")
        shape, dtype, fortran, raw = state[-4:]
        self.value = _make_array(raw, dtype, shape, "F" if fortran else "C")


@dataclass(slots=True)
class InertObject:
    """Stands for an instance of a named class: its name and its attributes, and no behaviour."""

    name: str
    state: dict[str, Any] = field(default_factory=dict)

    def set_state(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise InertError(f"{self.name}: its state must be a dictionary")
        self.state.update({_text(key): value for key, value in state.items()})


@dataclass(frozen=True, slots=True)
class _Name:
    """A global the file named and this reader knows."""

    name: str
    make: Callable[..., Any]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise InertError(f"text expected, got {type(value).__name__}")
    return value


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return _text(value).encode("latin-1")


def _make_array(raw: Any, dtype: Any, shape: Any, order: Any) -> Any:
    if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple) or _text(order) not in ("C", "F"):
        raise InertError("unexpected description of an array")
    if any(not isinstance(n, int) or n < 0 for n in shape):
        raise InertError(f"unexpected shape of an array: {shape!r:.80}")
    size = 1
    for n in shape:
        size *= n
    if dtype.code.startswith("O"):
        if not isinstance(raw, list) or len(raw) != size or len(shape) != 1:
            raise InertError("an array of objects must be a flat list of its length")
        return list(raw)
    content, real = _bytes(raw), dtype.real()
    if len(content) != size * real.itemsize:
        raise InertError(f"an array of shape {shape} needs {size * real.itemsize} bytes, got {len(content)}")
    return np.frombuffer(content, real).reshape(shape, order="F" if _text(order) == "F" else "C")


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    return _Array(_make_array(raw, dtype, shape, order))


def _scalar(dtype: Any, raw: Any) -> Any:
    return _make_array(raw, dtype, (1,), "C")[0].item()


def _dtype(code: Any, *_: Any) -> _Dtype:
    return _Dtype(_text(code).lstrip("<>|="))


def _encode(text: Any, encoding: Any) -> bytes:
    if _text(encoding) not in ("latin1", "latin-1"):
        raise InertError(f"bytes are written as latin1, got {encoding!r:.40}")
    return _bytes(text)


def _rebuild(kind: Any, *_: Any) -> Any:
    if not isinstance(kind, _Name):
        raise InertError("only a known class can be rebuilt")
    return kind.make()


def _label_encoder(*_: Any) -> InertObject:
    return InertObject("LabelEncoder")


_NAMES: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("numpy", "ndarray"): _reconstruct,
    ("numpy", "dtype"): _dtype,
    ("sklearn.preprocessing._label", "LabelEncoder"): _label_encoder,
    ("sklearn.preprocessing.label", "LabelEncoder"): _label_encoder,
    ("_codecs", "encode"): _encode,
    ("copy_reg", "_reconstructor"): _rebuild,
    ("copyreg", "_reconstructor"): _rebuild,
    ("__builtin__", "object"): lambda *_: None,
    ("builtins", "object"): lambda *_: None,
    ("__builtin__", "bytearray"): lambda raw=b"", *_: _bytes(raw),
    ("builtins", "bytearray"): lambda raw=b"", *_: _bytes(raw),
}

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_ARGUMENT = frozenset(
    {
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
    }
)
_IGNORED = frozenset({"PROTO", "FRAME"})


class _Machine:
    """The stack and memo of the pickle language, for plain data."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in _ARGUMENT:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name not in _IGNORED:
            action = getattr(self, f"do_{name.lower()}", None)
            if action is None:
                raise InertError(f"the pickle instruction {name} is not read")
            action(argument)

    def _after_mark(self) -> list[Any]:
        place = next((i for i in range(len(self.stack) - 1, -1, -1) if self.stack[i] is _MARK), None)
        if place is None:
            raise InertError("a mark is missing")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def do_mark(self, _: Any) -> None:
        self.stack.append(_MARK)

    def do_pop(self, _: Any) -> None:
        self.stack.pop()

    def do_pop_mark(self, _: Any) -> None:
        self._after_mark()

    def do_empty_list(self, _: Any) -> None:
        self.stack.append([])

    def do_empty_tuple(self, _: Any) -> None:
        self.stack.append(())

    def do_empty_dict(self, _: Any) -> None:
        self.stack.append({})

    def do_list(self, _: Any) -> None:
        self.stack.append(self._after_mark())

    def do_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self._after_mark()))

    def do_dict(self, _: Any) -> None:
        self.stack.append({})
        self._set_items(self._after_mark_below())

    def _after_mark_below(self) -> list[Any]:
        made = self.stack.pop()
        items = self._after_mark()
        self.stack.append(made)
        return items

    def do_tuple1(self, _: Any) -> None:
        self._tuple(1)

    def do_tuple2(self, _: Any) -> None:
        self._tuple(2)

    def do_tuple3(self, _: Any) -> None:
        self._tuple(3)

    def _tuple(self, n: int) -> None:
        items = tuple(self.stack[-n:])
        if len(items) != n or _MARK in items:
            raise InertError("a tuple lacks its items")
        del self.stack[-n:]
        self.stack.append(items)

    def do_append(self, _: Any) -> None:
        item = self.stack.pop()
        self._top(list).append(item)

    def do_appends(self, _: Any) -> None:
        items = self._after_mark()
        self._top(list).extend(items)

    def do_setitem(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key, value])

    def do_setitems(self, _: Any) -> None:
        self._set_items(self._after_mark())

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | bytes):
                raise InertError(f"a key must be text or a whole number, got {type(key).__name__}")
            target[key] = value

    def _top(self, kind: type[Any]) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise InertError(f"a {kind.__name__} was expected, got {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def do_put(self, argument: Any) -> None:
        self.memo[int(argument)] = self.stack[-1]

    do_binput = do_long_binput = do_put

    def do_memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def do_get(self, argument: Any) -> None:
        self.stack.append(self.memo[int(argument)])

    do_binget = do_long_binget = do_get

    def do_global(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self._name(module, name)

    def do_stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self._name(_text(module), _text(name))

    def _name(self, module: str, name: str) -> None:
        make = _NAMES.get((module, name))
        if make is None:
            raise InertError(f"the pickle names {module}.{name}, which is not read")
        self.stack.append(_Name(f"{module}.{name}", make))

    def do_reduce(self, _: Any) -> None:
        arguments, made = self.stack.pop(), self.stack.pop()
        if not isinstance(made, _Name) or not isinstance(arguments, tuple):
            raise InertError("only a known name can be called")
        self.stack.append(made.make(*arguments))

    do_newobj = do_reduce

    def do_build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, _Array | _Dtype | InertObject):
            raise InertError(f"a {type(target).__name__} has no state")
        target.set_state(state)


def inert_loads(content: bytes, *, source: str, max_opcodes: int = MAX_OPCODES) -> Any:
    """The plain data in a pickle: dicts, lists, tuples, text, numbers, arrays, ``InertObject``.

    Raises ``InertError`` naming ``source`` and what it holds beyond plain data.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(content))):
            if count >= max_opcodes:
                raise InertError(f"more than {max_opcodes} instructions")
            if opcode.name == "STOP":
                break
            machine.step(opcode.name, argument)
        if len(machine.stack) != 1 or machine.stack[0] is _MARK:
            raise InertError("it does not end with one value")
        return _settled(machine.stack[0], [max_opcodes], 0)
    except InertError as error:
        raise InertError(f"{source}: {error}") from None
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeError) as error:
        raise InertError(f"{source}: damaged pickle: {error!s:.120}") from None


def inert_load(path: Path, *, max_bytes: int = MAX_ENCODER_BYTES) -> Any:
    """Read a ``.pkl`` file of at most ``max_bytes``. Raises ``InertError``."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InertError(f"{path}: at most {max_bytes} bytes are read, got {size}")
        return inert_loads(path.read_bytes(), source=str(path))
    except OSError as error:
        raise InertError(f"{path}: {error.strerror or error}") from error


def _settled(value: Any, budget: list[int], depth: int) -> Any:
    """Inert stand-ins replaced by their values; a budget, since shared parts can multiply without end."""
    budget[0] -= 1
    if budget[0] < 0 or depth > 20:
        raise InertError("too deep or too many values")
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        return {key: _settled(item, budget, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_settled(item, budget, depth + 1) for item in value)
    if isinstance(value, InertObject):
        return InertObject(value.name, _settled(value.state, budget, depth + 1))
    if isinstance(value, _Name | _Dtype):
        raise InertError("a class is not data")
    return value
