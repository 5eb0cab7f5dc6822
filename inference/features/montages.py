"""Electrode orders of two published data sets, which fix the layouts ``deap167`` and ``seed310``."""

from __future__ import annotations

_DEAP = (
    "Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 "
    "P8 PO4 O2"
)
_SEED = (
    "Fp1 Fpz Fp2 AF3 AF4 F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 T7 C5 C3 C1 Cz C2 "
    "C4 C6 T8 TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 P7 P5 P3 P1 Pz P2 P4 P6 P8 PO7 PO5 PO3 POz PO4 PO6 PO8 "
    "CB1 O1 Oz O2 CB2"
)

DEAP_32 = tuple(_DEAP.split())
"""Channels 1-32 of DEAP's preprocessed files (Koelstra et al. 2012), in the order of those files."""

SEED_62 = tuple(_SEED.split())
"""The 62 channels of SEED (Zheng and Lu 2015) in its own order, spelt the 10-10 way (FP1 is Fp1)."""
