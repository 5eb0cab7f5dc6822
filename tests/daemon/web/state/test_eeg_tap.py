"""The engine's EEG to the page of the same machine: a real socket, private, bounded, filtered."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import stat
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from acquisition.port import EndOfStream, SourceError
from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo
from daemon.calibration import session_source
from daemon.calibration.session_source import SessionSource
from daemon.engine.eeg_frames import (
    MAX_FRAME_BYTES,
    SamplesFrame,
    StreamFrame,
    packed,
    reachable,
    read_frame,
    socket_path,
)
from daemon.engine.eeg_tap import MAX_RAW_WAITING, MAX_WAITING, MAX_WATCHERS, SHOWN_RATE_HZ, EegTap
from daemon.web.state.eeg_feed import EegFeed, welch
from support.waiting import PATIENCE_S, until

RATE_HZ = 256.0
INFO = StreamInfo("simulated", "Simulated Muse", ("TP9", "AF7", "AF8", "TP10"), RATE_HZ, simulated=True)


def chunk(start: int, count: int = 64, hertz: float = 10.0) -> EegChunk:
    times = (start + np.arange(count)) / RATE_HZ
    wave = 20 * np.sin(2 * np.pi * hertz * times) + 30_000
    return EegChunk(np.tile(wave, (4, 1)), times)


def feed_seconds(tap: EegTap, seconds: float, start: int = 0, hertz: float = 10.0) -> int:
    for place in range(start, start + round(seconds * RATE_HZ), 64):
        tap.push(chunk(place, hertz=hertz))
    return start + round(seconds * RATE_HZ)


@contextlib.asynccontextmanager
async def connected(path: Path) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that sends and reads nothing."""
    with reachable(path) as name:
        reader, writer = await asyncio.open_unix_connection(name)
    try:
        yield reader
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def running(feed: EegFeed) -> AsyncIterator[EegFeed]:
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_last_ten_seconds_come_first_and_then_what_is_new(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with EegTap(path) as tap, running(EegFeed(path, time.monotonic)) as feed:
        tap.push(HeadsetStatus("streaming", INFO))
        at = feed_seconds(tap, 15)
        with feed.watching():
            await until(lambda: feed.since(-1, 0) is not None)
            piece = feed.since(-1, 0)
            assert piece is not None
            assert piece.stream.channels == INFO.channels
            assert 9 * SHOWN_RATE_HZ <= len(piece.tenths[0]) <= 10 * SHOWN_RATE_HZ
            middle = np.array(piece.tenths[0][-512:]) / 10
            assert np.abs(middle).max() == pytest.approx(20, rel=0.1), "filtered: the offset is gone"
            feed_seconds(tap, 1, start=at)
            await until(lambda: feed.since(piece.stream.number, piece.cursor) is not None)
            news = feed.since(piece.stream.number, piece.cursor)
            assert news is not None
            assert 0 < len(news.tenths[0]) <= 140


async def test_the_spectrum_peaks_where_the_signal_is(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with EegTap(path) as tap, running(EegFeed(path, time.monotonic)) as feed:
        tap.push(HeadsetStatus("streaming", INFO))
        feed_seconds(tap, 10, hertz=17.0)
        with feed.watching():
            await until(lambda: feed.spectrum() is not None)
            spectrum = feed.spectrum()
            assert spectrum is not None
            assert spectrum.frequencies_hz[int(np.argmax(spectrum.power_db[2]))] == pytest.approx(17.0)
            assert len(spectrum.power_db) == 4


def test_welch_gives_the_power_of_white_noise() -> None:
    noise = np.random.default_rng(1).normal(0, 3, (2, 128 * 60)).astype(np.float32)
    density = 10 ** (np.array(welch(noise, 128.0).power_db) / 10)
    assert density.mean() == pytest.approx(9 / 64, rel=0.1)


async def test_the_socket_is_private_and_goes_with_the_tap(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path / "state"), "home")
    async with EegTap(path):
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


async def test_a_long_path_and_a_stale_socket_are_no_hindrance(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path / ("deep" * 30)), "home")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"left by a killed engine")
    async with EegTap(path) as tap, running(EegFeed(path, time.monotonic)) as feed:
        tap.push(HeadsetStatus("streaming", INFO))
        feed_seconds(tap, 1)
        with feed.watching():
            await until(lambda: feed.stream is not None)


