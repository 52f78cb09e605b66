"""What a model has to beat: a prediction that needs no model, and the user's one-line rule.

Both are plain records that go into the candidate's evidence, so that the judge of the
sealed rows predicts with the very same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.kit import rules
from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.records import Snapshot, Task

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from qua3ck.question.records import Costs, Question

Naive = Literal["majority", "cheapest", "mean", "median", "last_value"]

# A prediction that always says the same gets these perfect for nothing ("yes" to everybody:
# recall 1), or as bad as can be ("no": recall 0); either way it says nothing about a model.
FREE = {
    "recall": "balanced_accuracy",
    "precision": "balanced_accuracy",
    "specificity": "balanced_accuracy",
    "false_positive_rate": "balanced_accuracy",
    "ece": "brier",
}
_RULE = "a3.rule"


@dataclass(frozen=True)
class Guess:
    """What a predictor says, one entry per row.

    ``labels`` (n_rows,) and ``scores`` (n_rows, n_classes) for a classification, columns in
    the order of the snapshot's classes; ``values`` (n_rows,) for a regression.
    """

    labels: NDArray[Any] | None = None
    scores: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The probabilities, or the values of a regression."""
        found = self.scores if self.scores is not None else self.values
        if found is None:
            message = "a guess has scores or values"
            raise ValueError(message)
        return found


@dataclass(frozen=True)
class Baseline:
    """A prediction without a model, learned from training rows in one pass.

    Attributes
    ----------
    kind : str
        ``majority`` class; ``cheapest`` single decision by the declared costs; ``mean`` or
        ``median``; ``last_value``: the target of the latest earlier row.
    label : str
        The class that is said where nothing earlier is known; empty for a regression.
    shares : tuple of float
        Share of each class among the training rows, said as its probability.
    value : float
        What is said for a regression where nothing earlier is known.
    moves : tuple of tuples of float
        For ``last_value``: probability of each class after each class, one added to every
        count so that none is 0 (Laplace).
    time, unit : str
        For ``last_value``: the column that orders rows, and the one within whose values the
        earlier row is looked for; empty for any row.
    """

    kind: Naive
    task: Task
    classes: tuple[str, ...]
    target: str
    label: str = ""
    shares: tuple[float, ...] = ()
    value: float = 0.0
    moves: tuple[tuple[float, ...], ...] = ()
    time: str = ""
    unit: str = ""

    @property
    def says(self) -> str:
        """What it does, in a few words."""
        within = f" of the same {self.unit}" if self.unit else ""
        return {
            "majority": f'always says "{self.label}", the most frequent class',
            "cheapest": f'always says "{self.label}", the cheaper decision for everybody',
            "mean": "always says the mean",
            "median": "always says the median",
            "last_value": f"repeats the last earlier value{within}",
        }[self.kind]

    def predict(self, rows: pd.DataFrame, *, known: pd.DataFrame | None = None) -> Guess:
        """Return its answer for every row.

        Parameters
        ----------
        rows : pandas.DataFrame
            The rows to be predicted; for ``last_value`` with the time and unit columns.
        known : pandas.DataFrame, optional
            Rows whose target is known, for ``last_value`` only: training rows and, one step
            ahead, the rows themselves. Only targets at strictly earlier moments are used.

        Notes
        -----
        Whoever predicts day by day knows yesterday's outcome; handing over only training
        rows says that no outcome becomes known before the last prediction is made.
        """
        import numpy as np

        before = np.full(len(rows), -1, dtype=np.intp)
        if self.kind == "last_value" and known is not None:
            before = last_before(rows, known, time=self.time, unit=self.unit)
        if self.task == "regression":
            values = np.full(len(rows), self.value)
            if known is not None and (before >= 0).any():
                past = known[self.target].to_numpy(dtype=np.float64)
                values[before >= 0] = past[before[before >= 0]]
            return Guess(values=values)
        return self._classes(before, known)

    def _classes(self, before: NDArray[np.intp], known: pd.DataFrame | None) -> Guess:
        import numpy as np

        names = np.array(self.classes, dtype=object)
        code = np.full(len(before), self.classes.index(self.label))
        scores = np.tile(np.array(self.shares, dtype=np.float64), (len(before), 1))
        found = before >= 0
        if known is not None and found.any():
            code[found] = _codes(class_names(known[self.target]), self.classes)[before[found]]
            scores[found] = np.array(self.moves)[code[found]]
        return Guess(labels=names[code], scores=scores)


