"""Networks are tried in a child: whatever the file does there, this process lives and says why (F39)."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from inference.networks.vetting import Vetting, load_network
from inference.port import ClassifierError
from support.networks.network_copy import TINY, copy_tiny, tiny, with_content
from support.waiting import PATIENCE_S

SEEDED = 250
SOAKED = 5_000


def mutated(content: bytes, seed: int) -> bytes:
    """One of the ways in which a file goes wrong: flipped bytes, a hole, a cut, a swap, a repeat."""
    rng = random.Random(seed)
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(max(1, len(data)))
        match rng.randrange(6):
            case 0 | 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                data[at] = rng.choice((0x00, 0x7F, 0x80, 0xFF))
            case 3:
                data[at : at + rng.randrange(1, 64)] = b"" if len(data) > 256 else b"\0"
            case 4:
                other = rng.randrange(len(data))
                data[at : at + 8], data[other : other + 8] = data[other : other + 8], data[at : at + 8]
            case _:
                data = data[: max(16, at)] if rng.random() < 0.2 else data
    return bytes(data)


def survive_mutations(folder: Path, count: int) -> tuple[int, int]:
    """(refused, loaded) of so many seeded mutations with the right hash; the child may die, this may not."""
    refused = loaded = 0
    with Vetting() as vetting:
        for seed in range(count):
            variant = ("float", "int8")[seed % 2]
            content = (TINY / f"tiny_{variant}.tflite").read_bytes()
            try:
                vetting.check(with_content(folder, variant, mutated(content, seed)), variant)
                loaded += 1
            except ClassifierError:
                refused += 1
    return refused, loaded


def test_a_good_network_passes_and_is_loaded() -> None:
    with Vetting(PATIENCE_S) as vetting:
        for variant in ("float", "int8"):
            vetting.check(tiny(), variant)
    vetted: set[str] = set()
    assert load_network(tiny(), "int8", vetted).model_id.name == "tiny"
    assert vetted == {tiny().files["int8"].sha256}


def test_a_wrong_hash_never_reaches_the_child(tmp_path: Path) -> None:
    manifest = copy_tiny(tmp_path)
    (tmp_path / "tiny_int8.tflite").write_bytes(b"TFL3" * 100)
    vetting = Vetting()
    with pytest.raises(ClassifierError, match="sha256"):
        vetting.check(manifest, "int8")
    assert vetting._child is None


def test_what_the_child_refuses_is_said_here(tmp_path: Path) -> None:
    with (
        Vetting(PATIENCE_S) as vetting,
        pytest.raises(ClassifierError, match="tiny: LiteRT refuses the file"),
    ):
        vetting.check(with_content(tmp_path, "int8", b"TFL3" * 100), "int8")


def test_a_child_that_dies_is_a_refusal_and_the_next_trial_has_a_new_one() -> None:
    with Vetting(PATIENCE_S) as vetting:
        vetting.check(tiny(), "float")
        assert vetting._child is not None
        os.kill(vetting._child.pid, signal.SIGSTOP)
        vetting.ask(tiny(), "float")
        os.kill(vetting._child.pid, signal.SIGSEGV)
        os.kill(vetting._child.pid, signal.SIGCONT)
        with pytest.raises(ClassifierError, match=r"tiny \(float\): the trial .* died of signal 11; not"):
            vetting.answer()
        vetting.check(tiny(), "float")


def test_a_child_that_hangs_is_killed() -> None:
    with Vetting(PATIENCE_S) as vetting:
        vetting.check(tiny(), "float")
        vetting._timeout_s = 0.3
        assert vetting._child is not None
        os.kill(vetting._child.pid, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(ClassifierError, match="did not answer within"):
            vetting.check(tiny(), "float")
        assert time.monotonic() - began < 20, "it hangs for ever"
        vetting._timeout_s = PATIENCE_S
        vetting.check(tiny(), "float")


def test_nothing_is_left_behind() -> None:
    threads = threading.active_count()
    descriptors = psutil.Process().num_fds()
    vetting = Vetting(PATIENCE_S)
    vetting.check(tiny(), "float")
    child = vetting._child
    assert child is not None
    vetting.close()
    vetting.close()
    assert child.poll() is not None
    assert threading.active_count() <= threads
    assert psutil.Process().num_fds() <= descriptors


def test_seeded_mutations_are_refused_or_die_in_the_child(tmp_path: Path) -> None:
    refused, loaded = survive_mutations(tmp_path, SEEDED)
    assert refused + loaded == SEEDED
    # what still loads has passed the golden vectors: bytes that do not matter, such as names
    assert refused > SEEDED / 3


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_five_thousand_seeded_mutations(tmp_path: Path) -> None:
    refused, loaded = survive_mutations(tmp_path, SOAKED)
    assert refused + loaded == SOAKED
    assert refused > SOAKED / 3
