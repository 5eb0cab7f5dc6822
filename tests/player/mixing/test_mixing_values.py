"""The mix by value: gains on their very frame, levels on their way, and what the limiter lets through."""

from __future__ import annotations

import math

import numpy as np
import pytest

from player.deck import MIX_RATE_HZ, PcmBlock, silence
from player.mixing.channel import EDGE_FRAMES, RESUME_FRAMES, MixChannel
from player.mixing.fades import Fade, Level, rise
from player.mixing.limiter import LOOK_STEPS, STEP, TAPS, Limiter
from player.mixing.mixer import DUCK_FRAMES, GLIDE_FRAMES, UNDUCK_FRAMES, Change, Mixer
from player.mixing.true_peak import true_peak_filter
from support.sounds.sound_deck import SoundDeck


def _flat(n_frames: int, level: float = 0.25) -> PcmBlock:
    return np.full((n_frames, 2), level, dtype=np.float32)


class Through(Limiter):
    """Nothing is held back or changed: what comes out is the mix."""

    def process(self, block: PcmBlock) -> PcmBlock:
        return block


def test_times_in_frames() -> None:
    assert (GLIDE_FRAMES, DUCK_FRAMES, UNDUCK_FRAMES) == (2400, 14400, 38400)
    assert (EDGE_FRAMES, RESUME_FRAMES) == (240, 12000)


def test_curves_at_a_quarter() -> None:
    quarter = np.array([0.25], dtype=np.float32)
    assert rise("linear", quarter)[0] == 0.25
    assert rise("equal_power", quarter)[0] == pytest.approx(math.sin(math.pi / 8))
    assert rise("smooth", quarter)[0] == pytest.approx(math.sin(math.pi / 8) ** 2)


def test_a_fade_counts_its_frames_from_its_start() -> None:
    up, down = Fade(100, 4, rising=True, curve="linear"), Fade(100, 4, rising=False, curve="linear")
    gains = up.gains(98, 8)
    assert gains is not None
    assert gains.tolist() == [0, 0, 0, 0.25, 0.5, 0.75, 1, 1]
    gains = down.gains(98, 8)
    assert gains is not None
    assert gains.tolist() == [1, 1, 1, 0.75, 0.5, 0.25, 0, 0]
    assert [up.progress(frame) for frame in (99, 100, 102, 104, 105)] == [0, 0, 0.5, 1, 1]


def test_a_fade_is_nothing_where_it_is_one() -> None:
    up, down = Fade(100, 4, rising=True), Fade(100, 4, rising=False)
    assert up.gains(104, 8) is None
    assert up.gains(103, 8) is not None
    assert down.gains(92, 8) is None
    assert down.gains(93, 8) is not None
    assert up.gains(92, 8) is not None, "not begun is silence, not one"
    assert down.gains(104, 8) is not None


def test_a_fade_of_no_frames_is_a_step() -> None:
    gains = Fade(2, 0, rising=True, curve="linear").gains(0, 4)
    assert gains is not None
    assert gains.tolist() == [0, 0, 0, 1]


def test_a_hastened_fade_ends_in_time_from_where_it_was() -> None:
    fade = Fade(0, 100, rising=True, curve="linear")
    hastened = fade.hastened(50, 10)
    assert hastened == Fade(50, 10, rising=True, curve="linear", done=0.5)
    assert [hastened.progress(frame) for frame in (50, 55, 60)] == [0.5, 0.75, 1.0]
    assert fade.hastened(50, 50) is fade
    assert fade.hastened(50, 49) is not fade
    gains = hastened.gains(48, 14)
    assert gains is not None
    assert gains[0] == gains[2] == 0.5
    assert gains[-1] == 1


