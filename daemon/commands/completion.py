"""``neuroplayer completion``: what the shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script for your shell.

    For bash: neuroplayer completion bash > ~/.local/share/bash-completion/completions/neuroplayer
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"click knows no completion for {shell}")
    script = kind(click.get_current_context().find_root().command, {}, "neuroplayer", "_NEUROPLAYER_COMPLETE")
    click.echo(script.source())