@dataclass(frozen=True)
class Rule:
    """The user's one-line rule: positive when true, or the predicted number itself.

    ``when_true`` and ``when_false`` are the shares of the positive class among training rows
    for which the rule holds and does not hold: a probability for metrics that ask for one.
    ``otherwise`` is what a regression's rule says where a column it uses is null.
    """

    text: str
    task: Task
    classes: tuple[str, ...]
    positive: str
    when_true: float = 1.0
    when_false: float = 0.0
    otherwise: float = 0.0

    def predict(self, rows: pd.DataFrame, *, known: pd.DataFrame | None = None) -> Guess:
        """Return the rule's answer for every row; ``known`` is there for symmetry.

        Raises
        ------
        Qua3ckError
            If the rule names a column that is not there or compares text with numbers.
        """
        import numpy as np

        del known
        found = _evaluated(self.text, rows, task=self.task)
        if self.task == "regression":
            return Guess(values=np.where(np.isfinite(found), found, self.otherwise))
        at = self.classes.index(self.positive)
        holds = found.astype(bool)
        chance = np.where(holds, self.when_true, self.when_false)
        scores = np.empty((len(rows), 2))
        scores[:, at], scores[:, 1 - at] = chance, 1 - chance
        names = np.array(self.classes, dtype=object)
        return Guess(labels=names[np.where(holds, at, 1 - at)], scores=scores)


def telling_metric(name: str, costs: Costs | None) -> str:
    """Return the metric by which a model is held against a naive prediction.

    The metric itself, unless a constant answer has it for nothing: then what the decisions
    cost, where the question says so, else the nearest metric that cannot be had so.
    """
    if name not in FREE:
        return name
    return "cost_per_case" if costs is not None and name != "ece" else FREE[name]


def naive_kinds(snapshot: Snapshot, costs: Costs | None) -> tuple[Naive, ...]:
    """Return the naive predictions that suit a snapshot; the best on validation counts."""
    kinds: list[Naive] = ["mean", "median"]
    if snapshot.task != "regression":
        kinds = ["majority"]
        if costs is not None and snapshot.task == "binary":
            kinds.append("cheapest")
    if snapshot.order == "time":
        kinds.append("last_value")
    return tuple(kinds)


def fit_baseline(
    kind: Naive, snapshot: Snapshot, rows: pd.DataFrame, *, costs: Costs | None = None
) -> Baseline:
    """Return a naive prediction learned from training rows.

    Parameters
    ----------
    kind : str
        One of :func:`naive_kinds`.
    snapshot : Snapshot
        Names target, classes, time and unit.
    rows : pandas.DataFrame
        Training rows with their target.
    costs : Costs, optional
        For ``cheapest``: what a wrong decision costs.
    """
    import numpy as np

    last = kind == "last_value"
    time, unit = (snapshot.time, _unit(snapshot, rows)) if last else ("", "")
    if snapshot.task == "regression":
        target = rows[snapshot.target].to_numpy(dtype=np.float64)
        value = np.median(target) if kind == "median" else np.mean(target)
        return Baseline(
            kind, "regression", (), snapshot.target, value=float(value), time=time, unit=unit
        )
    codes = _codes(class_names(rows[snapshot.target]), snapshot.classes)
    counts = np.bincount(codes, minlength=len(snapshot.classes))
    shares = counts / counts.sum()
    label = snapshot.classes[int(np.argmax(counts))]
    if kind == "cheapest" and costs is not None:
        label = _cheapest(snapshot, shares, costs)
    moves: tuple[tuple[float, ...], ...] = ()
    if last:
        moves = _moves(rows, codes, len(counts), time=time, unit=unit)
    return Baseline(
        kind,
        snapshot.task,
        snapshot.classes,
        snapshot.target,
        label=label,
        shares=tuple(float(share) for share in shares),
        moves=moves,
        time=time,
        unit=unit,
    )


def fit_rule(text: str, snapshot: Snapshot, rows: pd.DataFrame) -> Rule:
    """Return the user's rule, with how often it is right among training rows.

    Raises
    ------
    Qua3ckError
        If the task has more than two classes, or the rule cannot be evaluated.
    """
    if snapshot.task == "multiclass":
        raise Qua3ckError(
            f'The rule "{text}" is true or false, but the target has '
            f"{len(snapshot.classes)} classes",
            where=_RULE,
            fix="remove rule:, or make the target a yes/no question",
            code="A014",
        )
    found = _evaluated(text, rows, task=snapshot.task)
    if snapshot.task == "regression":
        mean = float(rows[snapshot.target].astype("float64").mean())
        return Rule(text, snapshot.task, (), "", otherwise=mean)
    positive = class_names(rows[snapshot.target]) == snapshot.positive
    holds = found.astype(bool)
    share_true, share_false = (
        (float(positive[part].sum()) + 1.0) / (float(part.sum()) + 2.0) for part in (holds, ~holds)
    )
    return Rule(text, "binary", snapshot.classes, snapshot.positive, share_true, share_false)


