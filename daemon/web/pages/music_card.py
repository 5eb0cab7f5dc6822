"""What plays: picture, progress, the crossfade as it happens, what follows and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.element import Element

from daemon.mqtt import commands, topics
from daemon.web.around.cover_picture import CoverPicture
from daemon.web.charts.fade_chart import fade_options
from daemon.web.texts import Texts
from daemon.web.viewer import Viewer, attribute, icon_button, named, swap_class, tag, words
from daemon.web.views.music_view import MusicView, TrackView

MAX_MORE = 4
FALLBACK_PERCENT = 60
PLACES = 200
"""Steps of the slider of the place in a track: a second of most."""
HELD_S = 2.0
"""What the player said up to so long after a move is of the time before it."""


def controls(viewer: Viewer) -> Callable[[MusicView], None]:
    """Build the buttons; returns what shows their state."""
    texts = viewer.texts
    with tag("div", "controls"):
        play = icon_button("pause", texts("music.pause"), lambda: _pause(viewer), classes="primary big")
        icon_button("skip_next", texts("music.skip"), lambda: viewer.send("skip", commands.SkipCommand()))
        heart = icon_button("favorite_border", texts("music.like"), lambda: _like(viewer))
        with tag("div", "volume"):
            mute = icon_button("volume_up", texts("music.mute"), lambda: None, classes="plain")
            slider = named(tag("input", "range"), type="range", min="0", max="100", step="1")
            named(slider, aria_label=texts("music.volume"))
        # apart from what is pressed often: it is not taken back by pressing it again
        icon_button("block", texts("music.ban"), lambda: _ban(viewer))
    follow = _volume(viewer, slider, mute)

    def show(music: MusicView) -> None:
        attribute(play, "icon", "play_arrow" if music.paused else "pause")
        for name in ("aria-label", "title"):
            attribute(play, name, texts("music.resume" if music.paused else "music.pause"))
        liked = music.track is not None and music.track.liked
        attribute(heart, "icon", "favorite" if liked else "favorite_border")
        attribute(heart, "aria-pressed", "true" if liked else "false")
        swap_class(heart, liked, "on")
        follow(music)

    return show


def _pause(viewer: Viewer) -> None:
    viewer.send("pause", commands.PauseCommand(paused=not viewer.views()[1].paused))


def _like(viewer: Viewer) -> None:
    track, texts = viewer.views()[1].track, viewer.texts
    if track is not None:
        said = texts("music.unliked" if track.liked else "music.liked")
        viewer.send("like", commands.LikeCommand(id=track.id, liked=not track.liked), said)


def _ban(viewer: Viewer) -> None:
    track, texts = viewer.views()[1].track, viewer.texts
    if track is None or not viewer.send("ban", commands.BanCommand(id=track.id)):
        return

    def back() -> None:
        viewer.send("ban", commands.BanCommand(id=track.id, banned=False), texts("music.unbanned"))

    viewer.offer(texts("music.banned", title=track.title), back)


def _volume(viewer: Viewer, slider: Element, mute: ui.button) -> Callable[[MusicView], None]:
    """The slider follows the player, but never pulls itself out of a hand.

    Its value is set in the browser and is no attribute of ours: an attribute travels back with every
    render, and one a step behind would undo the step that was made meanwhile.
    """
    state, texts = viewer.hub.state, viewer.texts
    moved_s, told, before = [-10.0], [-1], [FALLBACK_PERCENT]

    def send(percent: int) -> None:
        moved_s[0], told[0] = state.clock(), percent
        viewer.send("volume", commands.VolumeCommand(volume=round(percent / 100, 2)))

    def sent(event: Any) -> None:
        value = event.args
        if isinstance(value, int | float) and 0 <= value <= 100:
            send(round(value))

    def silence() -> None:
        """Mute, or back to where it was."""
        now = told[0] if told[0] >= 0 else round(100 * viewer.views()[1].volume)
        if now > 0:
            before[0] = now
        send(0 if now > 0 else before[0])
        viewer.client.run_javascript(f"neuro.follow({slider.id}, {told[0]})")
        named_so()

    def named_so() -> None:
        muted = told[0] == 0
        attribute(mute, "icon", "volume_off" if muted else "volume_up")
        for name in ("aria-label", "title"):
            attribute(mute, name, texts("music.unmute" if muted else "music.mute"))

    slider.on("change", sent, js_handler="(event) => emit(Number(event.target.value))")
    mute.on_click(silence)

    def follow(music: MusicView) -> None:
        percent = round(100 * music.volume)
        news = percent != told[0] and (music.present or told[0] < 0)
        said_s = state.clock() - (state.age_s(topics.PLAYER_STATE) or 0.0)
        if news and said_s - moved_s[0] > HELD_S:
            told[0] = percent
            viewer.client.run_javascript(f"neuro.follow({slider.id}, {percent})")
        named_so()

    return follow


Show = Callable[[MusicView], None]


def music_card(viewer: Viewer) -> None:
    """Build the card."""
    texts = viewer.texts
    words("h2", "card-title", texts("music.heading"))
    parts = [
        _track(viewer),
        _progress(viewer),
        controls(viewer),
        _why(viewer),
        _coming(viewer),
        _output(viewer),
    ]

    def show() -> None:
        music = viewer.views()[1]
        for part in parts:
            part(music)

    viewer.each_tick(show)


def _track(viewer: Viewer) -> Show:
    texts = viewer.texts
    with tag("div", "track"):
        art = CoverPicture()
        with tag("div"):
            artist = words("p", "track-artist", "")
            title = words("p", "track-title", "")

    def show(music: MusicView) -> None:
        track = music.track
        title.text = track.title if track else texts("music.nothing")
        artist.text = _who(music, texts)
        art.show(track)

    return show


def _who(music: MusicView, texts: Texts) -> str:
    """What a station plays tells more than who the station is."""
    if music.track is None:
        return "" if music.present else texts("music.nothing_detail")
    return music.stream_title or music.track.artist


def _progress(viewer: Viewer) -> Show:
    """How far it is; moved, the slider goes to another place. A stream without an end has none."""
    state, length_s, moved_s, told = viewer.hub.state, [0.0], [-10.0], [-1]
    with tag("div", "progress numeric"):
        elapsed = words("span", "", "0:00")
        place = named(tag("input", "range"), type="range", min="0", max=str(PLACES), step="1")
        length = words("span", "", "0:00")
    named(place, aria_label=viewer.texts("music.progress"))

    def sent(event: Any) -> None:
        if length_s[0] > 0 and isinstance(event.args, int | float) and 0 <= event.args <= PLACES:
            moved_s[0] = state.clock()
            viewer.send("seek", commands.SeekCommand(position_s=round(event.args / PLACES * length_s[0], 2)))

    place.on("change", sent, js_handler="(event) => emit(Number(event.target.value))")

    def show(music: MusicView) -> None:
        elapsed.text, length.text = music.elapsed, music.length
        length_s[0], share = music.duration_s, round(PLACES * min(1.0, music.share))
        if place.props.get("disabled", False) != (music.duration_s <= 0):
            place.props["disabled"] = music.duration_s <= 0
            place.update()
        if share != told[0] and state.clock() - moved_s[0] > HELD_S:
            told[0] = share
            attribute(place, "aria-valuetext", music.elapsed)
            viewer.client.run_javascript(f"neuro.follow({place.id}, {share})")

    return show


def _coming(viewer: Viewer) -> Show:
    """What follows, or, while a fade runs, which track it leaves and which it brings."""
    texts = viewer.texts
    with tag("div", "coming"):
        fade = _fade(viewer)
        art = CoverPicture(tiny=True)
        with tag("div"):
            coming = words("p", "muted small", "")
            title = words("p", "coming-title", "")

    def show(music: MusicView) -> None:
        fade(music)
        fading = music.fading is not None and music.leaving is not None and music.track is not None
        art.show(music.leaving if fading else music.next)
        if fading and music.leaving and music.track:
            coming.text = texts("music.fading")
            title.text = texts("music.fades", leaving=music.leaving.title, coming=music.track.title)
        else:
            coming.text = texts("music.next")
            title.text = _name(music.next) if music.next else texts("music.no_next")

    return show


def _why(viewer: Viewer) -> Show:
    texts = viewer.texts
    with tag("div", "why"):
        words("h3", "card-title", texts("music.why"))
        why = words("p", "why-words", "")
        with tag("details") as more:
            words("summary", "", texts("music.more"))
            lines = [words("p", "muted small numeric", "") for _ in range(MAX_MORE)]

    def show(music: MusicView) -> None:
        why.text = music.why
        swap_class(more, not music.more, "away")
        for number, line in enumerate(lines):
            line.text = music.more[number] if number < len(music.more) else ""

    return show


def _output(viewer: Viewer) -> Show:
    line = words("p", "muted small notes wrap-anywhere", "").style("margin-top:14px")

    def show(music: MusicView) -> None:
        line.text = _output_words(music, viewer) if music.present else ""

    return show


def _name(track: TrackView) -> str:
    return f"{track.title} – {track.artist}" if track.artist else track.title


def _output_words(music: MusicView, viewer: Viewer) -> str:
    texts = viewer.texts
    return texts("music.output", output=music.output) if music.output != "null" else texts("music.unheard")


def _fade(viewer: Viewer) -> Show:
    """Two wedges of loudness that cross, shown while a crossfade runs."""
    chart = ui.echart(fade_options(0.0, viewer.colours)).classes("fade-bar")
    named(chart, aria_hidden="true")
    chart.set_visibility(False)

    def show(music: MusicView) -> None:
        chart.set_visibility(music.fading is not None)
        if music.fading is not None:
            chart.run_chart_method("setOption", fade_options(music.fading, viewer.colours))

    return show
