"""The ways to tell calm from engaged that were tried: what each learns from, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.fisher import Direction, FisherSettings, Moments, StatePair, direction_from
from models.calm_engaged.protocol import BASELINE_S, Fit
from models.calm_engaged.training import RecipeSettings, all_moments, train
from models.datasets.against_rest import sequences
from models.evaluation.evidence import LogitFunction, windows_in

HOP_S = 0.5
RESTS_S = (60.0, 40.0, 20.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One way. ``relative`` takes each band's share of the region's power instead of the power itself;
    ``cheap`` rows are candidates of the nested choice and are measured for every montage.
    """

    what: str
    schema: str
    fit: Fit
    window_s: float = 2.0
    relative: bool = False
    rests_s: tuple[float, ...] = (BASELINE_S,)
    cheap: bool = True
    own_threshold: bool = False

    @property
    def length(self) -> int:
        """Windows that span 10 s."""
        return windows_in(10.0, self.window_s, HOP_S)

    @property
    def source(self) -> tuple[str, float, bool]:
        return self.schema, self.window_s, self.relative


_moments: dict[int, tuple[Sequence[StatePair], list[Moments]]] = {}


def moments_of_all(pairs: Sequence[StatePair]) -> list[Moments]:
    """Moments of the people, once for all rows that ask for those of the same list."""
    if id(pairs) not in _moments:
        if len(_moments) > 8:
            _moments.clear()
        # the list is held, so that its id stays its own
        _moments[id(pairs)] = (pairs, all_moments(pairs, 1))
    return _moments[id(pairs)][1]


