"""Lab Streaming Layer: finding streams, reading one, offering one."""
