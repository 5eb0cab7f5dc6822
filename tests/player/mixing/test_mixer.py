"""The mixer, measured on its samples: fades, starts, volume, pause, ducking, dry decks and peaks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.signal import resample, resample_poly

from player.deck import MIX_RATE_HZ, PcmBlock, silence
from player.mixing.fades import CURVES, Curve, Fade, Level, rise
from player.mixing.limiter import Limiter
from player.mixing.mixer import Mixer
from support.sounds.playback_rig import above_4k_db, high_noise, level_db, tone, windows_db
from support.sounds.sound_deck import SoundDeck


def render(mixer: Mixer, seconds: float, block: int = 1024) -> PcmBlock:
    return np.concatenate([mixer.render(block) for _ in range(int(seconds * MIX_RATE_HZ) // block)])


def begin(mixer: Mixer, sound: PcmBlock, fade_frames: int = 0) -> None:
    mixer.change_to(SoundDeck(sound), gain_db=0.0, start_frame=0, fade_frames=fade_frames)


@pytest.mark.parametrize("fade_s", [2.0, 8.0, 20.0])
def test_the_summed_level_stays_within_a_third_of_a_decibel(fade_s: float) -> None:
    mixer = Mixer()
    begin(mixer, high_noise(fade_s + 6, seed=1))
    start = 3 * MIX_RATE_HZ
    coming = SoundDeck(high_noise(fade_s + 6, seed=2))
    render(mixer, 0.1)
    mixer.change_to(coming, gain_db=0.0, start_frame=start, fade_frames=int(fade_s * MIX_RATE_HZ))
    sound = render(mixer, fade_s + 5)
    levels = windows_db(sound[start - MIX_RATE_HZ :])
    before = level_db(sound[: 2 * MIX_RATE_HZ])
    assert max(levels) - before < 0.3
    assert min(levels) - before > -0.3


@pytest.mark.parametrize("start", [48_000, 48_001, 50_003])
def test_a_fade_begins_on_its_very_frame(start: int) -> None:
    mixer = Mixer()
    begin(mixer, silence(4 * MIX_RATE_HZ))
    render(mixer, 0.2)
    mixer.change_to(
        SoundDeck(np.ones((MIX_RATE_HZ, 2), np.float32) * 0.5), gain_db=0, start_frame=start, fade_frames=0
    )
    sound = np.concatenate([np.zeros((0, 2), np.float32), render(mixer, 2.0)])
    # what the limiter holds back comes out of order with nothing: count from the first block of all
    first = int(np.flatnonzero(sound[:, 0] > 0.4)[0])
    rendered_before = int(0.2 * MIX_RATE_HZ) // 1024 * 1024 - Limiter().delay_frames
    assert first + rendered_before == start


def test_fading_sines_makes_no_clicks() -> None:
    mixer = Mixer()
    begin(mixer, tone(12, 440))
    render(mixer, 0.1)
    mixer.change_to(SoundDeck(tone(12, 660)), gain_db=0, start_frame=MIX_RATE_HZ, fade_frames=8 * MIX_RATE_HZ)
    sound = render(mixer, 10)[2048:]
    assert above_4k_db(sound) < -95


@pytest.mark.parametrize("curve", CURVES)
def test_curves_run_from_silence_to_full_and_mirror_each_other(curve: Curve) -> None:
    coming = Fade(100, 1000, rising=True, curve=curve)
    leaving = Fade(100, 1000, rising=False, curve=curve)
    up, down = coming.gains(0, 1200), leaving.gains(0, 1200)
    assert up is not None
    assert down is not None
    assert (up[:101] == 0).all()
    assert (up[1100:] == 1).all()
    assert (np.diff(up) >= 0).all()
    assert up[100:1101] == pytest.approx(down[100:1101][::-1], abs=1e-6)
    power = up**2 + down**2 if curve == "equal_power" else None
    amplitude = up + down
    if power is not None:
        assert power == pytest.approx(1, abs=1e-6)
    else:
        assert amplitude == pytest.approx(1, abs=1e-6)


def test_a_linear_seam_of_one_track_with_itself_keeps_its_level() -> None:
    same = tone(4, 440)
    progress = np.linspace(0, 1, len(same))
    mixed = same * rise("linear", progress)[:, None] + same * rise("linear", 1 - progress)[:, None]
    assert mixed == pytest.approx(same, abs=1e-6)


def test_a_hastened_fade_goes_on_from_where_it_is() -> None:
    fade = Fade(0, 48_000, rising=True)
    hastened = fade.hastened(24_000, 4_800)
    assert hastened.progress(24_000) == pytest.approx(fade.progress(24_000))
    assert hastened.progress(28_800) == 1.0
    assert fade.hastened(47_000, 4_800) is fade


def test_hastening_makes_no_click_and_keeps_the_power() -> None:
    mixer = Mixer()
    begin(mixer, high_noise(12, seed=1))
    render(mixer, 0.1)
    mixer.change_to(
        SoundDeck(high_noise(12, seed=2)), gain_db=0, start_frame=MIX_RATE_HZ, fade_frames=8 * MIX_RATE_HZ
    )
    render(mixer, 3)
    mixer.hasten(MIX_RATE_HZ // 4)
    sound = render(mixer, 1)
    assert max(abs(level + 20) for level in windows_db(sound, 0.25)) < 0.6
    assert not mixer.armed


def test_volume_changes_make_no_clicks() -> None:
    mixer = Mixer()
    begin(mixer, tone(12, 440))
    parts = [render(mixer, 0.5)[2048:]]
    for volume in (0.2, 1.0, 0.0, 0.7, 0.71, 0.3):
        mixer.set_volume(volume)
        parts.append(render(mixer, 0.03))
    parts.append(render(mixer, 0.5))
    sound = np.concatenate(parts)
    assert above_4k_db(sound) < -80
    assert level_db(sound[-9600:]) == pytest.approx(level_db(tone(1, 440)) + 20 * np.log10(0.3), abs=0.05)


def test_pause_stands_still_and_goes_on_where_it_was_without_a_click() -> None:
    mixer = Mixer()
    begin(mixer, tone(12, 440))
    before = render(mixer, 1.0)
    mixer.pause(True)
    fading = render(mixer, 0.2)
    frame = mixer.frame
    still = render(mixer, 1.0)
    assert mixer.frame == frame
    assert not still[1024:].any()
    mixer.pause(False)
    after = render(mixer, 1.0)
    assert above_4k_db(np.concatenate([before[2048:], fading, still, after])) < -85
    assert level_db(after[-9600:]) == pytest.approx(level_db(tone(1, 440)), abs=0.05)


def test_a_spoken_cue_ducks_the_music_and_gives_it_back() -> None:
    mixer = Mixer()
    begin(mixer, tone(20, 440))
    render(mixer, 0.5)
    assert mixer.speak(SoundDeck(silence(2 * MIX_RATE_HZ)), 14.0)
    assert not mixer.speak(SoundDeck(silence(10)), 14.0)
    render(mixer, 0.5)
    under = render(mixer, 1.0)
    render(mixer, 2.0)
    after = render(mixer, 0.5)
    assert level_db(under) - level_db(after) == pytest.approx(-14.0, abs=0.1)
    assert above_4k_db(after) < -95
    assert len(mixer.retired()) == 1


def test_a_track_that_simply_ends_makes_no_click() -> None:
    mixer = Mixer()
    begin(mixer, tone(1.0, 440)[:-37])
    sound = render(mixer, 1.5)
    steps = np.abs(np.diff(sound[:, 0]))
    assert steps.max() < 0.013


def test_a_deck_that_runs_dry_ends_softly_and_comes_back_softly() -> None:
    mixer = Mixer()
    deck = SoundDeck(tone(1.0, 440)[:-37], complete=False)
    mixer.change_to(deck, gain_db=0, start_frame=0, fade_frames=0)
    sound = [render(mixer, 2.0)]
    assert mixer.lead is not None
    assert mixer.lead.dry_since is not None
    assert mixer.underruns == 1
    deck.sound = np.concatenate([deck.sound, tone(3.0, 440)])
    sound.append(render(mixer, 2.0))
    assert mixer.lead.dry_since is None
    assert mixer.underruns == 1, "counted once, however long it lasts"
    whole = np.concatenate(sound)
    assert np.abs(np.diff(whole[:, 0])).max() < 0.02
    assert level_db(whole[-9600:]) == pytest.approx(level_db(tone(1, 440)), abs=0.1)


def test_a_change_can_be_taken_back_until_it_begins() -> None:
    mixer = Mixer()
    begin(mixer, tone(4, 440))
    render(mixer, 0.5)
    deck = SoundDeck(tone(4, 660))
    mixer.change_to(deck, gain_db=0, start_frame=2 * MIX_RATE_HZ, fade_frames=1000)
    with pytest.raises(RuntimeError, match="one change"):
        mixer.change_to(deck, gain_db=0, start_frame=0, fade_frames=0)
    assert mixer.cancel() is deck
    assert deck.at == 0
    assert level_db(render(mixer, 2.5)[-4800:]) == pytest.approx(level_db(tone(1, 440)), abs=0.05)
    mixer.change_to(deck, gain_db=0, start_frame=0, fade_frames=1000)
    render(mixer, 0.1)
    assert mixer.cancel() is None


def test_the_left_deck_is_handed_back_once() -> None:
    mixer = Mixer()
    first = SoundDeck(tone(4, 440))
    mixer.change_to(first, gain_db=0, start_frame=0, fade_frames=0)
    render(mixer, 0.5)
    mixer.change_to(SoundDeck(tone(4, 660)), gain_db=0, start_frame=0, fade_frames=4800)
    assert mixer.retired() == []
    render(mixer, 0.5)
    assert mixer.retired() == [first]
    assert mixer.retired() == []


def true_peak_db(sound: PcmBlock) -> float:
    return float(20 * np.log10(np.abs(resample_poly(sound, 16, 1, axis=0)).max()))


@pytest.mark.parametrize("seed", range(4))
def test_no_peak_between_samples_passes_the_ceiling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loud = (rng.standard_normal((4 * MIX_RATE_HZ, 2)) * rng.uniform(0.2, 2)).astype(np.float32)
    loud[:: rng.integers(1000, 5000)] *= 3
    limiter = Limiter()
    out = [limiter.process(loud[at : at + 1024]) for at in range(0, len(loud), 1024)]
    limited = np.concatenate([*out, limiter.flush()])
    assert len(limited) == len(loud)
    assert true_peak_db(limited) < -1.0


@pytest.mark.parametrize("level", [0.4, 0.54, 1.0, 1.26, 4.0])
@pytest.mark.parametrize("kind", ["noise", "square", "sine"])
def test_clipped_bursts_keep_under_the_ceiling_though_their_samples_are_low(kind: str, level: float) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        radians = np.arange(2400)[:, None] * rng.uniform(0.1, 3.1, 2) + rng.uniform(0, 6, 2)
        burst = {
            "noise": 3 * rng.standard_normal((2400, 2)),
            "square": 99 * np.sin(radians),
            "sine": 3 * np.sin(radians),
        }[kind]
        sound = np.zeros((9600, 2), dtype=np.float32)
        sound[3000:5400] = level * np.clip(burst, -1, 1)
        limiter = Limiter()
        limited = np.concatenate([limiter.process(sound), limiter.flush()])
        ideal = np.abs(resample(limited, 16 * len(limited), axis=0)).max()
        assert 20 * np.log10(ideal) < -1.0


def test_quiet_music_passes_bit_for_bit_whatever_the_blocks() -> None:
    quiet = high_noise(2, seed=5, level_dbfs=-24)
    for blocks in ([1024], [32, 4096, 100], [1]):
        limiter = Limiter()
        at, out = 0, []
        for size in itertools.cycle(blocks):
            if at >= 20_000:
                break
            out.append(limiter.process(quiet[at : at + size]))
            at += size
        joined = np.concatenate([*out, limiter.flush()])
        assert np.array_equal(joined, quiet[: len(joined)])
        assert len(joined) >= 20_000


def test_a_level_glides_from_wherever_it_is() -> None:
    level = Level(1.0, 100)
    level.go(0.0)
    first = level.next(50)
    level.go(1.0)
    second = level.next(200)
    gains = np.concatenate([first, second])
    assert np.abs(np.diff(gains)).max() < 0.03
    assert gains[-1] == pytest.approx(1.0)
    assert level.next(10) == 1.0
