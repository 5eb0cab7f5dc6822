"""From chunks of EEG to settled emotion states. Imports acquisition only."""
