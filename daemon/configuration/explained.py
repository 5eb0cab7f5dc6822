"""The settings as people read them: the file of ``config init``, the table of ``docs/configuration.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from daemon.configuration.keys import KEYS, Effect, Key
from daemon.configuration.rules import choices, rule_of

BEGIN, END = "<!-- the settings: python -m daemon.configuration.explained -->", "<!-- end of the settings -->"
EFFECTS: dict[Effect, str] = {
    "live": "at once",
    "engine": "the engine starts again",
    "later": "at the next start",
}


def template() -> str:
    """A configuration file with every key, commented out, with its default or else an example."""
    lines = ["# Neuro-Adaptive Music Player. Every key is optional; remove the # in front to set one.", ""]
    for section in ("", *_sections()):
        if section:
            lines += ["", f"[{section}]"]
        for key in KEYS:
            where, _, name = key.name.rpartition(".")
            if where == section:
                lines += [f"# {_purpose(key)}", f"#{name} = {key.in_force or key.example}"]
    lines += [
        "",
        "# Several wearers or rooms on one broker: a profile overlays any key (--profile anna).",
        "#[profiles.anna]",
        '#node = "anna"',
        '#session.source = "lsl:Anna"',
    ]
    return "\n".join(lines) + "\n"


def table() -> str:
    """The settings as a table in Markdown."""
    return "\n".join(
        ["| key | flag | default | a change is in force | what |", "|---|---|---|---|---|", *_rows()]
    )


def _rows() -> Iterator[str]:
    for key in KEYS:
        cells = [
            f"`{key.name}`",
            f"`{key.flag}`".replace("|", "\\|") if key.flag else "",
            f"`{key.in_force}`" if key.in_force else "",
            EFFECTS[key.effect],
            _purpose(key).replace("|", "\\|"),
        ]
        yield f"| {' | '.join(cells)} |"


def _purpose(key: Key) -> str:
    """What it is for, and the rule where its type says one."""
    rule = rule_of(key.kind) if key.check is None else ""
    words = choices(key.kind)
    if words and all(word in key.text for word in words):
        return key.text
    return f"{key.text} Must be {rule}." if rule else key.text


def _sections() -> tuple[str, ...]:
    return tuple(dict.fromkeys(key.name.partition(".")[0] for key in KEYS if "." in key.name))


def write(page: Path) -> None:
    """Put the table as it is now between its marks on the page."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/configuration.md"))
