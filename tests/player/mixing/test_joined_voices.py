"""A voice that goes on where another ends, with some frames of its own in the place of that one's last."""

from __future__ import annotations

import numpy as np
import pytest

from player.deck import MIX_RATE_HZ, PcmBlock, silence
from player.mixing.mixer import Mixer
from support.sounds.sound_deck import SoundDeck

LEAD = 100


def steps(n_frames: int, first: int = 0) -> PcmBlock:
    """Frames that say which they are."""
    counted = (np.arange(first, first + n_frames) / 2**20).astype(np.float32)
    return np.repeat(counted[:, None], 2, axis=1)


def heard(mixer: Mixer, n_frames: int, block: int) -> PcmBlock:
    return np.concatenate(
        [silence(0), *(mixer.render(block) for _ in range(n_frames // block)), mixer.flush()]
    )


def begun(one: SoundDeck) -> Mixer:
    mixer = Mixer()
    mixer.change_to(one, gain_db=0.0, start_frame=0, fade_frames=0)
    return mixer


@pytest.mark.parametrize("block", [64, 480, 1000])
def test_the_lead_takes_the_place_of_the_last_frames(block: int) -> None:
    one, other = SoundDeck(steps(3000)), SoundDeck(steps(MIX_RATE_HZ, 3000 - LEAD))
    one.sound[-LEAD:] = 0.9  # not to be heard
    mixer = begun(one)
    before = mixer.render(block)
    mixer.join(other, LEAD)
    sound = np.concatenate([before, heard(mixer, 6000, block)])
    assert np.array_equal(sound, steps(len(sound)))


@pytest.mark.parametrize("left", [LEAD, LEAD - 1, 1, 0])
def test_a_lead_that_comes_too_late_is_left_out(left: int) -> None:
    one, other = SoundDeck(steps(3000)), SoundDeck(steps(MIX_RATE_HZ, 3000 - LEAD))
    mixer = begun(one)
    at = 3000 - left
    before = mixer.render(at)
    mixer.join(other, LEAD)
    sound = np.concatenate([before, heard(mixer, 6000, 480)])
    assert len(sound) > 3000 + 5000
    assert np.array_equal(sound[at:], steps(len(sound) - at, at))


def test_what_was_joined_and_taken_back_is_heard_to_its_end() -> None:
    one, other = SoundDeck(steps(3000)), SoundDeck(steps(MIX_RATE_HZ))
    mixer = begun(one)
    before = mixer.render(480)
    mixer.join(other, LEAD)
    assert mixer.cancel() is other
    assert other.buffered_frames() == MIX_RATE_HZ
    sound = np.concatenate([before, heard(mixer, 3360, 480)])
    assert np.array_equal(sound[: 3000 - 240], steps(3000 - 240)), "but for the soft end of 5 ms"
    assert np.abs(sound[2760:3000]).max() > 0
