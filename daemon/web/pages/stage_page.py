"""The stage: what plays, how the wearer is and why, to be read from across the room; nothing else."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from daemon.web.around.bare import bare
from daemon.web.around.cover_picture import CoverPicture
from daemon.web.viewer import Viewer, button, fill, named, swap_class, tag, words
from daemon.web.views.health_view import replayed, simulated
from daemon.web.views.mood_view import MoodView
from daemon.web.views.music_view import MusicView

_Show = Callable[[MoodView, MusicView], None]


def stage_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.texts
    with bare(viewer, "stage", "stage"):
        words("h1", "visually-hidden", texts("nav.stage"))
        with tag("div", "stage-sheet") as sheet:
            shows = [_music(viewer), _mood(viewer)]
        with tag("div", "stage-tools"):
            named(words("a", "stage-back", texts("stage.back")), href="/")
            full = button(texts("stage.full"), lambda: None, classes="small-btn")
            full.on("click", js_handler="() => neuro.fullScreen()")
        marks = words("p", "stage-marks", "")
    ui.run_javascript(f"neuro.stage({sheet.id})")

    def show() -> None:
        mood, music, found = viewer.views()
        for part in shows:
            part(mood, music)
        state = viewer.hub.state
        said = [texts("app.simulated")] * simulated(state) + [texts("app.replayed")] * replayed(state)
        marks.text = " · ".join([*said, *(notice.text for notice in found if notice.level == "bad")])

    viewer.each_tick(show)


def _music(viewer: Viewer) -> _Show:
    texts = viewer.texts
    with tag("div", "stage-art"):
        art = CoverPicture()
    with tag("div", "stage-words"):
        artist = words("p", "stage-artist", "")
        title = words("p", "stage-title", "")
        with tag("div", "stage-fade") as fade:
            words("p", "stage-fades", "")
            with named(tag("div", "meter music"), aria_hidden="true"):
                bar = tag("div")
        why = words("p", "stage-why", "")

    def show(_mood: MoodView, music: MusicView) -> None:
        art.show(music.track)
        fading = music.fading is not None and music.leaving is not None and music.track is not None
        artist.text = music.track.artist if music.track else ""
        if fading and music.leaving and music.track:
            title.text = texts("music.fades", leaving=music.leaving.title, coming=music.track.title)
        else:
            title.text = music.track.title if music.track else texts("music.nothing")
        swap_class(fade, not fading, "away")
        fill(bar, music.fading or 0.0)
        why.text = music.why

    return show


def _mood(viewer: Viewer) -> _Show:
    with named(tag("div", "stage-mood"), aria_live="polite") as place:
        word = words("p", "stage-word", "")
        sure = words("p", "stage-sure", "")

    def show(mood: MoodView, _music: MusicView) -> None:
        swap_class(place, not mood.known, "unknown")
        word.text = mood.word
        sure.text = mood.sureness if mood.known else mood.detail

    return show
