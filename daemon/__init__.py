"""The running program: roles, supervisor, MQTT, Home Assistant, web page and command line."""

__version__ = "0.1.0"