def test_a_level_glides_by_a_raised_cosine() -> None:
    level = Level(1.0, 4)
    assert level.still
    assert level.next(3) == 1.0
    level.go(0.0)
    assert (level.target, level.value, level.still) == (0.0, 1.0, False)
    first = level.next(2)
    assert isinstance(first, np.ndarray)
    assert first == pytest.approx([1, math.cos(math.pi / 8) ** 2])
    assert level.value == pytest.approx(0.5)
    rest = level.next(4)
    assert isinstance(rest, np.ndarray)
    assert rest == pytest.approx([0.5, math.sin(math.pi / 8) ** 2, 0, 0], abs=1e-7)
    assert level.still
    assert level.next(5) == 0.0


def test_a_level_turns_round_from_where_it_is_and_not_for_the_same_aim() -> None:
    level = Level(0.0, 4)
    level.go(1.0)
    level.next(2)
    level.go(1.0)
    assert level.value == pytest.approx(0.5), "the same aim changes nothing"
    level.go(0.0, 8)
    assert level.value == pytest.approx(0.5)
    level.next(4)
    assert level.value == pytest.approx(0.25)
    level.go(0.0, 2)
    assert not level.still
    level.next(1)
    assert level.value == pytest.approx(0.125)
    level.go(1.0, 0)
    level.next(1)
    assert level.value == 1.0


def test_how_far_a_change_is() -> None:
    voice = MixChannel(SoundDeck(silence(1)), 1.0, 0)
    change = Change(100, 8, None, voice)
    assert [change.share(frame) for frame in (99, 100, 102, 108, 120)] == [0, 0, 0.25, 1, 1]
    assert Change(100, 0, None, voice).share(101) == 1


def test_a_voice_knows_its_place() -> None:
    voice = MixChannel(SoundDeck(_flat(1000)), 0.5, 100, start_s=2.0)
    assert voice.frame_of(3.0) == 100 + MIX_RATE_HZ
    assert voice.position_s == 2.0
    assert voice.added_to(None, 64, 36) is None, "it begins right after"
    mix = voice.added_to(None, 64, 40)
    assert mix is not None
    assert mix[:60].tolist() == silence(60).tolist()
    assert mix[60:].tolist() == _flat(4, 0.125).tolist()
    assert voice.position_s == 2.0 + 4 / MIX_RATE_HZ
    added = voice.added_to(_flat(64), 64, 104)
    assert added is not None
    assert added.tolist() == _flat(64, 0.375).tolist()


def test_gain_and_both_fades_multiply() -> None:
    voice = MixChannel(SoundDeck(_flat(1000, 1.0)), 0.5, 0)
    voice.fade_in = Fade(0, 8, rising=True, curve="linear")
    voice.fade_out = Fade(4, 8, rising=False, curve="linear")
    mix = voice.added_to(None, 16, 0)
    assert mix is not None
    up = np.minimum(np.arange(16) / 8, 1)
    down = 1 - np.clip((np.arange(16) - 4) / 8, 0, 1)
    assert mix[:, 0] == pytest.approx(0.5 * up * down)
    assert mix[:, 1] == pytest.approx(0.5 * up * down)


def test_the_last_five_milliseconds_are_soft() -> None:
    voice = MixChannel(SoundDeck(_flat(480, 1.0)), 1.0, 0)
    mix = voice.added_to(None, 480, 0)
    assert mix is not None
    assert (mix[:241] == 1).all()
    assert mix[241:, 0] == pytest.approx(np.arange(239, 0, -1) / 240)
    assert voice.over


def test_a_deck_that_runs_dry_fades_and_rises_and_waits_for_a_quarter_of_a_second() -> None:
    deck = SoundDeck(_flat(1000, 1.0), complete=False)
    voice = MixChannel(deck, 1.0, 0)
    mix = voice.added_to(None, 800, 0)
    ramp = np.sin((np.arange(240) + 0.5) / 240 * np.pi / 2) ** 2
    assert mix is not None
    assert mix[560:, 0] == pytest.approx(ramp[::-1], abs=1e-6)
    assert voice.dry_since == 0
    deck.sound = _flat(800 + RESUME_FRAMES - 1, 1.0)
    assert voice.added_to(None, 100, 800) is None
    assert voice.start_frame == 100, "its plan moves by what was not heard"
    deck.sound = _flat(800 + RESUME_FRAMES, 1.0)
    mix = voice.added_to(None, 1000, 900)
    assert mix is not None
    assert mix[:240, 0] == pytest.approx(ramp, abs=1e-6)
    assert (mix[240:] == 1).all()
    assert voice.dry_since is None
    enough = SoundDeck(_flat(800 + 240, 1.0), complete=False)
    whole = MixChannel(enough, 1.0, 0)
    assert whole.added_to(None, 800, 0) is not None
    assert whole.dry_since is None, "five milliseconds more are enough"


