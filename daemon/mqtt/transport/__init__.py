"""The one link to a broker: its client, what waits to be sent, what is muted, and why it is away."""
