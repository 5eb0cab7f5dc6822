"""Looking at this machine: doctor, latency, a preview of the signal."""