def _mixer(sound: PcmBlock) -> Mixer:
    mixer = Mixer(Through())
    mixer.change_to(SoundDeck(sound), gain_db=0, start_frame=0, fade_frames=0)
    mixer.render(1)
    return mixer


def test_a_change_hands_over_on_its_frame() -> None:
    mixer = _mixer(_flat(9000))
    coming = SoundDeck(_flat(9000))
    voice = mixer.change_to(coming, gain_db=-6.0206, start_frame=101, fade_frames=100, curve="linear")
    assert voice.gain == pytest.approx(0.5)
    with pytest.raises(RuntimeError, match="one change"):
        mixer.change_to(coming, gain_db=0, start_frame=0, fade_frames=0)
    mixer.render(99)
    assert (mixer.frame, mixer.fading, mixer.lead is voice, mixer.armed) == (100, None, False, True)
    mixer.render(1)
    assert (mixer.fading, mixer.lead is voice) == (0.0, True)
    mix = mixer.render(50)
    assert mix[:, 0] == pytest.approx(0.25 * (1 - np.arange(50) / 100) + 0.125 * np.arange(50) / 100)
    assert mixer.fading == 0.5
    mixer.render(49)
    assert mixer.armed
    mixer.render(1)
    assert not mixer.armed
    assert len(mixer.retired()) == 1
    assert mixer.retired() == []
    assert [deck is coming for deck in mixer.empty()] == [True]


def test_a_change_can_be_taken_back_until_it_begins() -> None:
    mixer = _mixer(_flat(9000))
    coming = SoundDeck(_flat(9000))
    mixer.change_to(coming, gain_db=0, start_frame=11, fade_frames=10)
    mixer.render(9)
    assert mixer.cancel() is coming
    assert mixer.cancel() is None
    assert mixer.render(20).tolist() == _flat(20).tolist()
    mixer.change_to(coming, gain_db=0, start_frame=40, fade_frames=100)
    mixer.render(10)
    assert mixer.frame == 40
    assert mixer.cancel() is None, "its first frame is due"


def test_a_running_change_can_be_hastened() -> None:
    mixer = _mixer(_flat(9000))
    mixer.change_to(SoundDeck(_flat(9000)), gain_db=0, start_frame=1, fade_frames=100, curve="linear")
    mixer.hasten(5)
    mixer.render(5)
    assert not mixer.armed, "its first frame is due: it has begun"
    mixer.change_to(SoundDeck(_flat(9000)), gain_db=0, start_frame=7, fade_frames=100, curve="linear")
    mixer.hasten(5)
    mixer.render(50)
    assert mixer.armed, "before it begins it is left alone"
    mixer.hasten(1000)
    mixer.render(100 - 49)
    assert not mixer.armed, "it is never made longer"


def test_volume_pause_and_a_cue_by_value() -> None:
    mixer = _mixer(_flat(200_000))
    mixer.set_volume(0.5)
    mixer.render(GLIDE_FRAMES)
    assert mixer.render(2).tolist() == _flat(2, 0.125).tolist()
    mixer.set_volume(7.0)
    mixer.render(GLIDE_FRAMES)
    assert mixer.render(2).tolist() == _flat(2).tolist()
    assert mixer.speak(SoundDeck(_flat(1000, 0.5)), duck_db=6.0206)
    assert not mixer.speak(SoundDeck(_flat(10)), duck_db=3.0), "one at a time"
    mixer.render(DUCK_FRAMES)
    assert mixer.render(2) == pytest.approx(_flat(2, 0.125 + 0.5), abs=1e-6)
    mixer.render(998)
    mixer.render(UNDUCK_FRAMES)
    assert mixer.render(2) == pytest.approx(_flat(2), abs=1e-6)
    mixer.pause(paused=True)
    assert not mixer.silent
    mixer.render(GLIDE_FRAMES)
    frame = mixer.frame
    assert mixer.silent
    assert mixer.render(2).tolist() == silence(2).tolist()
    assert mixer.frame == frame, "plans stay true"
    assert not mixer.speak(SoundDeck(_flat(10)), duck_db=3.0), "nobody would hear it"
    mixer.pause(paused=False)
    mixer.render(GLIDE_FRAMES)
    assert mixer.render(2).tolist() == _flat(2).tolist()


