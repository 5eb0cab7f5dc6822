"""Headsets of this machine: BrainFlow boards, the simulated wearer, montages, impedance."""
