"""The pages behind the codes that Q can raise; ``qua3ck explain CODE`` shows them."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "Q001",
        "No such metric",
        "A KPI or a fairness gap names a metric that does not exist. Nothing is guessed: a KPI"
        " on the wrong metric would be a promise nobody made.",
        'metric: acuracy is refused; did you mean "accuracy"?',
        "Write one of the metrics that qua3ck explain metrics lists.",
    ),
    CodePage(
        "Q002",
        "Accuracy alone, and the class that matters is rare",
        "Fewer than 5 % of the rows are of the class that matters and accuracy is the only"
        " metric about decisions. Calling every row the other class would pass.",
        "2 % of the loans default. A model that never warns has accuracy 0.98 and finds none.",
        "Add recall or precision of the rare class, or balanced_accuracy, or average_precision;"
        " where a missed row costs more than a false alarm, state costs and use cost_per_case.",
    ),
    CodePage(
        "Q003",
        "The metric cannot be computed on these rows",
        "The number does not exist here: no row of the kind it is about, one class only, a"
        " group without rows, a true value of zero for a percentage error, or a predictor that"
        " gives no probabilities. A number that does not exist never counts as a pass.",
        "Recall on 40 rows without one positive row is 0 of 0, neither 0 nor 1.",
        "Gather rows of the missing kind, or choose a metric that these rows can answer.",
    ),
    CodePage(
        "Q004",
        "An id is used twice, or is the name of a fact",
        "Verdicts, alarms and the ledger know a KPI by its id alone, and stop_if rules use the"
        " ids beside facts such as rows and gain: each must mean one thing.",
        "Two KPIs called recall_stockout; or a KPI called rows.",
        "Give each KPI and each fairness gap an id of its own that is not a fact's name: rows,"
        " train_rows, test_rows, opened, trials, minutes, gain.",
    ),
    CodePage(
        "Q005",
        "The metric does not fit the place it stands in",
        "A gap between groups belongs under fairness, where by names the groups, and only gaps"
        " belong there. cost_per_case needs costs. Latency, size and explainability are measured"
        " for the whole model and cannot be sliced.",
        "kpis: [{id: gap, metric: demographic_parity_difference, at_most: 0.1}] does not say"
        " between which groups.",
        "Move the gap to fairness and add by, or state costs, or take the slice away.",
    ),
    CodePage(
        "Q006",
        "The metric is not defined for this target",
        "The target has two classes, several classes, or is a number, and each metric is defined"
        " for some of these only. The message lists those that are possible.",
        "Recall of a target with three classes: recall of which of them?",
        "Choose one of the metrics listed; for several classes balanced_accuracy or macro_f1,"
        " for numbers mae or rmse.",
    ),
    CodePage(
        "Q007",
        "The threshold is outside what the metric can be",
        "No model could ever meet or ever miss it, so the promise is empty. Shares are numbers"
        " from 0 to 1, not percent.",
        "accuracy, at_least: 95 can never be met; meant was 0.95.",
        "Write the threshold in the metric's unit, within the range that the message names.",
    ),
    CodePage(
        "Q008",
        "The threshold stands against the sense of the metric",
        "at_most on a metric where more is better, or at_least on one where less is better:"
        " the worst model would pass.",
        "recall, at_most: 0.8 is met by a model that finds nothing.",
        "Swap at_least and at_most.",
    ),
    CodePage(
        "Q009",
        "The positive class is not among the target's values",
        "Recall, precision and the like are about the class that positive names, and no row has"
        " it. Classes are compared as text, letter by letter.",
        "positive: Bad, while the column holds bad and good.",
        "Write one of the target's values; or leave positive out, then it is the last one when"
        " sorted: yes of no and yes, 1 of 0 and 1.",
    ),
)