def class_names(target: pd.Series[Any]) -> NDArray[Any]:
    """Return a target column's classes as text, spelled as in the snapshot's ``classes``."""
    import numpy as np
    import pyarrow as pa

    from qua3ck.understand.target import class_texts

    texts = class_texts(pa.array(target, from_pandas=True))
    return np.array(texts.to_pylist(), dtype=object)


def last_before(
    rows: pd.DataFrame, known: pd.DataFrame, *, time: str, unit: str
) -> NDArray[np.intp]:
    """Return for each row the position in ``known`` of the latest strictly earlier row.

    -1 where there is none. Of several rows at that earlier moment the last one counts; with
    ``unit``, only rows of the same unit.
    """
    import numpy as np
    import pandas as pd

    def coded(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        both = pd.concat([known[name], rows[name]], ignore_index=True)
        codes = pd.factorize(both, sort=True)[0].astype(np.int64) + 1
        return codes[: len(known)], codes[len(known) :]

    past, asked = coded(time)
    span = int(max(past.max(initial=0), asked.max(initial=0))) + 1
    own, wanted = coded(unit) if unit else (np.zeros_like(past), np.zeros_like(asked))
    key = own * span + past
    order = np.argsort(key, kind="stable")
    at = np.searchsorted(key[order], wanted * span + asked, side="left") - 1
    found = order[np.maximum(at, 0)] if len(order) else np.full(len(asked), -1)
    there = (at >= 0) & (own[found] == wanted) if len(order) else np.zeros(len(asked), bool)
    return np.where(there, found, -1).astype(np.intp)


def _unit(snapshot: Snapshot, rows: pd.DataFrame) -> str:
    """Return the column within which a series goes on: the group, else the entity."""
    parts = {column.role: column.name for column in snapshot.columns}
    listed = (snapshot.cluster, parts.get("group", ""), parts.get("entity", ""))
    return next((name for name in listed if name and name in rows.columns), "")


def _cheapest(snapshot: Snapshot, shares: NDArray[np.float64], costs: Costs) -> str:
    at = snapshot.classes.index(snapshot.positive)
    all_negative = shares[at] * costs.false_negative
    all_positive = shares[1 - at] * costs.false_positive
    return snapshot.classes[at if all_positive < all_negative else 1 - at]


def _moves(
    rows: pd.DataFrame, codes: NDArray[np.intp], classes: int, *, time: str, unit: str
) -> tuple[tuple[float, ...], ...]:
    import numpy as np

    before = last_before(rows, rows, time=time, unit=unit)
    found = before >= 0
    counts = np.ones((classes, classes))
    np.add.at(counts, (codes[before[found]], codes[found]), 1.0)
    each = counts / counts.sum(axis=1, keepdims=True)
    return tuple(tuple(float(share) for share in line) for line in each)


def _codes(names: NDArray[Any], classes: tuple[str, ...]) -> NDArray[np.intp]:
    import numpy as np

    place = {name: at for at, name in enumerate(classes)}
    return np.array([place[name] for name in names], dtype=np.intp)


def _evaluated(text: str, rows: pd.DataFrame, *, task: Task) -> NDArray[Any]:
    """Return the rule for every row: booleans, or floats for a regression; a null is false."""
    import pandas as pd

    columns = {str(name): rows[name] for name in rows.columns}
    try:
        raw = rules.evaluate(text, columns, where=_RULE)
        found = pd.Series(raw, index=rows.index)
        if task == "regression":
            return found.astype("float64").to_numpy()
        return found.astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    except (TypeError, ValueError, NotImplementedError) as problem:
        wanted = "a number" if task == "regression" else "true or false"
        raise Qua3ckError(
            f'The rule "{text}" gives no answer ({type(problem).__name__})',
            where=_RULE,
            fix=f"compare numbers with numbers and text with text; the result must be {wanted}",
            code="A014",
        ) from problem


def naive_for(question: Question, snapshot: Snapshot, rows: pd.DataFrame) -> tuple[Baseline, ...]:
    """Return every naive prediction that suits the question, fitted on ``rows``."""
    return tuple(
        fit_baseline(kind, snapshot, rows, costs=question.costs)
        for kind in naive_kinds(snapshot, question.costs)
    )
