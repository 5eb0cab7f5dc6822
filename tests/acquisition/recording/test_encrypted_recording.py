"""Recordings under a key: the same session comes back with it, and without it nothing does."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acquisition.export import export_session
from acquisition.port import UnknownSourceError
from acquisition.readers.opening import open_recording
from acquisition.recording.encryption import line_opener, line_sealer
from acquisition.recording.recording_key import KEY_FILE, RecordingKeyError, key_path, made_key, read_key
from acquisition.recording.recovery import recover, recover_all
from acquisition.recording.session_file import is_session, read_head, read_session
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.recording.xdf_format import MAGIC
from acquisition.signal import EegChunk
from support.recordings.session_making import BEGAN, CHANNELS, SETTINGS, record, session_items
from support.waiting import wait_until

CHUNKS = 64


def made(folder: Path, name: str = "a", *, closed: bool = True, encrypted: bool = True) -> Path:
    """A recording in ``folder/recordings``, with its key in ``folder``; unfinished if not ``closed``."""
    path = folder / "recordings" / f"{name}.xdf"
    key = made_key(folder / KEY_FILE) if encrypted else None
    recorder = SessionRecorder(path, BEGAN, SETTINGS, on_news=lambda _: None, key=key)
    record(recorder, session_items(CHUNKS))
    if closed:
        recorder.close()
        return path
    part = path.with_name(path.name + ".part")
    wait_until(lambda: _samples(_copied(part)) > 0, "some of it is on the disk")
    copy = _copied(part)
    recorder.close()
    path.unlink()
    copy.rename(part)
    return part


def _copied(part: Path) -> Path:
    return Path(shutil.copy(part, part.with_name("copy.xdf")))


def _chunks(path: Path) -> list[EegChunk]:
    return [item for item in read_session(path) if isinstance(item, EegChunk)]


def _samples(path: Path) -> int:
    return sum(chunk.samples_uv.shape[1] for chunk in _chunks(path))


def test_with_the_key_the_same_session_comes_back(tmp_path: Path) -> None:
    plain, sealed = made(tmp_path, "plain", encrypted=False), made(tmp_path)
    assert is_session(sealed)
    assert read_head(sealed) == read_head(plain)
    for found, wanted in zip(_chunks(sealed), _chunks(plain), strict=True):
        assert found.samples_uv.tobytes() == wanted.samples_uv.tobytes()
        assert found.times_s.tobytes() == wanted.times_s.tobytes()
    assert np.array_equal(open_recording(sealed).samples_uv, open_recording(plain).samples_uv, equal_nan=True)
    tables = [export_session(path, tmp_path / f"{path.stem}.csv").read_bytes() for path in (plain, sealed)]
    assert tables[0] == tables[1]


def test_nothing_of_it_is_readable_on_the_disk(tmp_path: Path) -> None:
    plain, sealed = made(tmp_path, "plain", encrypted=False).read_bytes(), made(tmp_path)
    data = sealed.read_bytes()
    assert sealed.stat().st_mode & 0o777 == 0o600
    for words in (b"neuroplayer", b"<name>EEG</name>", BEGAN.encode(), b'{"seq": 7}'):
        assert words in plain
        assert words not in data
    stretches = {plain[at : at + 8] for at in range(0, len(plain) - 8, 8)} - {bytes(8)}
    assert not [one for one in stretches if one in data], "not eight bytes in a row"
    made_again = made(tmp_path, "b").read_bytes()
    assert made_again[40:80] != data[40:80], "the same session looks otherwise each time"


def test_others_open_it_by_the_published_form(tmp_path: Path) -> None:
    """Without this product: HKDF and AES-GCM as the record of the decision says."""
    data = made(tmp_path).read_bytes()
    secret = bytes.fromhex((tmp_path / KEY_FILE).read_text())
    head, at = data[:32], 32
    cipher = AESGCM(HKDF(SHA256(), 32, head, b"neuroplayer recording").derive(secret))
    size = int.from_bytes(data[at + 12 : at + 16], "little")
    body = data[at + 16 : at + 16 + size]
    assert cipher.decrypt(body[:12], body[12:], head + data[at : at + 16]).startswith(MAGIC)


def test_an_unfinished_file_is_mended_with_its_key_and_left_alone_without(tmp_path: Path) -> None:
    part = made(tmp_path, closed=False)
    whole = _samples(_copied(part))
    with part.open("ab") as file:
        file.write(b"NPr\x01" + bytes(20))  # what a power cut leaves of a record
    key = tmp_path / KEY_FILE
    key.rename(tmp_path / "elsewhere")
    before = part.read_bytes()
    [left] = recover_all(part.parent)
    assert left.path is None
    assert "recording.key is not there" in left.why
    assert part.read_bytes() == before
    (tmp_path / "elsewhere").rename(key)
    done = recover(part)
    assert (done.path, done.lost_bytes) == (part.with_name("a.xdf"), 24)
    assert _samples(part.with_name("a.xdf")) == whole
    assert open_recording(part.with_name("a.xdf")).samples_uv.shape[0] == len(CHANNELS)


def test_deleting_the_key_forgets_also_where_a_new_one_is_made(tmp_path: Path) -> None:
    path = made(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    for open_it in (read_head, _chunks, open_recording, lambda p: export_session(p, tmp_path / "x.csv")):
        with pytest.raises(UnknownSourceError, match=r"a\.xdf: is encrypted, and the key .* is not there"):
            open_it(path)
    assert made(tmp_path, "later").is_file()
    with pytest.raises(UnknownSourceError, match="is another one than it was encrypted with"):
        read_head(path)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_may_read_is_refused_in_one_line(tmp_path: Path, mode: int) -> None:
    path = made(tmp_path)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(RecordingKeyError, match=rf"can be read by others \(mode {mode:04o}\): chmod 600 it"):
        read_head(path)
    with pytest.raises(RecordingKeyError, match="chmod 600"):
        made_key(tmp_path / KEY_FILE)


@pytest.mark.parametrize("content", [b"", b"abc", b"g" * 64, b"a" * 65, bytes(32), b"A" * 64])
def test_a_key_that_is_none_is_refused_without_what_it_holds(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RecordingKeyError, match=f"must hold 64 digits 0-9a-f, got {len(content)} bytes"):
        read_key(path)


def test_a_key_may_be_a_link_to_another_medium_and_a_pipe_may_not(tmp_path: Path) -> None:
    path = made(tmp_path)
    (tmp_path / KEY_FILE).rename(tmp_path / "stick.key")
    (tmp_path / KEY_FILE).symlink_to(tmp_path / "stick.key")
    assert _samples(path) > 0
    (tmp_path / "stick.key").unlink()
    with pytest.raises(RecordingKeyError, match="is not there"):
        made_key(tmp_path / KEY_FILE)
    (tmp_path / KEY_FILE).unlink()
    os.mkfifo(tmp_path / KEY_FILE, 0o600)
    with pytest.raises(RecordingKeyError, match="must be a regular file"):
        read_head(path)


def test_a_key_beside_a_copied_recording_opens_it(tmp_path: Path) -> None:
    path = made(tmp_path / "home")
    lab = tmp_path / "lab"
    lab.mkdir()
    copy = Path(shutil.copy(path, lab))
    shutil.copy(tmp_path / "home" / KEY_FILE, lab)
    assert key_path(copy) == lab / KEY_FILE
    assert _samples(copy) == _samples(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), flip=st.integers(1, 255))
def test_a_changed_byte_is_never_taken_for_data(
    tmp_path_factory: pytest.TempPathFactory, at: float, flip: int
) -> None:
    whole = _once(tmp_path_factory)
    data = bytearray(whole.read_bytes())
    data[int(at * (len(data) - 1))] ^= flip
    changed = whole.with_name("changed.xdf")
    changed.write_bytes(data)
    wanted = {chunk.samples_uv.tobytes() for chunk in _chunks(whole)}
    try:
        found = {chunk.samples_uv.tobytes() for chunk in _chunks(changed)}
    except UnknownSourceError:
        return
    assert found < wanted or found == wanted


_MADE: list[Path] = []


def _once(factory: pytest.TempPathFactory) -> Path:
    if not _MADE or not _MADE[0].exists():
        _MADE[:] = [made(factory.mktemp("sealed"))]
    return _MADE[0]


def test_records_that_are_left_out_or_exchanged_are_noticed(tmp_path: Path) -> None:
    path = made(tmp_path)
    data = path.read_bytes()
    places = [at for at in range(32, len(data)) if data[at : at + 4] == b"NPr\x01"]
    first, second = data[places[0] : places[1]], data[places[1] : places[2] if len(places) > 2 else None]
    path.write_bytes(data[:32] + second + first)
    with pytest.raises(UnknownSourceError):
        read_head(path)


def test_lines_beside_a_recording_open_with_the_same_key_only(tmp_path: Path) -> None:
    key = made_key(tmp_path / KEY_FILE)
    path = tmp_path / "recordings" / "a.decisions.jsonl"
    path.parent.mkdir()
    line = line_sealer(key, path.name)('{"call": "hear"}')
    assert "hear" not in line
    assert line_opener(path)(line + "\n") == '{"call": "hear"}'
    assert line_opener(path)('{"call": "old"}') == '{"call": "old"}', "what was not encrypted stays"
    with pytest.raises(RecordingKeyError, match="a line was changed"):
        line_opener(path.with_name("b.decisions.jsonl"))(line)
