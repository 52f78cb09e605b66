"""The pages behind the codes that C can raise; ``qua3ck explain CODE`` shows them."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "C001",
        "Not better than the naive baseline beyond doubt",
        "On the sealed rows the candidate's gain over the naive baseline could be zero: the"
        " lower bound of the paired difference is not above zero.",
        "Accuracy 0.93 sounds good until the majority class alone gives 0.92.",
        "Look at the features before the tuning: qua3ck loop says which of the three A's would"
        " help most. If the baseline is good enough, use the baseline.",
    ),
    CodePage(
        "C002",
        "A KPI fails",
        "Even the favourable end of the interval misses the threshold: this is not bad luck"
        " with few rows.",
        "Recall 0.61 [0.55, 0.67], wanted >= 0.80: also 0.67 is too little.",
        "Improve the data or the features and conclude a new candidate, or settle with the"
        " owner of the question for less; the ledger shows a moved threshold for ever.",
    ),
    CodePage(
        "C003",
        "A KPI is undecided",
        "The interval contains the threshold: the sealed rows fit with a pass and with a fail."
        " Undecided never counts as pass.",
        "28 of 30 right is 0.93, but anything from 0.80 to 0.99 would fit as well; nobody can"
        " say from 30 rows that accuracy is above 0.95.",
        "Gather more rows (the line above says about how many would decide it, and which way)"
        " or promise less. Another model will not shrink the interval.",
    ),
    CodePage(
        "C004",
        "A slice does not hold",
        "A KPI that was promised for each part of the data fails or is undecided in one part."
        " A part with too few rows is undecided, never skipped.",
        "Recall is 0.85 over all regions and 0.52 in the north.",
        "Gather rows for the part, or exclude the part from use in writing: change the question.",
    ),
    CodePage(
        "C005",
        "A fairness gap does not hold",
        "The difference between groups of people may be larger than the question allows, or a"
        " group has too few rows to know.",
        "Of those who would repay, 4 % of the men and 11 % of the women are refused.",
        "Look at the share of each group in the training rows and at the columns that stand in"
        " for the group; more rows of the smaller group decide an undecided gap.",
    ),
    CodePage(
        "C006",
        "What ships differs from what was trained",
        "On the sealed rows the packaged model decided differently from the trained pipeline, or"
        " a probability differs by more than 1e-5. Conversion can succeed and be silently wrong.",
        "A text column with umlauts is split differently by the converted tokenizer.",
        "Run the loop again; if it comes back, let the Python pipeline ship instead of ONNX.",
    ),
    CodePage(
        "C007",
        "A promise was changed after a verdict",
        "Somebody who could know the result moved what was asked of it: a threshold, a confidence,"
        " slices or groups and the rows they need, costs, positive class, risk answers, stop rules,"
        " or which KPI leads. That is allowed and stays visible in every report from then on, with"
        " what stood before and after.",
        "Recall came out at 0.77; the question then said at_least: 0.75 instead of 0.80.",
        "Nothing to cure: say in the release's reason why the new promise is the right one.",
    ),
    CodePage(
        "C008",
        "Not better than the one-line rule beyond doubt",
        "The rule in the project file may decide as well as the candidate does.",
        "balance > 1000 catches as many defaults as 300 trees.",
        "Prefer the rule: it is quicker, smaller and everybody understands it.",
    ),
    CodePage(
        "C009",
        "Not better than the champion beyond doubt",
        "On the same sealed rows the version now in use is better than, or may be as good as,"
        " the candidate.",
        "The candidate gains 0.002 [-0.006, 0.010] over version 3.",
        "Keep the champion unless there is another reason to change; write it into the reason.",
    ),
    CodePage(
        "C010",
        "Errors concentrate in a part of the data",
        "One group of rows is wrong clearly more often than the rest, after allowing for how"
        " many groups were looked at (Fisher's exact test, Holm). Groups under 30 rows are"
        " not shown.",
        "Applicants without a home record are wrong in 41 % of the cases, the others in 22 %.",
        "Look at the column in the profile; declare the part as a slice if it matters.",
    ),
    CodePage(
        "C011",
        "Probabilities are off",
        "Where the candidate says 70 %, it happens clearly more or less often: in at least one"
        " bin the observed share's interval, shared over the bins, leaves the predicted mean out.",
        "Of 200 rows with a score near 0.9, 150 were positive.",
        "Use the ranking rather than the number, or calibrate with more rows.",
    ),
    CodePage(
        "C012",
        "A class is missing from the sealed rows",
        "No sealed row has this class, so nothing is known about it.",
        "Three kinds of flower in training, two in the test rows.",
        "Gather rows of the class, or seal a larger share.",
    ),
    CodePage(
        "C013",
        "The champion could not be compared",
        "The version now in use could not predict the sealed rows: its files differ from their"
        " recorded hash, or it needs a column that these rows do not have.",
        "A column that version 2 uses was dropped from the training table.",
        "Restore the release from a copy, or say why the comparison is not needed.",
    ),
    CodePage(
        "C014",
        "The sealed rows were read again",
        "The same candidate was judged on the same rows once more: after a crash, a changed"
        " question or a changed budget of openings. It is in the ledger and uses no opening.",
        "The power failed between the opening and the verdict.",
        "Nothing to cure.",
    ),
    CodePage(
        "C015",
        "The candidate does not belong to the snapshot",
        "The candidate was trained on another snapshot than the one whose seal would be opened,"
        " so the sealed rows could be rows it has learned from.",
        "The source was loaded again, and the loop was not.",
        "Run: qua3ck loop",
    ),
    CodePage(
        "C016",
        "The judging process ended without a verdict",
        "The process that reads the sealed rows was ended or ran out of memory. The opening is"
        " in the ledger; concluding the same candidate again reads the rows again without"
        " using another opening.",
        "The machine had 2 GB and the table needed three.",
        "Run the same command again; if it comes back, give the machine more memory.",
    ),
    CodePage(
        "C017",
        "The candidate cannot predict the sealed rows",
        "A function inside the pipeline stopped on a value that the training rows did not have."
        " It would stop in use as well.",
        "A mapping of regions without an entry for a region that only two rows have.",
        "Make the function take every value its columns can have, then run: qua3ck loop",
    ),
    CodePage(
        "C018",
        "The rivals were changed",
        "The naive baseline or the rule kept with the candidate is not what its training rows"
        " give; a weaker rival would make any candidate look better.",
        "Somebody edited the baseline's class in evidence/candidate-....json.",
        "Restore evidence/ from a copy, or run the loop again: qua3ck loop",
    ),
)