async def test_a_second_engine_does_not_take_the_socket(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with EegTap(path) as first, running(EegFeed(path, time.monotonic)) as feed:
        first.push(HeadsetStatus("streaming", INFO))
        async with EegTap(path) as second:
            second.push(HeadsetStatus("streaming", StreamInfo("x", "another", ("Cz",), 128.0)))
            with feed.watching():
                await until(lambda: feed.stream is not None)
                assert feed.stream is not None
                assert feed.stream.device == "Simulated Muse"


async def test_a_watcher_that_does_not_read_costs_a_bounded_line(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with EegTap(path) as tap:
        tap.push(HeadsetStatus("streaming", INFO))
        async with connected(path):
            await until(lambda: len(tap._watchers) == 1, "it is served")
            (watcher,) = tap._watchers
            for _ in range(400):
                feed_seconds(tap, 5)
                if watcher.dropped:
                    break
                await asyncio.sleep(0)
            assert watcher.dropped > 0
            assert len(watcher._waiting) <= MAX_WAITING


async def test_watchers_are_few(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with EegTap(path) as tap, contextlib.AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(connected(path)) for _ in range(MAX_WATCHERS + 3)]
        await until(lambda: sum(reader.at_eof() for reader in readers) == 3, "three are sent away")
        await until(lambda: len(tap._watchers) == MAX_WATCHERS, "the others are served")


async def test_the_end_of_the_tap_ends_every_connection(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with contextlib.AsyncExitStack() as stack:
        async with EegTap(path) as tap:
            tap.push(HeadsetStatus("streaming", INFO))
            reader = await stack.enter_async_context(connected(path))
            await until(lambda: len(tap._watchers) == 1, "it is served")
            feed_seconds(tap, 600)  # more than a socket takes
            before = asyncio.all_tasks()
        assert not tap._watchers
        assert {task for task in before if not task.done()} == {asyncio.current_task()}
        with contextlib.suppress(ConnectionError):
            while await asyncio.wait_for(reader.read(65536), PATIENCE_S):
                pass


async def test_an_unwatched_tap_keeps_ten_seconds_and_filters_nothing(tmp_path: Path) -> None:
    async with EegTap(socket_path(str(tmp_path), "home")) as tap:
        tap.push(HeadsetStatus("streaming", INFO))
        feed_seconds(tap, 600)
        kept = sum(item.samples_uv.shape[1] for item in tap._ring if isinstance(item, EegChunk))
        assert kept <= 10 * RATE_HZ


async def test_gaps_broken_samples_and_odd_rates_are_survived(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with EegTap(path) as tap, running(EegFeed(path, time.monotonic)) as feed:
        tap.push(HeadsetStatus("streaming", StreamInfo("x", "slow", ("Cz",), 50.0)))
        tap.push(EegChunk(np.zeros((1, 10)), np.arange(10) / 50))
        tap.push(HeadsetStatus("streaming", INFO))
        with feed.watching():
            await until(lambda: feed.stream is not None and feed.stream.channels == INFO.channels)
            broken = chunk(0, 256)
            broken.samples_uv[1, 10:40] = np.nan
            broken.samples_uv[2, :] = np.inf
            tap.push(broken)
            tap.push(Gap(1.0, 2.0, 256, "lost"))
            feed_seconds(tap, 2, start=512)

            def shown() -> bool:
                piece = feed.since(-1, 0)
                return piece is not None and len(piece.tenths[0]) > 200

            await until(shown)


async def test_the_feed_comes_back_when_the_engine_does(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with running(EegFeed(path, time.monotonic)) as feed:
        with feed.watching():
            async with EegTap(path) as tap:
                tap.push(HeadsetStatus("streaming", INFO))
                feed_seconds(tap, 1)
                await until(lambda: feed.stream is not None)
            await until(lambda: feed.stream is None)
            async with EegTap(path) as tap:
                tap.push(HeadsetStatus("streaming", INFO))
                feed_seconds(tap, 1)
                await until(lambda: feed.stream is not None)


async def test_nobody_watching_means_no_connection(tmp_path: Path) -> None:
    path = socket_path(str(tmp_path), "home")
    async with EegTap(path) as tap, running(EegFeed(path, time.monotonic)) as feed:
        tap.push(HeadsetStatus("streaming", INFO))
        await asyncio.sleep(0.2)
        assert not tap._watchers
        with feed.watching():
            await until(lambda: bool(tap._watchers))
        feed_seconds(tap, 1)
        await until(lambda: not tap._watchers)


@pytest.mark.parametrize("bad", [b"\xff\xff\xff\xff", b"\0\0\0\x02{}", b"\0\0\0\x01", b""])
async def test_what_is_no_frame_ends_the_connection(bad: bytes) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(bad)
    reader.feed_eof()
    with pytest.raises(ConnectionError):
        await read_frame(reader)


def test_samples_that_do_not_fit_the_channels_are_refused(tmp_path: Path) -> None:
    feed = EegFeed(tmp_path / "none", time.monotonic)
    feed.on_frame(SamplesFrame(count=1, data=b"1234"))
    assert feed.since(-1, 0) is None
    feed.on_frame(StreamFrame(device="x", channels=["Cz"], rate_hz=128.0, simulated=True))
    with pytest.raises(ConnectionError):
        feed.on_frame(SamplesFrame(count=2, data=b"1234"))
    with pytest.raises(ConnectionError):
        feed.on_frame(StreamFrame(device="x", channels=[], rate_hz=128.0, simulated=True))
    assert len(packed(SamplesFrame(count=1, data=b"1234"))) < MAX_FRAME_BYTES


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionSource]:
    """Of a patience that a busy machine asks for."""
    monkeypatch.setattr(session_source, "OPEN_S", PATIENCE_S)
    with contextlib.closing(SessionSource(socket_path(str(tmp_path), "home"))) as found:
        yield found


def _read_on(source: SessionSource) -> None:
    while True:
        source.poll(0.05)


async def test_a_calibration_gets_the_samples_as_they_are_and_all_of_them(
    tmp_path: Path, source: SessionSource
) -> None:
    async with EegTap(socket_path(str(tmp_path), "home")) as tap:
        tap.push(HeadsetStatus("streaming", INFO))
        info = await asyncio.to_thread(source.open)
        assert (info.channels, info.rate_hz, info.simulated) == (INFO.channels, RATE_HZ, True)
        feed_seconds(tap, 10)
        got: list[EegChunk] = []
        while sum(piece.samples_uv.shape[1] for piece in got) < 10 * RATE_HZ:
            piece = await asyncio.to_thread(source.poll, 0.05)
            got += [piece] if piece is not None else []
        samples = np.concatenate([piece.samples_uv for piece in got], axis=1)
        np.testing.assert_allclose(samples[2], chunk(0, 2560).samples_uv[2], rtol=1e-6)
        times_s = np.concatenate([piece.times_s for piece in got])
        np.testing.assert_allclose(np.diff(times_s), 1 / RATE_HZ)
        tap.push(HeadsetStatus("streaming", dataclasses.replace(INFO, rate_hz=512.0)))
        with pytest.raises(SourceError, match="changed its headset"):
            await asyncio.wait_for(asyncio.to_thread(_read_on, source), PATIENCE_S)


async def test_a_calibration_that_does_not_keep_up_is_told_and_not_given_holes(
    tmp_path: Path, source: SessionSource
) -> None:
    async with EegTap(socket_path(str(tmp_path), "home")) as tap:
        tap.push(HeadsetStatus("streaming", INFO))
        await asyncio.to_thread(source.open)
        for place in range(0, 64 * (MAX_RAW_WAITING + 10), 64):
            tap.push(chunk(place))

        with pytest.raises((EndOfStream, SourceError)):
            await asyncio.wait_for(asyncio.to_thread(_read_on, source), PATIENCE_S)


def test_without_a_session_a_calibration_is_told_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="start one with neuroplayer run"):
        SessionSource(socket_path(str(tmp_path), "home")).open()
