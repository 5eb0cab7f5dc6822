"""Reads the data in a pickle without running what it names.

This is the restricted ``pickle.Unpickler`` of the standard library's documentation: ``find_class`` imports
nothing and gives an inert stand-in of our own for each of the few names in ``_NAMES``. Stand-ins refuse every
state but their own, so that a pickle cannot write to them either. Files are read by a child process first,
under limits of processor time and memory; what comes out of it whole is read here in the same way.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

import numpy as np

from models.errors import ModelFileError
from models.files.child import ChildError, run_child

MAX_ENCODER_BYTES = 1_000_000
MAX_OPCODES = 2_000_000
MAX_DEPTH = 20
CPU_S = 20
MEMORY_BYTES = 4 << 30
_PLAIN_DTYPE = re.compile(r"[?biufSU]\d{0,6}")
_PLAIN = (type(None), bool, int, float, str, bytes)
_NOT_READ = frozenset(
    {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "INST", "NEXT_BUFFER", "READONLY_BUFFER"}
)
"""Instructions that reach for something outside the file."""
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})


class InertError(ModelFileError):
    """The pickle holds something other than plain data."""


class _Dtype:
    """Stands for ``numpy.dtype``."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = _text(code).lstrip("<>|="), "|"

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) >= 2 and _text(state[1]) in "<>|="):
            raise InertError(f"unexpected state of a number type: {state!r:.80}")
        self.order = _text(state[1])

    def real(self) -> np.dtype[Any]:
        if not _PLAIN_DTYPE.fullmatch(self.code):
            raise InertError(f"arrays of type {self.code!r} are not read, only plain numbers and text")
        order = cast(Literal["<", ">", "|", "="], self.order)
        return np.dtype(self.code.replace("?", "b1")).newbyteorder(order)


class _Array:
    """Stands for ``numpy.ndarray``; ``value`` is a real array once the state has come."""

    value: Any = None

    def __init__(self, *_: Any) -> None:
        """What an array is made of comes as its state."""

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) in (4, 5)):
            raise InertError("unexpected state of an array")
        shape, dtype, fortran, raw = state[-4:]
        self.value = _make_array(raw, dtype, shape, "F" if fortran else "C")


class InertObject:
    """Stands for an instance of a named class: its name and its attributes, and no behaviour."""

    state: dict[str, Any]

    def __new__(cls, *_: Any) -> InertObject:
        made = super().__new__(cls)
        made.state = {}
        return made

    @property
    def name(self) -> str:
        return type(self).__name__

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise InertError(f"{self.name}: its state must be a dictionary")
        self.state.update({_text(key): value for key, value in state.items()})


class LabelEncoder(InertObject):
    """Stands for scikit-learn's."""