def test_running_dry_is_counted() -> None:
    mixer = Mixer(Through())
    mixer.change_to(SoundDeck(_flat(500), complete=False), gain_db=0, start_frame=0, fade_frames=0)
    mixer.render(400)
    assert mixer.underruns == 1
    mixer.render(400)
    assert mixer.underruns == 1


def test_the_true_peak_filter_is_a_sinc_whose_phases_add_up_to_one() -> None:
    for n_taps in (24, 128):
        taps = true_peak_filter(n_taps)
        assert taps.shape == (n_taps, 3)
        assert taps.sum(axis=0) == pytest.approx(1)
        assert taps[:, 0] == pytest.approx(taps[::-1, 2], abs=1e-7)
        wave = np.sin(0.5 * np.arange(n_taps))
        between = np.sin(0.5 * (n_taps / 2 - 1 + np.array([0.25, 0.5, 0.75])))
        assert wave @ taps == pytest.approx(between, abs=2e-3)
        centre = n_taps // 2 - 1
        assert taps[centre, 0] > taps[centre, 1] > taps[centre, 2]


def _limited(sound: PcmBlock, block: int = 512) -> PcmBlock:
    limiter = Limiter()
    parts = [limiter.process(sound[at : at + block]) for at in range(0, len(sound), block)]
    return np.concatenate([*parts, limiter.flush()])


def test_what_is_quiet_passes_bit_for_bit() -> None:
    sound = (0.2 * np.random.default_rng(0).standard_normal((9000, 2))).clip(-0.35, 0.35).astype(np.float32)
    assert np.array_equal(_limited(sound), sound)
    assert Limiter().delay_frames == STEP * (LOOK_STEPS + math.ceil(TAPS / 2 / STEP)) == 192


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("side", [0, 1])
def test_a_loud_tone_comes_out_at_the_ceiling(sign: int, side: int) -> None:
    """1 dB under full scale, less the margin of 1.15 dB: 10^(-2.15/20) of full scale."""
    times = np.arange(24_000)
    sound = silence(24_000)
    sound[:, side] = sign * 2 * np.sin(2 * np.pi * 997 * times / MIX_RATE_HZ)
    out = _limited(sound)
    assert len(out) == len(sound)
    peak = np.abs(out[:, side]).max()
    assert 20 * np.log10(peak) == pytest.approx(-2.15, abs=0.06)
    assert (out[:, 1 - side] == 0).all()


def test_a_gain_falls_a_quarter_a_step_at_most_and_recovers_in_150_milliseconds() -> None:
    sound = _flat(48_000, 0.1)
    sound[9600:9632] = 2.0
    gain = _limited(sound)[:, 0] / sound[:, 0]
    before = gain[: 9600 + 1]
    assert before[9600 - 5 * STEP] == 1.0
    assert np.diff(before).min() >= -0.25 / STEP - 1e-4
    low = gain[9600:9640].min()
    assert low == pytest.approx(10 ** (-2.15 / 20) / 2.0, rel=0.15)
    at = 9632 + 2 * STEP
    after = 1 - gain[at + round(0.15 * MIX_RATE_HZ)]
    assert after / (1 - gain[at]) == pytest.approx(math.exp(-1), rel=0.02)
    assert gain[-1000:].min() > 0.995
