"""``neuroplayer models``: a table of its commands, each imported when it is used."""

from __future__ import annotations

import click

from daemon.lazy_group import CommandTable, LazyGroup

COMMANDS: CommandTable = {
    "list": ("daemon.commands.models.show:list_networks", "List the stored networks."),
    "show": ("daemon.commands.models.show:show", "Show a network's figures, controls and limits."),
    "verify": ("daemon.commands.models.show:verify", "Check the files against their manifests."),
    "evaluate": (
        "daemon.commands.models.evaluate:evaluate",
        "Score a network on recordings of people.",
    ),
    "train": ("daemon.commands.models.train:train", "Train a network from a data set or arrays."),
    "use": ("daemon.commands.models.use:use", "Prefer a network, in running engines too."),
    "remove": ("daemon.commands.models.use:remove", "Delete a network of your own."),
}
"""Name -> where the click command is, and its line of help."""


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def models() -> None:
    """List, check, score, train and choose the networks that read the EEG."""
