"""What a training tells the person who waits for it: a bar, a warning in red, a last line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.training.training_settings import Progress as TrainingProgress
from models.training.training_settings import TrainingSettings

EpochReport = Callable[[TrainingProgress, TrainingSettings], None]


def warn_red(text: str) -> None:
    """One warning on standard error, red where the terminal can."""
    Console(stderr=True, soft_wrap=True).print(f"warning: {text}", style="bold red", highlight=False)


@contextmanager
def progress_bar(name: str, *, shown: bool) -> Iterator[EpochReport | None]:
    """A bar over the epochs on standard error; yields what the training calls after each."""
    if not shown:
        yield None
        return
    bar = Progress(
        TextColumn(name),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task(name, total=None, figures="")

        def report(progress: TrainingProgress, settings: TrainingSettings) -> None:
            bar.update(task, total=settings.epochs, completed=progress.epoch, figures=_figures(progress))

        yield report


def _figures(progress: TrainingProgress) -> str:
    history = progress.history
    loss = f"loss {history['loss'][-1]:.3f}" if "loss" in history else ""
    checked = f" val {history['val_loss'][-1]:.3f}" if "val_loss" in history else ""
    return f"{loss}{checked} best {progress.best_loss:.3f} @{progress.best_epoch}"
