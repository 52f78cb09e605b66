"""The pages behind the codes of batch prediction."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "O040",
        "The ledger does not verify",
        "Which version counts is what the signed ledger says. A ledger that was changed says"
        " nothing, so no table is predicted.",
        "An alias move was edited to look as if version 7 had been promoted.",
        "Type qua3ck audit verify: it names the line. Restore ledger/ from a backup that verifies.",
    ),
    CodePage(
        "O041",
        "No version has this alias",
        "The alias points to no version: none was promoted yet, or it was taken away.",
        "qua3ck predict stock --to scores, in a project whose first version waits for approval.",
        'Promote one: qua3ck promote --reason "why"; or name a version that was promoted once'
        " with --version.",
    ),
    CodePage(
        "O042",
        "A version that was never promoted",
        "The version was made, but no gate has let it through to any alias: it may be tried, not"
        " used.",
        "qua3ck predict stock --to scores --version 4, made an hour ago.",
        "Let it through as one that is only compared:"
        ' qua3ck promote 4 --alias shadow --reason "why"',
    ),
    CodePage(
        "O043",
        "The version answers otherwise here",
        "Every version carries golden rows with the answers they must always get. On this machine"
        " one comes out otherwise, so nothing is predicted.",
        "Another release of onnxruntime is installed, in which an operator was changed.",
        "Install the packages of the version's requirements.txt, and see: qua3ck reproduce VERSION",
    ),
    CodePage(
        "O044",
        "A value that the version cannot read",
        "A cell is there, but is no number, no date, or neither true nor false where the version"
        " needs one, or a fraction where every training row held a whole number. Its row is held,"
        " with this code; the others are answered.",
        'Income is "n/a" in one row: answering it as if it were empty would be a guess.',
        "Look at the rows in the table that ends in _held (or the file with .held in its name),"
        " correct them where they come from, load and predict again.",
    ),
    CodePage(
        "O045",
        "A value that no training row had, refused",
        "The project file says of this column that what lies outside the training rows is not"
        " answered (operate.serve.refuse_outside). The row is held.",
        "Age is 430: the model would answer, and nobody could say what that answer is worth.",
        "Correct the value, or decide with the owner that such rows are to be answered and marked.",
    ),
    CodePage(
        "O046",
        "A value that no training row had, marked",
        "Beyond the range of training, or an unknown category. The row is answered; its column"
        " strange names the columns.",
        "A new district: its rows get an answer, learned from the other districts.",
        "Ask whether those answers may be used; if not, declare operate.serve.refuse_outside.",
    ),
    CodePage(
        "O047",
        "The table is not there, or changed at this moment",
        "The table was declared but never loaded or made, or a load came in between counting its"
        " rows and reading them.",
        "qua3ck predict stock --to scores, before the first qua3ck load.",
        "Load it: qua3ck load; or type the same again.",
    ),
    CodePage(
        "O048",
        "No such file",
        "A word that ends in .csv or .parquet is the path of a file, from where you type.",
        "qua3ck predict new.csv ../stock --to scores, where new.csv lies in ../stock.",
        "Correct the path.",
    ),
    CodePage(
        "O049",
        "The same prediction is being made already",
        "Another process predicts the same table to the same place.",
        "A scheduled run is still at work when somebody types the command.",
        "Wait until it is done.",
    ),
    CodePage(
        "O050",
        "Not a place for predictions",
        "Predictions are kept in tables of their own layer, or in a file; never in one that loads"
        " or queries write.",
        "qua3ck predict stock --to gold/stock would mix what was observed with what was answered.",
        "Name a table (--to scores, kept as predictions/scores), or a .csv or .parquet file.",
    ),
    CodePage(
        "O051",
        "A column that the version reads is missing",
        "The table has other columns than the version was trained on. A column that is not there"
        " is not taken for empty: the answers would look right. What the training function makes"
        " exists in training alone.",
        "The new file says revenue where training said income.",
        "Rename the column, or add it; qua3ck report shows what the version reads. Make features in"
        " a gold table: training reads it, and qua3ck predict THAT_TABLE --to scores answers it.",
    ),
    CodePage(
        "O052",
        "An empty table",
        "There are 0 rows. That is never a prediction that went well.",
        "A filter in the query of a gold table lets nothing through since the new year.",
        "Look at what was loaded: qua3ck load --history",
    ),
    CodePage(
        "O053",
        "A column that cannot be copied",
        "--key names a column that the table does not have, or one that every answer has already.",
        "--key label, where label is the answer.",
        "Use a name from the message, or rename the column in the table.",
    ),
    CodePage(
        "O054",
        "Rows were lost or came twice",
        "Rows in must be rows answered and rows held. They were not, so nothing was written.",
        "A file of the table was replaced by hand while it was read.",
        "Type the same again. If it stays: qua3ck audit verify, and please report it.",
    ),
    CodePage(
        "O055",
        "The key is personal and was not copied",
        "The declared key looks personal, or its contract says so. Answers say which row of which"
        " version of the table they belong to, so nothing is lost by leaving it out.",
        "key: [phone] would put a telephone number beside every score.",
        "If whoever gets the answers may see it: --key COLUMN.",
    ),
    CodePage(
        "O056",
        "No value where every training row had one",
        "The cell is empty or infinite, and the version has never seen that in this column. Its"
        " row is held, as a request with it would be refused: what the model would say rests on"
        " nothing.",
        "Income is missing in 40 rows, because a form has a new page that nobody fills in.",
        "Correct the rows where they come from. If such rows are to be expected from now on,"
        " train on rows that have them.",
    ),
    CodePage(
        "O057",
        "Serving is switched off",
        "Somebody switched the model off for a reason. A table is not predicted then: nobody waits"
        " for it, and answers of a rule among those of a model would be told apart by no column.",
        "A nightly run predicts 40,000 rows by a model that was switched off in the afternoon"
        " because two limits were swapped.",
        'Once it is mended: qua3ck off --on --reason "why", then type the same again. To have a'
        " version answer all the same, name it with --version; the ledger keeps that it did.",
    ),
    CodePage(
        "O058",
        "The alias is ahead of the version in use",
        "champion points to a version that is being rolled out by steps, or whose rollout was"
        " stopped. Tables are answered by the version that a server gives to all others.",
        "operate.canary is [20, 100] and version 2 is at 20 %: version 1 answers the table.",
        "Wait for the last step, or name the version with --version. After a stop move the alias"
        ' back: qua3ck rollback --reason "why".',
    ),
)