def fisher(
    settings: FisherSettings, change: Callable[[FloatArray, FloatArray], FloatArray] | None = None
) -> Fit:
    """The direction across people; ``change`` may alter its weights, knowing each feature's mean step."""

    def learn(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        moments = moments_of_all(pairs)
        direction = direction_from(moments, settings)
        if change is not None:
            step = np.mean([m.engaged - m.calm for m in moments], axis=0)
            weights = change(direction.weights, step)
            middle = np.mean([(m.engaged + m.calm) / 2 for m in moments], axis=0)
            direction = Direction(weights, float(-weights @ middle))
        return lambda runs: direction.along(runs).mean(axis=-1)

    return learn


def same_sign(weights: FloatArray, step: FloatArray) -> FloatArray:
    """A feature may speak only for the side to which people's mean of it moves."""
    result: FloatArray = np.where(weights * step > 0, weights, 0.0)
    return result


def shipped(shrinkage: float) -> Fit:
    """The recipe that ships: rests of three lengths, bounded answer."""
    settings = RecipeSettings(fisher=FisherSettings(shrinkage=shrinkage), train_baselines_s=RESTS_S)
    return lambda pairs, without: train(pairs, settings).logit


def rebaselined(settings: FisherSettings, draws: int = 4) -> Fit:
    """Each person is also shown as measured from random stretches of 10-40 s of that person's later rest."""

    def learn(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        rng = np.random.default_rng(7)
        more = list(pairs)
        for rest, task in pairs:
            for _ in range(draws):
                n = min(len(rest), int(rng.integers(17, 78)))
                begin = int(rng.integers(0, len(rest) - n + 1))
                stretch = rest[begin : begin + n]
                centre = np.median(stretch, axis=0)
                spread = np.median(np.abs(stretch - centre), axis=0) * 1.4826
                scale = np.maximum(0.5 + 0.5 * spread, 0.2)
                more.append(((rest - centre) / scale, (task - centre) / scale))
        direction = direction_from(all_moments(more, 1), settings)
        return lambda runs: direction.along(runs).mean(axis=-1)

    return learn


def lda(pairs: Sequence[StatePair], without: str) -> LogitFunction:
    """The reference: every window an example, Ledoit-Wolf shrinkage, equal priors."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x = np.concatenate([part for pair in pairs for part in pair])
    y = np.concatenate([np.full(len(part), state) for pair in pairs for state, part in enumerate(pair)])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5]).fit(x, y)
    return lambda runs: runs.mean(axis=1) @ model.coef_[0] + model.intercept_[0]


def over_time(fit: Callable[[FloatArray, FloatArray, FloatArray], Any], distance: bool = False) -> Fit:
    """A classifier of the mean z-scores of 10 s; with ``distance`` it is also told |z|."""

    def look(runs: FloatArray) -> FloatArray:
        mean = runs.mean(axis=1)
        return np.concatenate([mean, np.abs(mean)], axis=1) if distance else mean

    def learn(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        runs, y, w = examples(pairs, 17)
        model = fit(look(runs), y, w)
        return lambda heard: logit_of(model, look(heard))

    return learn


def examples(pairs: Sequence[StatePair], length: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sequences, sides and weights, each person and state weighing the same."""
    x, y, w = [], [], []
    for pair in pairs:
        for state, part in enumerate(pair):
            runs = sequences(part, length, 5)
            x.append(runs)
            y.append(np.full(len(runs), state))
            w.append(np.full(len(runs), 1 / max(1, len(runs))))
    weight = np.concatenate(w)
    return np.concatenate(x), np.concatenate(y), weight / weight.mean()


def logit_of(model: Any, x: FloatArray) -> FloatArray:
    if not len(x):
        return np.zeros(0)
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(x))
    p = np.clip(model.predict_proba(x)[:, 1], 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def logistic(c: float, distance: bool = False) -> Fit:
    from sklearn.linear_model import LogisticRegression

    return over_time(
        lambda x, y, w: LogisticRegression(C=c, max_iter=500).fit(x, y, sample_weight=w), distance
    )


def rbf(x: FloatArray, y: FloatArray, w: FloatArray) -> Any:
    from sklearn.svm import SVC

    return SVC(C=1.0, gamma="scale").fit(x, y, sample_weight=w)


def trees(x: FloatArray, y: FloatArray, w: FloatArray) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(200, min_samples_leaf=5, random_state=7).fit(x, y, sample_weight=w)


def small_cnn(pairs: Sequence[StatePair], without: str) -> LogitFunction:
    """17 windows into eight filters of three windows, mean over time, one answer; by gradient descent."""
    from models.networks.keras_backend import keras

    layers = keras().layers
    runs, y, w = examples(pairs, 17)
    keras().utils.set_random_seed(7)
    inputs = keras().Input(runs.shape[1:])
    x = layers.Dropout(0.3)(layers.Conv1D(8, 3, activation="relu", kernel_regularizer="l2")(inputs))
    model = keras().Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", keras().losses.BinaryCrossentropy(from_logits=True))
    model.fit(runs.astype(np.float32), y, 64, epochs=12, sample_weight=w, verbose=0)

    def logit(heard: FloatArray) -> FloatArray:
        if not len(heard):
            return np.zeros(0)
        return np.asarray(model.predict_on_batch(heard.astype(np.float32)), np.float64)[:, 0]

    return logit


def rows() -> list[Row]:
    """All of them, the reference first."""
    one, best = FisherSettings, FisherSettings(shrinkage=0.2)
    sym = "symde22@1"
    averaged = "Fisher over people, 22 bands, averaged, shrinkage"
    return [
        Row("LDA on windows (the reference)", "de5@1", lda),
        Row("LDA on windows, 22 finer bands", "de22@1", lda),
        Row("LDA on windows, 22 bands, left and right averaged", sym, lda),
        Row("Fisher over people, 5 bands, averaged", "symde5@1", fisher(one())),
        Row("Fisher over people, 22 bands", "de22@1", fisher(one())),
        *(Row(f"{averaged} {s:g}", sym, fisher(one(shrinkage=s))) for s in (0.1, 0.2, 0.5)),
        Row("the same, within share 1 only, shrinkage 0.5", sym, fisher(one((1.0,), 0.5))),
        *(
            Row(
                f"version 1: {averaged} {s:g}, rests of 60, 40, 20 s, bounded",
                sym,
                shipped(s),
                rests_s=RESTS_S,
            )
            for s in (0.1, 0.2, 0.3, 0.5, 0.7)
        ),
        Row(f"{averaged} 0.2, also measured from random rests", sym, rebaselined(best)),
        Row(f"{averaged} 0.2, shares of power", sym, fisher(best), relative=True),
        Row(f"{averaged} 0.2, windows of 4 s", sym, fisher(best), window_s=4.0),
        Row(f"{averaged} 0.2, signs held to the mean step", sym, fisher(best, same_sign)),
        Row(f"{averaged} 0.2, threshold by the person's rest", sym, fisher(best), own_threshold=True),
        *(Row(f"logistic on 10 s means, C {c:g}", sym, logistic(c)) for c in (0.001, 0.1)),
        Row("RBF support vectors on 10 s means", sym, over_time(rbf)),
        Row("logistic on z and |z|, C 0.1", sym, logistic(0.1, distance=True)),
        Row("extra trees on 10 s means", sym, over_time(trees), cheap=False),
        Row("sequences of 17 windows into a small CNN", sym, small_cnn, cheap=False),
    ]
