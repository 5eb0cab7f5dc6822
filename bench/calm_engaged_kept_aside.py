"""What the calm-engaged networks are worth on people kept aside: as they ship, and as they were before.

``python bench/calm_engaged_kept_aside.py [DATA.npz [NETWORK ...]]`` writes
bench/results/calm_engaged_kept_aside.json and .md: the shipped cards' own section, and with DATA the recipe
of version 1 judged in the same way (else as it was measured last).

The people are put in order by the SHA-256 of `calm-engaged:` and their name, and dealt into three parts.
One part is kept aside; the others choose shrinkage, what is heard of the spectrum and how much of muscle
and lost electrodes is shown, by leaving one of them out in turn, and train; the part kept aside is read.
Then the next part, so that everyone is read once by a choice and a training that person had no part in.
Version 1 chose its shrinkage alone, by accuracy and the residue in five bands, heard up to 45 Hz and was
never shown muscle.

What this cannot undo: the kinds of network were thought of while looking at all 26 people, and no second
set of such recordings is at hand. What ships is trained on all of them.

*residue*: the same recipe learns from 52-62 Hz alone, in five bands and in one. *through*: what the
network says of the part of its features that goes along with a frequency (0.5: nothing). *tensed*: how
much more rest is called engaged when muscle doubles the power at 30-45 Hz, and quadruples it. All with 10
s of evidence; 95 % over people.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

from calm_engaged_scoring import row_of  # noqa: E402

from inference.pipeline import PipelineSettings  # noqa: E402
from models.calm_engaged.controls import with_disturbances  # noqa: E402
from models.calm_engaged.fisher import FisherSettings  # noqa: E402
from models.calm_engaged.kept_aside.judged import judge  # noqa: E402
from models.calm_engaged.montages import SHIPPED, ShippedMontage  # noqa: E402
from models.calm_engaged.people import load_people  # noqa: E402
from models.calm_engaged.recipe import SEED  # noqa: E402
from models.calm_engaged.selection import Choice  # noqa: E402
from models.calm_engaged.training import RecipeSettings  # noqa: E402
from models.evaluation.evidence import HORIZONS_S  # noqa: E402
from models.files.folders import shipped  # noqa: E402

RESULTS = ROOT / "bench" / "results"
NAME = "calm_engaged_kept_aside"
VERSION_1 = Choice(
    tuple(FisherSettings(shrinkage=shrinkage) for shrinkage in (0.1, 0.2, 0.3, 0.5, 0.7)), muscle_bar=None
)
HEADS = (
    *("electrodes", "version", "file", "one window", "10 s", "30 s", "calibration error 10 s / 30 s"),
    *("residue, 5 bands", "residue, 1 band", "residue through", "30-45 Hz through"),
    *("swapped baseline", "early against late", "shuffled (least to most)", "tensed"),
    *("10 s of rest costs", "one electrode missing"),
)
STATES = (
    *("electrodes", "version", "state", "named rightly", "named wrongly", "people who reach it"),
    *("settles, median", "settles, 90 %"),
)
SETTLED = (
    "The running engine's own state (int8; {:g} s of rest, then more rest, then the task); shares of time, "
    "and seconds from the end of the guided rest and from the task's begin until it is first named:"
)


def before(data: Path, montage: ShippedMontage) -> dict[str, Any]:
    """Version 1 of a network on people kept aside."""
    settings = replace(RecipeSettings(), train_baselines_s=(60.0, 40.0, 20.0))
    people = load_people(data, montage.channels, settings.schema, PipelineSettings())
    people = with_disturbances(people, data, SEED)
    return judge(data, people, montage, settings, SEED, print, VERSION_1)


def now(montage: ShippedMontage) -> dict[str, Any]:
    """The same section of the shipped card."""
    card = json.loads((shipped() / montage.name / "card.json").read_text("utf-8"))
    section: dict[str, Any] = card["kept_aside"] | {"controls": card["controls"]}
    return section


def _with_interval(value: float, interval: list[float]) -> str:
    return f"{value:.3f} ({interval[0]:.2f}-{interval[1]:.2f})"


def lines_of(montage: ShippedMontage, version: str, found: Mapping[str, Any]) -> list[str]:
    """One row for each file."""
    controls, lines = found["controls"], []

    def control(name: str) -> str:
        return _with_interval(controls[name]["10s"], controls[name]["interval_95"])

    lacking = [found["one_electrode_missing"][when]["10s"] for when in ("since_the_rest", "from_the_start")]
    shuffled, tensed = controls["shuffled"], controls["tensed_rest"]
    for variant, figures in found["files"].items():
        accuracy, error = figures["balanced_accuracy"], figures["calibration_error"]
        lines.append(
            row_of(
                [
                    *(len(montage.channels), version, variant),
                    *(_with_interval(accuracy[h], figures["interval_95"][h]) for h in HORIZONS_S),
                    f"{error['10s']:.3f} / {error['30s']:.3f}",
                    *(control(name) for name in ("residue", "residue_in_one_band")),
                    *(control(f"{name}_through_the_network") for name in ("residue", "30_45hz")),
                    *(control(name) for name in ("swapped_baseline", "early_against_late_rest")),
                    f"{shuffled['10s']:.3f} ({shuffled['least']:.2f}-{shuffled['most']:.2f})",
                    f"{control('tensed_rest')}, {tensed['with_more_muscle']:.3f}",
                    f"{found['rest_of_10s']['costs']['10s']:.3f}",
                    f"{lacking[0]:.3f} since the rest, {lacking[1]:.3f} from the start",
                ]
            )
        )
    return lines


def states_of(montage: ShippedMontage, version: str, found: Mapping[str, Any]) -> list[str]:
    """What a wearer meets."""
    return [
        row_of(
            [
                *(len(montage.channels), version, f"{state}: {one['named']}"),
                *(f"{one['share_right']:.3f}", f"{one['share_wrong']:.3f}"),
                f"{one['people_who_reach_it']} of {found['people']}",
                *(f"{one['settles_s_median']} s", f"{one['settles_s_90_percent']} s"),
            ]
        )
        for state, one in ((state, found["settled"][state]) for state in ("rest", "task"))
    ]


def main() -> None:
    """Both files."""
    path = RESULTS / f"{NAME}.json"
    old = json.loads(path.read_text("utf-8")) if path.exists() else {}
    data, wanted = sys.argv[1:2], sys.argv[2:]
    entries: dict[str, Any] = {}
    for montage in SHIPPED:
        entry = {"version_1": old.get(montage.name, {}).get("version_1"), "version_2": now(montage)}
        if data and montage.name in (wanted or [one.name for one in SHIPPED]):
            entry["version_1"] = before(Path(data[0]), montage)
        entries[montage.name] = {version: found for version, found in entry.items() if found}
    path.write_text(json.dumps(entries, indent=1) + "\n")
    versions = [(m, v[-1], found) for m in SHIPPED for v, found in entries[m.name].items()]
    rows = [line for one in versions for line in lines_of(*one)]
    states = [line for one in versions for line in states_of(*one)]
    told = (__doc__ or "").strip().split("\n\n")[2:]
    rest_s = entries[SHIPPED[0].name]["version_2"]["settled"]["rest_s"]
    tables = (
        "\n".join([row_of(HEADS), "|" + "---|" * len(HEADS), *rows]),
        SETTLED.format(rest_s),
        "\n".join([row_of(STATES), "|" + "---|" * len(STATES), *states]),
    )
    (RESULTS / f"{NAME}.md").write_text("\n\n".join(["# People kept aside", *told, *tables]) + "\n")


if __name__ == "__main__":
    main()
