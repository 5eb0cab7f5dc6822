"""The roles: each is a process of its own, and they meet on MQTT only."""
