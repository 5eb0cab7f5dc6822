"""What a watcher of the service asks for: metrics, liveness, the broker's state."""
