"""The calm-engaged networks that ship: how they are trained, scored, controlled and written.

``python -m models.calm_engaged`` makes all three anew from the recordings.
"""
