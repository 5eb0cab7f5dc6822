"""The options that ``run`` and the single roles share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from daemon.configuration.keys import BY_NAME, KEYS, Key

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def option_of(name: str, flag: str = "", **over: Any) -> Callable[[Any], Any]:
    """The command line option of a key; ``flag`` and ``over`` go over what its row says."""
    key = BY_NAME[name]
    flag, _, metavar = (flag or key.flag).partition(" ")
    in_force = key.in_force.strip('"').removesuffix(".0")
    help_text = f"{key.text}  [default: {in_force}]" if metavar and in_force else key.text
    given: dict[str, Any] = {"help": help_text, "is_flag": not metavar}
    if metavar:
        several = key.kind == tuple[str, ...]
        given |= {"metavar": metavar, "multiple": several, "shell_complete": completed(key)}
    return click.option(flag, **given | over)


def completed(key: Key) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What the shell offers for the value of a key: its words, or files where it has none."""
    words = key.completions()

    def complete(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in words if word.startswith(begun)]

    return complete if words else files


def files(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Files and folders, which the shell finds by itself."""
    return [CompletionItem(begun, type="file")]


SESSION_OPTIONS: list[Callable[[Any], Any]] = [
    *(option_of(key.name) for key in KEYS if key.flag),
    click.option("--duration", metavar="TIME", help="End by itself after e.g. 90s or 5m."),
    click.option("--no-web", is_flag=True, help="Serve no page."),
    click.option(
        "--config",
        metavar="FILE",
        help="Another configuration file than the usual one.",
        shell_complete=files,
    ),
    click.option("--profile", metavar="NAME", help="A profile of the configuration, e.g. one a wearer."),
    click.option("--plain", is_flag=True, help="Print lines instead of the live view."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document a line."),
]

EVERYWHERE = frozenset({"broker", "node", "wearer", "duration", "config", "profile"})
"""Of use to every role."""


def session_options(command: CommandT) -> CommandT:
    """Give a click command the options above."""
    for option in reversed(SESSION_OPTIONS):
        command = option(command)
    return command


def some_options(*names: str, everywhere: frozenset[str] = EVERYWHERE) -> Callable[[CommandT], CommandT]:
    """Give a click command these of the options above and those of use to every role; it knows no other."""

    def give(command: CommandT) -> CommandT:
        for option in reversed(SESSION_OPTIONS):
            wanted = option(click.Command("")).params[0].name
            if wanted in everywhere or wanted in names:
                command = option(command)
        return command

    return give


def show_only(command: click.Command, names: frozenset[str]) -> None:
    """Leave session options that a command has no use for out of its help; they are taken all the same."""
    for option in command.params:
        if isinstance(option, click.Option) and option.name not in names | EVERYWHERE:
            option.hidden = True
