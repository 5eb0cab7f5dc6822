"""Pickles are read as data: what is harmless is read, and nothing else has any effect (F40)."""

from __future__ import annotations

import codecs
import pickle
import pickletools
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.files import inert_pickle
from models.files.inert_pickle import InertError, InertObject, LabelEncoder, inert_load, inert_loads

PLAIN = {
    "loss": [0.5, 0.25],
    "epochs": 2,
    "name": "räume",
    "none": None,
    "flags": (True, False, -(2**70)),
    "raw": b"\x00\xff",
    "nested": [{"a": (1,)}, [], {}, (1, 2, 3, 4)],
}
TARGET = "import pathlib; pathlib.Path({marker!r}).touch()"


class _Calls:
    """Pickles as a call of ``function(*arguments)``, as an attack does."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._reduced = (function, arguments)

    def __reduce__(self) -> Any:
        return self._reduced


def _gadget(module: str, name: str, argument: str) -> bytes:
    """A hand-written ``module.name(argument)``, whether or not the module is there."""
    return f"c{module}\n{name}\n(V{argument}\ntR.".encode()


GADGETS = [
    ("os", "system"),
    ("posix", "system"),
    ("nt", "system"),
    ("subprocess", "Popen"),
    ("subprocess", "check_output"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("__builtin__", "eval"),
    ("builtins", "__import__"),
    ("builtins", "getattr"),
    ("builtins", "open"),
    ("builtins", "compile"),
    ("importlib", "import_module"),
    ("runpy", "run_path"),
    ("pickle", "loads"),
    ("marshal", "loads"),
    ("types", "FunctionType"),
    ("types", "CodeType"),
    ("operator", "attrgetter"),
    ("functools", "partial"),
    ("numpy.testing._private.utils", "runstring"),
    ("numpy.f2py.crackfortran", "myeval"),
    ("numpy", "load"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("sklearn.utils._testing", "set_random_state"),
    ("torch.serialization", "load"),
    ("codecs", "open"),
    ("_codecs", "decode"),
    ("shutil", "rmtree"),
    ("socket", "create_connection"),
    ("webbrowser", "open"),
    ("pty", "spawn"),
    ("asyncio", "run"),
    ("timeit", "timeit"),
    ("code", "interact"),
    ("bdb", "Bdb"),
    ("sklearn.preprocessing._label.os", "system"),
    ("numpy.core.multiarray", "_reconstruct.__globals__"),
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_comes_back_the_same(protocol: int) -> None:
    assert inert_loads(pickle.dumps(PLAIN, protocol), source="x") == PLAIN


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
        np.array(["happy", "sad"]),
        np.array([1.5, 2.5], dtype=">f4"),
        np.array([True, False]),
    ],
    ids=["float", "fortran", "text", "big-endian", "bool"],
)
def test_arrays_come_back_the_same(array: np.ndarray[Any, Any], protocol: int) -> None:
    read = inert_loads(pickle.dumps({"x": array, "one": array.ravel()[0]}, protocol), source="x")
    np.testing.assert_array_equal(read["x"], array)
    assert read["x"].dtype == array.dtype
    assert read["one"] == array.ravel()[0]


def test_an_array_written_by_python_2_is_read() -> None:
    content = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00"
        b"\x85U\x01b\x87Rq\x05(K\x01K\x02\x85cnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq\x07(K\x03U\x01<NNNJ"
        b"\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10" + np.array([1.5, -2.0]).tobytes() + b"tbu."
    )
    np.testing.assert_array_equal(inert_loads(content, source="x")["data"], [1.5, -2.0])


def test_a_label_encoder_is_only_its_attributes() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="needs the train extra")
    encoder = preprocessing.LabelEncoder().fit(["sad", "happy", "neutral"])
    read = inert_loads(pickle.dumps(encoder), source="x")
    assert isinstance(read, InertObject)
    assert read.state["classes_"].tolist() == ["happy", "neutral", "sad"]


@pytest.mark.parametrize(("module", "name"), GADGETS, ids=lambda text: text)
def test_gadgets_are_refused_by_name(module: str, name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    content = _gadget(module, name, TARGET.format(marker=str(marker)))
    codecs.lookup("raw-unicode-escape")  # Python's own, for the text of this protocol
    before = set(sys.modules)
    with pytest.raises(InertError, match=r"which is not read|damaged|not read"):
        inert_loads(content, source="evil_encoder.pkl")
    stack = (
        b"\x80\x04"
        + b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name))
        + b"\x93)R."
    )
    with pytest.raises(InertError, match=f"evil.*names {module}.{name}"):
        inert_loads(stack, source="evil_encoder.pkl")
    assert not marker.exists()
    assert set(sys.modules) <= before


def test_the_refusal_is_not_because_the_gadget_is_broken(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    content = pickle.dumps(_Calls(exec, TARGET.format(marker=str(marker))))
    run = f"import pickle; pickle.loads({content!r})"
    subprocess.run([sys.executable, "-c", run], check=True)
    assert marker.exists()
    marker.unlink()
    with pytest.raises(InertError, match=r"names builtins.exec"):
        inert_loads(content, source="x")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "damaged|end"),
        (b".", "damaged|one value"),
        (b"(.", "one value"),
        (b"I1\nI2\n.", "one value"),
        (b"\x80\x04\x82\x01.", "EXT1 is not read"),
        (b"Pid\n.", "PERSID is not read"),
        (b"(ios\nsystem\n.", "INST is not read"),
        (b"(cos\nsystem\no.", "which is not read"),
        (b"cnumpy\nndarray\n.", "a class is not data"),
        (b"]\x94(h\x00e.", "too deep"),
        (b"g5\n.", "damaged"),
        (b"}(I1\nu.", "damaged"),
        (b"X\xff\xff\xff\x7f.", "damaged"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_damaged_or_strange_pickles_get_one_error(content: bytes, says: str) -> None:
    with pytest.raises(InertError, match=f"strange.pkl: .*({says})"):
        inert_loads(content, source="strange.pkl")


def test_bombs_are_bounded(tmp_path: Path) -> None:
    laughs = b"(]\x940" + b"".join(
        b"](" + b"h" + bytes([n]) + b"h" + bytes([n]) + b"e\x940" for n in range(60)
    )
    doubling = laughs + b"h" + bytes([60]) + b"]l."
    for content in (doubling, b"N" * 300 + b"."):
        with pytest.raises(InertError):
            inert_loads(content, source="x", max_opcodes=250)
    huge = pickle.dumps(np.zeros(3)).replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85")
    with pytest.raises(InertError, match="needs 17179869176 bytes"):
        inert_loads(huge, source="x")
    large = tmp_path / "large_encoder.pkl"
    large.write_bytes(b"N" * 2000)
    with pytest.raises(InertError, match="at most 1000 bytes are read, got 2000"):
        inert_load(large, max_bytes=1000)
    with pytest.raises(InertError, match="No such file"):
        inert_load(tmp_path / "none.pkl")


STAND_INS = [
    b"cnumpy\nndarray\n",
    b"cnumpy\ndtype\n",
    b"c_codecs\nencode\n",
    b"csklearn.preprocessing._label\nLabelEncoder\n",
    b"csklearn.preprocessing._label\nLabelEncoder\n)R",
    b"cnumpy\ndtype\n(Vf8\ntR",
    b"]",
    b"Vtext\n",
]


@pytest.mark.parametrize("made", STAND_INS, ids=repr)
@pytest.mark.parametrize("state", [b"N}Vclasses_\nK\x01s\x86", b"}Vclasses_\nK\x01s", b"}V__setstate__\nNs"])
def test_no_stand_in_can_be_written_to(made: bytes, state: bytes) -> None:
    kept = {kind: dict(vars(kind)) for kind in (InertObject, LabelEncoder)}
    encoder = b"csklearn.preprocessing._label\nLabelEncoder\n)R"
    try:
        read = inert_loads(made + state + b"b.", source="x")
    except InertError:
        pass
    else:
        assert made == encoder
        assert set(read.state) <= {"classes_", "__setstate__"}
    assert {kind: dict(vars(kind)) for kind in (InertObject, LabelEncoder)} == kept
    assert inert_loads(encoder + b"}Vclasses_\n]sb.", source="x").state == {"classes_": []}


def test_what_a_set_or_a_far_place_of_the_memo_gets() -> None:
    with pytest.raises(InertError, match="a set is not read"):
        inert_loads(pickle.dumps({1, 2}, 4), source="x")
    with pytest.raises(InertError, match="place 4294967295 of the memo"):
        inert_loads(b"Nr\xff\xff\xff\xff.", source="x")


def test_a_file_is_read_by_a_limited_child_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "odd_encoder.pkl"
    path.write_bytes(pickle.dumps(_Calls(exec, "1")))
    with pytest.raises(InertError, match=r"odd_encoder.pkl: the pickle names builtins.exec") as refused:
        inert_load(path)
    assert str(refused.value).count("odd_encoder.pkl") == 1
    path.write_bytes(pickle.dumps({"x": np.arange(3)}))
    assert inert_load(path)["x"].tolist() == [0, 1, 2]
    monkeypatch.setattr(inert_pickle, "MEMORY_BYTES", 1 << 20)
    with pytest.raises(InertError, match=r"odd_encoder.pkl: damaged pickle, reading it"):
        inert_load(path)


def test_objects_arrays_that_hide_code_are_refused() -> None:
    hidden = np.array([_Calls(exec, "1")], dtype=object)
    with pytest.raises(InertError, match=r"names builtins.exec"):
        inert_loads(pickle.dumps(hidden), source="x")
    structured = np.zeros(2, dtype=[("a", "f4")])
    with pytest.raises(InertError, match="not read"):
        inert_loads(pickle.dumps(structured), source="x")


def test_mutations_of_a_true_encoder_never_import_and_never_escape() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="needs the train extra")
    true = pickle.dumps(preprocessing.LabelEncoder().fit(["a", "b", "c"]), protocol=4)
    rng, before = random.Random(7), set(sys.modules)
    opcodes = [ord(op.code) for op in pickletools.opcodes]
    refused = 0
    for _ in range(4000):
        content = bytearray(true)
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.choice(opcodes + list(range(256)))
        try:
            inert_loads(bytes(content[: rng.randint(1, len(content))]), source="x")
        except InertError:
            refused += 1
    assert refused > 3000
    assert set(sys.modules) <= before
