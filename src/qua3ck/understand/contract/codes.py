"""The pages behind the codes of contracts: findings U070 to U089, errors U151 to U155, U172."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U070",
        "The table is empty",
        "No row came. Every rule of the contract fails: a check of nothing has passed nothing.",
        "The export ran before the day's data were there, and sent the header alone.",
        "Ask for the file again. What was loaded before stays as it is.",
    ),
    CodePage(
        "U071",
        "An agreed value is missing",
        "A column that must be filled is empty, or holds a marker that was agreed to mean nothing.",
        "weight_kg is required, and empty in 12 of 4,310 rows.",
        "Have the rows completed: they wait in quarantine. If empty is fine, take required: out.",
    ),
    CodePage(
        "U072",
        "A value does not fit its pattern",
        "Something in the cell is not as the pattern says. Patterns are searched for, as in "
        "JSON Schema: without ^ and $ a longer text that contains the pattern fits too.",
        "D17 where ^D[0-9]{3}$ is agreed.",
        "Correct the cell, or the pattern if it was drawn too narrow.",
    ),
    CodePage(
        "U073",
        "A value lies outside its range",
        "It is below the least or above the greatest value agreed, or no multiple of its step.",
        "A child of 340 kg: the point was lost.",
        "Correct the cell, or widen the range to what is possible.",
    ),
    CodePage(
        "U074",
        "A text is too short or too long",
        "It has fewer or more characters than agreed.",
        "A telephone number of six digits.",
        "Correct the cell, or the limits.",
    ),
    CodePage(
        "U075",
        "A value is not one of those agreed",
        "The column may hold certain values only, and this is another one.",
        "Outpatient where the contract lists outpatient.",
        "Correct the cell; or add the value to the list, if it is a new one.",
    ),
    CodePage(
        "U076",
        "What should be there once comes twice",
        "What should name each row once names several. If these rows differ, all of them are "
        "held: which is right cannot be known here. If they are equal, the first goes on.",
        "Facility 017 reported May twice, with 40 and with 400 cartons.",
        "Ask which is right, and answer (leave out) for the others through qua3ck quarantine, or "
        "remove them from the file; or agree on a key that tells them apart.",
    ),
    CodePage(
        "U077",
        "A value refers to nothing",
        "The table it points to does not have it.",
        "District D299, which is in no list of districts.",
        "Correct the value, or load the newer list first.",
    ),
    CodePage(
        "U078",
        "Two tables tell different things",
        "For the same key another table has another value, beyond the tolerance agreed.",
        "The p-code says Bamako, the name says Kayes.",
        "Ask which is right. A rounding difference is a tolerance.",
    ),
    CodePage(
        "U079",
        "Parts do not add up to the total",
        "The sum of the parts, in a row or over a group, is not the total.",
        "12 girls and 15 boys, 25 children.",
        "Correct the part or the total at its source.",
    ),
    CodePage(
        "U080",
        "A rule in SQL is not met",
        "Rows meet the condition of a query that must count none.",
        "Delivered before it was ordered.",
        "The contract's line is in the finding; correct the rows, or the rule.",
    ),
    CodePage(
        "U081",
        "A figure of the table is not as agreed",
        "A count, a share or an average of the whole table lies outside its bound.",
        "800 rows where more than 1,000 are agreed.",
        "Look whether something is missing, or twice; or agree on another bound.",
    ),
    CodePage(
        "U082",
        "Expected rows are missing",
        "Not every unit has a row in every period. An empty cell would show this, a row that "
        "never came does not.",
        "Four districts sent nothing in May.",
        "Ask the units for them. Declare from:, to: or unitsIn: if too many, or too few, are "
        "expected; classification: public on the unit's column lets findings name them.",
    ),
    CodePage(
        "U083",
        "The newest rows are too old",
        "The table, or a reporting unit in it, has nothing newer than agreed.",
        "Three clinics have not reported for six weeks; the table as a whole looks fresh.",
        "Ask them. classification: public on the unit's column lets findings name them.",
    ),
    CodePage(
        "U084",
        "Rows are nearly the same",
        "Texts share most of their three-letter pieces: one person or report, typed in twice.",
        "Fatima Hassan and Fatimah Hassan, born on one day in one village.",
        "Look at the pairs, and merge what is one. Raise alike: if different ones are paired.",
    ),
    CodePage(
        "U085",
        "The columns are not those agreed",
        "A column of the contract is missing or has another type; that blocks. A column that "
        "nobody agreed on is told.",
        "The new export calls it income instead of monthly_income.",
        "Rename it at the source, or change the contract and tell whoever relies on it.",
    ),
    CodePage(
        "U086",
        "A rule was not applicable",
        "It is text, or for another engine, or a table it needs is not there. It was not "
        "executed and does not count as passed.",
        "engine: soda, in a contract that another tool reads too.",
        "Nothing, if another tool does it. Else say it as a metric, SQL over its own table, or "
        "engine: qua3ck.",
    ),
    CodePage(
        "U087",
        "Too large a part of the batch fails",
        "More than half of the rows (or holdAtMost, of the table's customProperties) would be "
        "held. Then something is wrong with all of them, and the batch is held as a whole.",
        "The decimal mark changed, and nine weights in ten are out of range.",
        "Look at one rule and one row, and correct how the source is read.",
    ),
    CodePage(
        "U088",
        "Cells look wrong",
        "They differ from their column, or contradict their row, in a way that mistakes do. No "
        "rule was broken, nothing was changed or held.",
        "birminghxm once, birmingham 75 times.",
        "Look at the rows. What is truly wrong can become a rule of the contract.",
    ),
    CodePage(
        "U089",
        "Test rows are nearly training rows",
        "Their texts share most of their pieces with a training row of the same categories; "
        "numbers and dates may differ, and what many rows say does not count. A model that only "
        "remembers would be right on them.",
        "The same complaint, sent twice with another greeting.",
        "Remove the repeats, or declare group: so that they share a side.",
    ),
    CodePage(
        "U151",
        "A contract cannot be read",
        "The file is not there, not UTF-8, not YAML, empty, or nested without end.",
        "A tab in front of a key.",
        "Correct the line named. Draft a contract with: qua3ck contract propose SOURCE.",
    ),
    CodePage(
        "U152",
        "A contract says what the standard does not",
        "A key, a type or a word is not that of the Open Data Contract Standard 3.1. An unknown "
        "key would be dropped without a word by others, and a check with it.",
        "requird: true",
        "Correct the line named. What is your own goes under customProperties:.",
    ),
    CodePage(
        "U153",
        "A rule of a contract cannot be right",
        "Its pattern is no pattern, its least value is above its greatest, or it names a column "
        "that the contract does not list.",
        "minimum: 40 with maximum: 4",
        "Correct the line named.",
    ),
    CodePage(
        "U154",
        "There is a file already",
        "A draft never takes the place of a file: a contract is an agreement.",
        "qua3ck contract propose, a second time.",
        "Write it beside with --into FILE, and compare.",
    ),
    CodePage(
        "U172",
        "The draft of a contract cannot be written",
        "The folder is not there, is a file, or may not be written; the name is that of a folder "
        "or does not end in .yaml; or the disk is full. Nothing was written.",
        "qua3ck contract propose stock --into /proc/stock.yaml",
        "Name a file that you may write: qua3ck contract propose SOURCE --into FILE.",
    ),
    CodePage(
        "U155",
        "The contract does not describe the table",
        "It describes several tables, and none has the name of the source; or none at all.",
        "The source is called stock, the tables facility_stock and district_stock.",
        "Name the source like its table, or point contract: to another file.",
    ),
)
