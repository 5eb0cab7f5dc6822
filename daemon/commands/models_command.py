"""``neuroplayer models``: a table of its commands, each imported when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

COMMANDS: Mapping[str, tuple[str, str]] = {
    "list": ("daemon.commands.models_show_commands:list_networks", "List the stored networks."),
    "show": ("daemon.commands.models_show_commands:show", "Show a network's figures, controls and limits."),
    "verify": ("daemon.commands.models_show_commands:verify", "Check the files against their manifests."),
    "evaluate": (
        "daemon.commands.models_evaluate_command:evaluate",
        "Score a network on recordings of people.",
    ),
    "train": ("daemon.commands.models_train_command:train", "Train a network from a data set or arrays."),
    "use": ("daemon.commands.models_use_commands:use", "Prefer a network, in running engines too."),
    "remove": ("daemon.commands.models_use_commands:remove", "Delete a network of your own."),
}
"""Name -> where the click command is, and its line of help."""


class ModelsGroup(click.Group):
    """The commands on networks."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None for a name that is not in the table."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=ModelsGroup, context_settings={"help_option_names": ["-h", "--help"]})
def models() -> None:
    """List, check, score, train and choose the networks that read the EEG."""
