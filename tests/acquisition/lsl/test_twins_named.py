"""Where several streams fit, what a person reads names each by words that choose it, whatever its id is."""

from __future__ import annotations

from acquisition.lsl.inlet_source import LslSource
from acquisition.port import SourceError, UnknownSourceError
from daemon.errors import BadInputError
from support.peers.real_outlet import RealOutlet
from support.waiting import wait_until


def test_an_id_with_colons_is_told_whole() -> None:
    ids = ("Muse00:55:DA:B0:1E:78", "Muse00:55:DA:B0:1E:79")
    first, second = (RealOutlet(name="twins-of-this-test", source_id=one) for one in ids)
    refusals: list[SourceError] = []

    def refused() -> bool:
        """On a machine busy with other work one of them may answer late."""
        source = LslSource(first.name)
        try:
            source.open()
        except SourceError as error:
            refusals.append(error)
        source.close()
        return bool(refusals) and isinstance(refusals[-1], UnknownSourceError)

    with first, second:
        wait_until(refused, "both are seen")
    told = str(BadInputError(str(refusals[-1])))
    assert all(f"source_id={one}," in told for one in ids), told
