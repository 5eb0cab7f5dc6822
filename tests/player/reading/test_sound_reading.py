"""What decodes is played: an end, a change or a tag of strangers never costs a whole track."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from player.reading.av_reader import AudioReader
from player.reading.sound_opening import open_sound
from player.reading.sound_reader import READ_RATE_HZ, CodecMissingError, UnreadableAudioError, blocks
from support.sounds.broken_sounds import ID3V1, junk, of_unknown_codec, sound, with_latin1_title

FIELD = Path(__file__).resolve().parents[3] / ".." / "shared" / "field"
SECONDS = 2.0
ENDS = {
    "nothing": b"",
    "an ID3v1 tag": ID3V1,
    "an APE tag": b"APETAGEX" + bytes(24),
    "zeros": bytes(100_000),
    "junk": junk(70_000),
}


def decoded(content: bytes) -> np.ndarray:
    with open_sound(io.BytesIO(content)) as reader:
        return np.concatenate([np.zeros((0, 2), np.float32), *reader.parts(12_000)])


def seconds_of(content: bytes) -> float:
    return len(decoded(content)) / READ_RATE_HZ


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", ["wv", "ogg", "opus", "aac", "ac3", "mp3", "tta", "flac", "wav"])
def test_what_follows_the_last_sound_costs_nothing_of_it(tmp_path: Path, kind: str, end: str) -> None:
    rate_hz = 48_000 if kind == "opus" else 44_100
    whole = sound(tmp_path, kind, SECONDS, rate_hz)
    # FFmpeg finds a frame or two in junk, too
    assert seconds_of(whole + ENDS[end]) == pytest.approx(seconds_of(whole), abs=0.09)


@pytest.mark.parametrize("kind", ["wv", "ogg", "aac", "mp3", "flac"])
def test_a_file_that_is_cut_short_plays_what_it_has(tmp_path: Path, kind: str) -> None:
    whole = sound(tmp_path, kind, 8.0)
    assert seconds_of(whole[: len(whole) * 3 // 4]) > 2.0


CHANGES = {
    "channels, mp3": ("mp3", (44_100, 1), (44_100, 2)),
    "rate, mp3": ("mp3", (44_100, 2), (48_000, 2)),
    "channels, aac": ("aac", (44_100, 2), (44_100, 1)),
    "channels, chained Vorbis": ("ogg", (44_100, 1), (44_100, 2)),
    "rate, chained Vorbis": ("ogg", (44_100, 2), (48_000, 2)),
    "nothing, chained Vorbis": ("ogg", (44_100, 2), (44_100, 2)),
    "channels, chained Opus": ("opus", (48_000, 2), (48_000, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_midway_is_resampled(tmp_path: Path, change: str) -> None:
    kind, *setups = CHANGES[change]
    halves = [sound(tmp_path, kind, SECONDS, rate_hz, channels) for rate_hz, channels in setups]
    both = decoded(b"".join(halves))
    assert len(both) / READ_RATE_HZ == pytest.approx(sum(map(seconds_of, halves)), abs=0.1)
    for half in (both[: len(both) // 2], both[len(both) // 2 :]):
        level_db = 20 * np.log10(np.sqrt(np.mean(half[4800:-4800] ** 2)))
        assert level_db == pytest.approx(-17, abs=0.5)


def test_a_chain_of_different_codecs_is_played_whole(tmp_path: Path) -> None:
    chain = (
        sound(tmp_path, "ogg") + sound(tmp_path, "opus", rate_hz=48_000) + sound(tmp_path, "ogg", channels=1)
    )
    assert seconds_of(chain) == pytest.approx(6.0, abs=0.1)


def test_a_chain_can_begin_in_its_second_link(tmp_path: Path) -> None:
    chain = sound(tmp_path, "ogg", channels=1) + sound(tmp_path, "ogg")
    with open_sound(io.BytesIO(chain)) as reader:
        assert reader.facts().duration_s == 0, "what the header says is of one link only"
        reader.start_at(3.0)
        assert sum(map(len, reader.parts(12_000))) / READ_RATE_HZ == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("kind", ["wav", "wv", "ogg", "flac"])
def test_an_id3_tag_before_any_format_is_passed_over(tmp_path: Path, kind: str) -> None:
    tag = b"ID3\x03\0\0\0\0\x08\0" + bytes(1024)
    assert seconds_of(tag + sound(tmp_path, kind)) == pytest.approx(SECONDS, abs=0.05)


@pytest.mark.parametrize("kind", ["ogg", "wav"])
def test_more_channels_than_anybody_has_names_for_are_folded(tmp_path: Path, kind: str) -> None:
    many = decoded(sound(tmp_path, kind, channels=9))
    assert len(many) == pytest.approx(SECONDS * READ_RATE_HZ, abs=50)
    assert 20 * np.log10(np.sqrt(np.mean(many[4800:-4800] ** 2))) == pytest.approx(
        -17, abs=1 if kind == "wav" else 8
    )


def test_an_ogg_that_ffmpeg_refuses_is_decoded_by_the_other_decoder(tmp_path: Path) -> None:
    whole = sound(tmp_path, "ogg", 20.0)
    holed = whole[: len(whole) // 4] + bytes(100_000) + whole[len(whole) // 4 :]
    no_end = holed[: len(whole) // 4 + 50_000]
    for content in (holed, no_end):
        assert seconds_of(content) > 1.0
    with pytest.raises(UnreadableAudioError):
        decoded(b"OggS" + junk(50_000))


def test_noise_is_no_music_to_any_decoder() -> None:
    for head in (b"", b"ID3", b"\xff\xfb", b"RIFF", b"fLaC"):
        with contextlib.suppress(UnreadableAudioError):
            assert len(decoded(head + junk(100_000))) < READ_RATE_HZ


def test_a_codec_that_nothing_decodes_is_named(tmp_path: Path) -> None:
    content = of_unknown_codec(sound(tmp_path, "wav"))
    with pytest.raises(CodecMissingError, match="WAV format 0x1234"):
        open_sound(io.BytesIO(content))


def test_tags_of_another_encoding_become_text_that_can_be_stored(tmp_path: Path) -> None:
    with AudioReader(io.BytesIO(with_latin1_title(sound(tmp_path, "wav")))) as reader:
        title = reader.facts().tags["title"]
    assert title.encode() == "B�C".encode()


def test_blocks_stay_even_over_a_change(tmp_path: Path) -> None:
    content = sound(tmp_path, "mp3", channels=1) + sound(tmp_path, "mp3", rate_hz=48_000)
    with open_sound(io.BytesIO(content)) as reader:
        lengths = [block.shape[1] for block in blocks(reader, 0.5)]
    assert set(lengths[:-1]) == {READ_RATE_HZ // 2}


def test_a_disk_that_fails_is_not_the_files_fault(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 100_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with (
        pytest.raises(OSError, match="Input/output error"),
        open_sound(Failing(sound(tmp_path, "wav", 5.0))) as reader,
    ):
        list(reader.parts(12_000))


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("wavpack_with_id3v1.wv", 1.0),
        ("zeros_at_the_end.ogg", 4.0),
        ("mono_then_stereo.mp3", 8.1),
        ("chained_mono_then_stereo.ogg", 8.0),
    ],
)
def test_files_from_the_field_are_played_as_long_as_ffmpeg_plays_them(name: str, seconds: float) -> None:
    path = FIELD / name
    if not path.is_file():
        pytest.skip(f"the file is not here: {path.name}")
    ours = seconds_of(path.read_bytes())
    assert ours == pytest.approx(seconds, abs=0.05)
    if shutil.which("ffmpeg") is not None:
        command = ["ffmpeg", "-v", "quiet", "-i", str(path), "-f", "f32le", "-ac", "2", "-ar", "48000", "-"]
        theirs = subprocess.run(command, capture_output=True, check=False).stdout
        assert ours == pytest.approx(len(theirs) / 8 / READ_RATE_HZ, abs=0.05)


COLLECTED = """
import gc, io, sys
from player.reading.miniaudio_reader import MiniaudioReader
with MiniaudioReader(io.BytesIO(open(sys.argv[1], "rb").read())) as reader:
    gc.collect()
    print(sum(len(part) for part in reader.parts(12_000)))
"""


def test_miniaudio_reads_on_when_garbage_is_collected_before_the_first_part(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(sound(tmp_path, "wav", SECONDS, READ_RATE_HZ))
    # a process of its own: what was collected ends it with SIGABRT
    done = subprocess.run(
        [sys.executable, "-c", COLLECTED, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-800:]
    assert int(done.stdout) == pytest.approx(SECONDS * READ_RATE_HZ, abs=1200)