class _Function:
    """Stands for a function of that name."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> NoReturn:
        raise InertError("a function has no state")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise InertError(f"text expected, got {type(value).__name__}")
    return value


def _bytes(value: Any = b"") -> bytes:
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


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    made = _Array()
    made.value = _make_array(raw, dtype, shape, order)
    return made


def _encode(text: Any, encoding: Any) -> bytes:
    if _text(encoding) not in ("latin1", "latin-1"):
        raise InertError(f"bytes are written as latin1, got {encoding!r:.40}")
    return _bytes(text)


def _rebuild(kind: Any, *_: Any) -> InertObject:
    if not (isinstance(kind, type) and issubclass(kind, InertObject)):
        raise InertError("only a known class can be rebuilt")
    return kind()


_SCALAR = _Function(lambda dtype, raw: _make_array(raw, dtype, (1,), "C")[0].item())
_NAMES: Mapping[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): _SCALAR,
    ("numpy._core.multiarray", "scalar"): _SCALAR,
    ("numpy.core.numeric", "_frombuffer"): _Function(_from_buffer),
    ("numpy._core.numeric", "_frombuffer"): _Function(_from_buffer),
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("sklearn.preprocessing._label", "LabelEncoder"): LabelEncoder,
    ("sklearn.preprocessing.label", "LabelEncoder"): LabelEncoder,
    ("_codecs", "encode"): _Function(_encode),
    ("copy_reg", "_reconstructor"): _Function(_rebuild),
    ("copyreg", "_reconstructor"): _Function(_rebuild),
    ("__builtin__", "object"): _Function(lambda *_: None),
    ("builtins", "object"): _Function(lambda *_: None),
    ("__builtin__", "bytearray"): _Function(_bytes),
    ("builtins", "bytearray"): _Function(_bytes),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        found = _NAMES.get((module_name, global_name))
        if found is None:
            raise InertError(f"the pickle names {module_name}.{global_name}, which is not read")
        return found


def inert_loads(content: bytes, *, source: str, max_opcodes: int = MAX_OPCODES) -> Any:
    """The plain data in a pickle: dicts, lists, tuples, text, numbers, arrays, ``InertObject``.

    Raises ``InertError`` naming ``source`` and what it holds beyond plain data.
    """
    try:
        end = _end_of(content, max_opcodes)
        # as a tuple of all it leaves: the machine itself would give the last value and not tell of others
        whole = io.BytesIO(b"(" + content[:end] + pickle.TUPLE + pickle.STOP)
        found = _Unpickler(whole, encoding="latin-1").load()
        if not isinstance(found, tuple) or len(found) != 1:
            raise InertError("it does not end with one value")
        return _settled(found[0], [max_opcodes], 0)
    except InertError as error:
        raise InertError(f"{source}: {error}") from None
    except Exception as error:
        raise InertError(f"{source}: damaged pickle: {error!s:.120}") from error


def inert_load(path: Path, *, max_bytes: int = MAX_ENCODER_BYTES) -> Any:
    """Read a ``.pkl`` file of at most ``max_bytes``, in a limited child first. Raises ``InertError``."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InertError(f"{path}: at most {max_bytes} bytes are read, got {size}")
        complaint = run_child(
            "models.files.inert_pickle",
            [str(path)],
            timeout_s=6 * CPU_S,
            cpu_s=CPU_S,
            memory_bytes=MEMORY_BYTES,
        )
        if complaint:
            raise InertError(complaint.decode("utf-8", "replace"))
        return inert_loads(path.read_bytes(), source=str(path))
    except ChildError as error:
        raise InertError(f"{path}: damaged pickle, reading it {error}") from None
    except OSError as error:
        raise InertError(f"{path}: {error.strerror or error}") from error


def _end_of(content: bytes, max_opcodes: int) -> int:
    """Where the pickle stops, after a look at its instructions: how many there are and which, and that no
    place of the memo is asked for that lies beyond them (the machine would make room up to it).
    """
    for count, (opcode, argument, place) in enumerate(pickletools.genops(content)):
        if count >= max_opcodes:
            raise InertError(f"more than {max_opcodes} instructions")
        if opcode.name in _NOT_READ:
            raise InertError(f"the pickle instruction {opcode.name} is not read")
        if opcode.name in _PUTS and int(cast(int, argument)) > count:
            raise InertError(f"place {argument} of the memo is beyond the instructions before it")
        if opcode.name == "STOP":
            return cast(int, place)
    raise InertError("it does not end with one value")


def _settled(value: Any, budget: list[int], depth: int) -> Any:
    """Stand-ins replaced by their values; a budget, since shared parts can multiply without end."""
    budget[0] -= 1
    if budget[0] < 0 or depth > MAX_DEPTH:
        raise InertError("too deep or too many values")
    if isinstance(value, _Array):
        return _settled(value.value, budget, depth + 1) if isinstance(value.value, list) else value.value
    if isinstance(value, dict):
        strange = next((key for key in value if not isinstance(key, str | int | bytes)), None)
        if strange is not None:
            raise InertError(f"a key must be text or a whole number, got {type(strange).__name__}")
        return {key: _settled(item, budget, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_settled(item, budget, depth + 1) for item in value)
    if isinstance(value, InertObject):
        value.state = _settled(value.state, budget, depth + 1)
        return value
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, type | _Function | _Dtype):
        raise InertError("a class is not data")
    if not isinstance(value, _PLAIN):
        raise InertError(f"a {type(value).__name__} is not read")
    return value


def main(arguments: Sequence[str]) -> None:
    """Read the file named and write what is wrong with it, if anything, to standard output."""
    path = Path(arguments[0])
    try:
        inert_loads(path.read_bytes(), source=str(path))
    except InertError as error:
        sys.stdout.write(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
