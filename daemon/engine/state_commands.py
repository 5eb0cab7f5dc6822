"""What people have asked of the reading: obeyed by the live engine and by a replay alike."""

from __future__ import annotations

from daemon.engine.prepared import EmotionPipeline
from daemon.mqtt import commands


class StateCommands:
    """Every command that changes a state goes through here, so that no replay can miss one."""

    def __init__(self) -> None:
        self.active = True
        """Whether the wearer is read at all."""
        self._dwell_s: float | None = None

    def handle_command(self, command: commands.Command, pipeline: EmotionPipeline | None) -> None:
        """Do what can be done to the pipeline that runs, if one does; a session's start needs a new one."""
        match command:
            case commands.SessionCommand():
                self.active = command.action == "start"
            case commands.RecalibrateCommand() if pipeline is not None:
                pipeline.recalibrate()
            case commands.DwellCommand():
                self._dwell_s = command.seconds
                self.hold(pipeline)

    def hold(self, pipeline: EmotionPipeline | None) -> None:
        """Have a pipeline that takes over keep to what was asked of the one before."""
        if pipeline is not None and self._dwell_s is not None:
            pipeline.dwell_s = self._dwell_s
