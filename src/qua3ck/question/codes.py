"""The pages behind the codes that Q can raise; ``qua3ck explain CODE`` shows them."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "Q001",
        "Unknown metric",
        "A KPI or a fairness gap names a metric that does not exist.",
        "metric: acuracy",
        "Write the name as listed by: qua3ck explain metrics.",
    ),
    CodePage(
        "Q002",
        "Accuracy is the only metric of a rare class",
        "The class that matters is fewer than 5 % of the rows, and accuracy is all that is asked:"
        " calling every row the other class would already look excellent.",
        "2 % of the loans default; a model that approves everybody is right in 98 % of cases.",
        "Add a KPI on recall, precision, balanced_accuracy or average_precision.",
    ),
    CodePage(
        "Q003",
        "A metric cannot be computed on these rows",
        "What it needs is not there: no scores, no row of the kind it is about, one class only,"
        " a column for the groups that does not exist. The verdict is then undecided, never pass.",
        "ROC AUC on a slice whose rows are all of one class.",
        "Gather rows of the missing kind, or choose a metric these rows can answer.",
    ),
    CodePage(
        "Q004",
        "An id is used twice",
        "Two KPIs or gaps share an id, or an id is also the name of a fact that stop_if rules"
        " use; a verdict could then not be told from another.",
        "- {id: recall, ...} and again - {id: recall, ...}",
        "Give each its own id, for example recall_all and recall_north.",
    ),
    CodePage(
        "Q005",
        "A metric stands in the wrong place",
        "A gap between groups is declared as a KPI, a plain metric under fairness, a slice of"
        " something that is measured for the whole model, or cost_per_case without costs.",
        "kpis: - {id: gap, metric: accuracy_difference, at_most: 0.1}",
        "Declare gaps under fairness with by: column; declare costs beside the KPIs.",
    ),
    CodePage(
        "Q006",
        "A metric does not fit the task",
        "The target turned out to be of a kind the metric is not defined for.",
        "rmse of a yes/no target; recall of five classes.",
        "Take a metric from the list in the message: balanced_accuracy or macro_f1 for more"
        " than two classes, mae or rmse for numbers.",
    ),
    CodePage(
        "Q007",
        "A threshold outside what the metric can be",
        "No result could ever meet, or ever miss, this threshold.",
        "accuracy at_least: 95, where 0.95 was meant.",
        "Write shares between 0 and 1.",
    ),
    CodePage(
        "Q008",
        "A threshold against the sense of the metric",
        "at_most is declared for a metric where more is better, or at_least where less is.",
        "accuracy at_most: 0.9 would be failed by a good model.",
        "Swap at_least and at_most.",
    ),
    CodePage(
        "Q009",
        "The positive class is not among the target's values",
        "positive: names a value that the target does not take. Undeclared, the last of the"
        " sorted values is the positive one: 1 of 0/1, yes of no/yes.",
        "positive: bad, while the target has the values 0 and 1.",
        "Write the value as it stands in the table.",
    ),
    CodePage(
        "Q010",
        "Whom a wrong number hits",
        "question.risk.affects decides the risk class, and with it the gates of a promotion. It"
        " is not answered, or it says that no people are affected while fairness gaps or"
        " sensitive columns, which are attributes of persons, are declared. Unanswered, the"
        " strictest class holds: two persons must approve.",
        "A score for mortgages with sensitive: [sex] and affects: organisation.",
        "Write under question: risk: {affects: people, domain: credit, automated: false}.",
    ),
    CodePage(
        "Q011",
        "Who agreed to the thresholds",
        "The people named under question.roles sign the question with everything in it that moves"
        " a verdict: numbers, slices and groups, costs, positive class, risk answers. This"
        " says who agreed to it as it stands, who to an earlier one and what was changed since,"
        " and whether that was before or after the seal was first opened. Above the risk class"
        " minimal it is a warning if one of them had not agreed in time, or nobody is named: a"
        " threshold that is agreed to when the result is known may have been chosen to fit it.",
        "The analyst lowers at_least from 0.80 to 0.75 on the day the verdict is seen; the"
        " signature under 0.80 stays, and is shown beside the new number.",
        'Each of them types, before the seal is opened: qua3ck approve --question --reason "..."',
    ),
    CodePage(
        "Q012",
        "The seal stays shut until the question is agreed to",
        "Somebody named under question.roles has refused the question as it stands; or"
        " conclude.agreed_first asks that all of them agree first, and one has not. Nothing was"
        " opened and nothing is lost.",
        "conclude: {agreed_first: true}, a threshold is edited, and the old signatures no longer"
        " cover it.",
        'Talk; then each types: qua3ck approve --question --reason "..."',
    ),
)
