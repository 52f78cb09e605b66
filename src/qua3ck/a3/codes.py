"""The pages behind the codes that A³ can raise or find."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "A001",
        "Training score far above validation score",
        "The candidate is better on the rows it was fitted on than on rows it had not seen, by "
        "more than 0.03 (for metrics without an upper bound: 3 % of the score). Forests and "
        "nearest neighbours know their training rows by heart and show this often; the "
        "validation score is the one to believe.",
        "A tree without a depth limit reaches 1.00 on its training rows and 0.78 on others.",
        "Bring more rows, leave out columns without influence, or offer a simpler candidate.",
    ),
    CodePage(
        "A002",
        "More rows would still help",
        "The validation score was still rising with the last fifth of the training rows.",
        "0.71 with 800 rows, 0.74 with 1,000 rows.",
        "Gather more rows before spending time on tuning.",
    ),
    CodePage(
        "A003",
        "A random split says something else",
        "Rows are grouped or in time order. On a random split a model may meet other rows of a "
        "group it is checked on, or look into the future, so that score is too good. Both are "
        "shown; only the one that follows the declared split is used.",
        "Late shipments: ROC AUC 0.88 on a random split, 0.73 forward in time.",
        "Nothing to cure: expect the lower number. A large difference says that groups or time "
        "matter much.",
    ),
    CodePage(
        "A004",
        "No gain over the naive baseline beyond doubt",
        "The lower bound of the gain over the baseline on validation rows is not above zero. A "
        "candidate that does not beat the baseline on the sealed rows is not released.",
        "Accuracy 0.79 where always saying no reaches 0.78, on 300 rows.",
        "Adapt features first; look for columns that the decision really rests on. If the "
        "baseline is good enough, use the baseline.",
    ),
    CodePage(
        "A005",
        "Seeds move the score as much as the model does",
        "Five fits that differ in the seed alone spread by more than half of the gain over the "
        "baseline: the next fit may be visibly worse.",
        "Gain 0.010, standard deviation over seeds 0.008.",
        "Use more trees, more rows, or an algorithm without chance in it.",
    ),
    CodePage(
        "A006",
        "Trials used a part of the rows",
        "Of large tables each trial uses about 20,000 rows, drawn within the folds (the latest "
        "ones where time decides), so that the budget buys more trials. The chosen candidate is "
        "then checked and fitted on all training rows.",
        "50,000 training rows, trials on 20,000 of them.",
        "Nothing to cure. Hyperparameters that depend on the number of rows may be a little too "
        "cautious.",
    ),
    CodePage(
        "A007",
        "A library warned while fitting",
        "scikit-learn or LightGBM had something to say, such as that a solver stopped early.",
        "lbfgs failed to converge after 2000 iterations.",
        "Usually harmless for the score. Scale or clip columns with extreme values.",
    ),
    CodePage(
        "A008",
        "Tuning before features",
        "None of the untuned candidates is better than the naive baseline on validation rows. "
        "Tuning then mostly finds chance. The order that works: baseline, features, tuning, and "
        "more complex models only if a KPI is still missed.",
        "Five algorithms with good defaults reach 0.51, the baseline 0.50; 60 trials reach 0.53.",
        "Adapt features first: bring columns that know something about the target.",
    ),
    CodePage(
        "A009",
        "Some trials failed",
        "An estimator raised an error or could not be scored. The others were compared without "
        "it; the reason stands in the finding and in the run.",
        "A function of the project returned an estimator that does not accept missing values.",
        "Correct the function at the line that is named, or leave the candidate out.",
    ),
    CodePage(
        "A010",
        "No validation folds can be made",
        "There is only one group, only one moment, or no part of the rows with two classes.",
        "group: country, and every training row is from one country.",
        "Load rows of more groups or moments, or correct group: and time:.",
    ),
    CodePage(
        "A011",
        "A candidate was scored before the baseline",
        "The loop refuses it: a score means nothing before it is known what no model reaches.",
        "A call of the inner functions that leaves the baseline out.",
        "Use the loop, which scores baseline and rule first.",
    ),
    CodePage(
        "A012",
        "Every trial failed",
        "No candidate could be scored; the first reason is named with function and line.",
        "The only candidate is a function of the project, and it raises.",
        "Correct what is named, or add a built-in candidate such as random_forest.",
    ),
    CodePage(
        "A013",
        "A stop_if rule of the question holds",
        "The question says under which conditions the work is to stop, and one of them is met. "
        "The loop ends and the ledger says so.",
        "stop_if: [rows < 1000], and there are 800 rows.",
        "Do what the rule was written for: gather rows, or ask another question. Changing the "
        "rule is possible and stays visible.",
    ),
    CodePage(
        "A014",
        "The one-line rule gives no answer",
        "The rule names something it cannot compare, or the target has more than two classes.",
        "rule: balance > 'high', where balance is a number.",
        "Compare numbers with numbers and text with text.",
    ),
    CodePage(
        "A015",
        "No trial meets every promise",
        "Besides the first KPI, the others (and latency, size, explainability, fairness gaps) "
        "are limits. No trial was inside all of them on validation rows.",
        "explainable is wanted and no logistic regression or decision tree is a candidate.",
        "Offer candidates that can meet the limit, or ask whether the limit is the right one.",
    ),
    CodePage(
        "A016",
        "The one-line rule may do",
        "On validation rows the gain over the rule could be nothing.",
        "rule: arrears > 2 finds as many defaults as the forest.",
        "Use the rule: it needs no training, no monitoring of a model and no approval of one.",
    ),
    CodePage(
        "A017",
        "The artefact is not the one that was kept",
        "A loop that had ended left a candidate whose files have changed since.",
        "A file in candidates/ was edited.",
        "Delete the folder that is named and run the loop again.",
    ),
    CodePage(
        "A018",
        "The decision threshold is not one half",
        "Rows get the positive class from another probability than 0.5 on: where the question "
        "states costs, from where that is cheaper; else from where the KPIs are met best. It was "
        "chosen on validation rows and ships in the release's prelude.",
        "A missed default costs five times a refusal: refuse from a probability of 0.17 on.",
        "Nothing to cure. Change question.costs or the KPIs to move it.",
    ),
    CodePage(
        "A020",
        "A trial could not be noted",
        "The disk is full or may not be written. The trials before it are kept.",
        "No space left on device.",
        "Free some space and run the loop again; it goes on where it stopped.",
    ),
    CodePage(
        "A021",
        "One column carries the model",
        "Shuffled among validation rows, one column costs at least two fifths of the whole gain "
        "over the baseline and three times what the next column does. Often such a column is "
        "written after the outcome, or because of it.",
        "The length of a sales call tells best who will buy; it is known when the call is over.",
        "Ask who writes the column and when. If it is not known when the prediction is made: "
        "known_at_prediction: {exclude: [duration]}. If it is, nothing is to be cured.",
    ),
    CodePage(
        "A022",
        "A library of the system is missing",
        "LightGBM, which does gradient_boosting, needs the OpenMP runtime of the system"
        " (libgomp on Linux). Small container images come without it.",
        "libgomp.so.1: cannot open shared object file",
        "Install it (Debian, Ubuntu: apt-get install libgomp1; macOS: brew install libomp), or"
        " leave gradient_boosting out of a3.candidates.",
    ),
)
