"""The map shows what lies somewhere; the list says how much of it is listed."""

from __future__ import annotations

from daemon.web.charts.library_chart import library_options
from daemon.web.palette import LIGHT
from daemon.web.state.track_library import MapTrack
from daemon.web.texts import Texts

STATED = MapTrack("a", "A", "", 0.5, 0.5, True)
HEARD = MapTrack("b", "B", "", -0.5, 0.1, False)


def test_what_is_found_is_lit_on_the_map(words: Texts) -> None:
    options = library_options([STATED, HEARD], None, LIGHT, words, [HEARD])
    series = {one["id"]: one["data"] for one in options["series"]}
    assert [point["value"] for point in series["found"]] == [[-0.5, 0.1, "b"]]
    plain = library_options([STATED, HEARD], None, LIGHT, words)
    assert {one["id"]: one["data"] for one in plain["series"]}["found"] == []
