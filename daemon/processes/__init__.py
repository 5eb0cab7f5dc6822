"""Processes: supervision, heartbeats, stopping, locks, ports, logs, systemd."""
