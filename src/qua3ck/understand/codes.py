"""The pages behind the codes of U: findings U001 to U099, errors from U101."""

from qua3ck.kit.findings import CodePage
from qua3ck.understand.contract.codes import PAGES as CONTRACT
from qua3ck.understand.gold.codes import PAGES as GOLD
from qua3ck.understand.loading.codes import PAGES as LOADING
from qua3ck.understand.sources.csv_codes import PAGES as DELIMITED
from qua3ck.understand.sources.excel_codes import PAGES as EXCEL
from qua3ck.understand.sources.json_codes import PAGES as JSON
from qua3ck.understand.sources.remote_codes import PAGES as REMOTE

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U001",
        "A column gives the target away",
        "On rows it was not fitted on, this one column predicts the target (nearly) without "
        "error. It was most likely computed from the outcome, or written down after it.",
        "days_overdue in a table that predicts default: it is counted after the default.",
        "Name it under known_at_prediction: {exclude: [...]}. If it truly is known before, "
        "write the reason: accept: {U001: measured at application, audited in May}.",
    ),
    CodePage(
        "U002",
        "A column predicts the target almost perfectly",
        "One column alone reaches an AUC, balanced accuracy or R squared of 0.99. That happens "
        "in nature, but a leak is likelier.",
        "A follow-up letter is sent only to those who did not pay.",
        "Ask who writes the column, and when. Exclude it if that is after the decision.",
    ),
    CodePage(
        "U003",
        "A column names rows",
        "Nearly every row has its own value, or the values count the rows. A model could only "
        "learn rows by heart from it; it was left out.",
        "The row number of a table sorted by outcome predicts the outcome, until new rows come.",
        "Declare it as entity: if it names what a row is about; or columns: {name: category} "
        "if it describes after all.",
    ),
    CodePage(
        "U004",
        "Rows on both sides of the split look the same",
        "Test rows equal a training row in every column that the model is given.",
        "The same form was sent twice, with another id each time.",
        "Remove true duplicates in the training function; without entity: equal rows always "
        "share a side.",
    ),
    CodePage(
        "U005",
        "A group or entity is on both sides",
        "Rows of one person, household or place are in the training and in the test rows. The "
        "model knows them already; new ones will be harder.",
        "Three visits of one child: two to learn from, one to be tested on.",
        "Declare group: with the column that names what must stay together.",
    ),
    CodePage(
        "U006",
        "Training rows are not older than the test rows",
        "The model could learn from what happened after the moment it is tested at.",
        "The training function moved some dates after the split was fixed.",
        "Keep the time column as it was recorded; rows before the cutoff are training rows.",
    ),
    CodePage(
        "U007",
        "A column is not known at prediction time",
        "It is declared under known_at_prediction and was left out of the model. The finding "
        "says what it alone would have told, to show what the honest score does without.",
        "The duration of a sales call: nobody knows it before the call.",
        "Nothing, if the source simply has it. If the training function returns it, drop it there.",
    ),
    CodePage(
        "U008",
        "A class is too rare",
        "So few training rows have this class that nothing can be learned, nor shown, about it.",
        "7 of 12,000 deliveries were lost.",
        "Bring more rows of it, join it with another class, or ask another question.",
    ),
    CodePage(
        "U009",
        "A column is constant or empty",
        "Every training row has the same value, or none. It was left out.",
        "country in a table of one country.",
        "Nothing; or look whether the join that should have filled it failed.",
    ),
    CodePage(
        "U010",
        "The rows seem to be in time order, and no time is declared",
        "The target follows a date column, or the rows' order: neighbours resemble each other "
        "beyond five standard deviations of what shuffling gives. A random split would let the "
        "model look into the future.",
        "Electricity prices every half hour: the next row is nearly the same.",
        "Declare time: with the column that orders the rows; or accept with a reason.",
    ),
    CodePage(
        "U011",
        "Rows seem to belong together, and no group is declared",
        "A column repeats like the name of a person or place, and its rows resemble each other.",
        "5,875 voice recordings of 42 patients.",
        "Declare group: with that column; or columns: {name: category} if it only describes.",
    ),
    CodePage(
        "U012",
        "A column is mostly empty",
        "At least half of the training rows have no value here.",
        "phone_2 is filled in 3 % of the forms.",
        "Leave it out (columns: {name: ignore}), or find out why it is empty: that may be news.",
    ),
    CodePage(
        "U013",
        "Many rows repeat",
        "Training rows equal another one in every column, more often than chance would do.",
        "A mail was imported twice.",
        "Remove the repeats in the training function, or keep them with a reason.",
    ),
    CodePage(
        "U014",
        "The training function leaks test targets",
        "It was run a second time with other targets in the test rows, and the training rows "
        "changed. What it computes for a training row uses outcomes that are sealed.",
        "A column with each district's mean of the target over all rows.",
        "Compute means and encodings in the pipeline (a3), or from earlier rows only.",
    ),
    CodePage(
        "U015",
        "The training function gives other rows each time",
        "On the same sources it made other training rows, so nothing can be reproduced.",
        "table.sample(frac=1) without random_state.",
        "Set a seed; sort whatever comes out of a set or a folder.",
    ),
    CodePage(
        "U016",
        "No entity is declared",
        "Which side a row is on is decided by its content. If a cell is corrected later, the "
        "row counts as another one and may change sides.",
        "A typing error in a sealed row is corrected: the row may come back as a training row.",
        "Declare entity: with a column that names each row and never changes.",
    ),
    CodePage(
        "U017",
        "A column would be a number but for a few markers",
        "A handful of cells such as ? or NA make it text, and text has no order.",
        "age: 34, 51, unknown, 28.",
        'Declare the marker: null: ["unknown"]; or types: {age: string} if it is text.',
    ),
    CodePage(
        "U018",
        "Columns without a name",
        "The header has empty cells; their columns were called unnamed_1, unnamed_2 ...",
        "The index that a notebook wrote as the first column.",
        "Name them in the file, or leave them out: columns: {unnamed_1: ignore}.",
    ),
    CodePage(
        "U019",
        "Task and positive class were chosen",
        "They were not declared: text, booleans and up to 20 whole numbers make classes; of two "
        "classes the greater one (1, yes, true) is taken as positive.",
        "bad and good: good is taken as positive, while the question is about bad loans.",
        "Declare task: and question.positive:.",
    ),
    CodePage(
        "U020",
        "Training rows were left out at the cutoff",
        "Their group goes on after the cutoff; with them the model would know groups that it is "
        "tested on.",
        "A household visited in March and in May, with the cutoff in April.",
        "Nothing; or do without group: if the model is meant for known groups.",
    ),
    CodePage(
        "U021",
        "The split was declared anew",
        "Rows have had a side since the first split. Another share has no effect on them; "
        "another unit (time, group, entity) puts some of them on the other side.",
        "entity: was added after the first run.",
        "Leave it as it is from here on. Openings stay counted per row.",
    ),
    CodePage(
        "U022",
        "Few different rows",
        "Equal rows share a side. Where most rows repeat, the test rows are a few whole patterns "
        "and say nothing about the others.",
        "2,201 passengers in 14 combinations of class, sex and age.",
        "Declare entity: with a column that names each row.",
    ),
    CodePage(
        "U023",
        "The leak test could not be made",
        "Test rows could not be found in the sources, a function of yours makes the target in a "
        "gold table, no target changed with the columns that it is made of, or the training "
        "function failed when test targets were others. This does not count as passed.",
        "The function returns sums per district and drops the district's name.",
        "Return a column that the source has too, and declare it as entity:, group: or time:.",
    ),
    CodePage(
        "U024",
        "The leak test was not needed",
        "The source itself is the training table: there is no code that could leak.",
        "A project without training:.",
        "Nothing.",
    ),
    CodePage(
        "U025",
        "Blanks around class names were cut",
        "Some cells of the target have blanks before or after the word.",
        'Without it "yes " would be a third class beside "yes" and "no".',
        "Nothing; or clean the source, or the training function.",
    ),
    CodePage(
        "U026",
        "Opened rows are not found again",
        "Most rows of a seal that was opened are no longer in the table. If the table is made in "
        "another way than then (section understand, functions, columns), nobody can tell new "
        "rows from the same ones read differently: the old openings count. They also count if "
        "no entity is declared, or one of those sealed is still there. Else all rows are new, and "
        "none counts.",
        "Declaring types: {holiday: string} after the verdict would make every row look new, "
        "and the budget of openings would start again.",
        "Nothing, if no new opening is needed. Rows that are truly others are counted afresh in "
        "a project of their own. Else raise conclude.openings: every report tells it for ever, "
        "and verdicts are judged more strictly.",
    ),
    CodePage(
        "U027",
        "Words that mean no value count as classes",
        "Some cells of the target hold a word such as NA, unknown or ?. It was accepted that "
        "they are classes; without that they are refused, as a missing answer is no class. Only "
        "none beside two or more other words is taken as a class by itself: none, some, marked.",
        'In a column of countries NA is Namibia; in a column of yes and no it is "not asked".',
        "If they are missing answers, take the acceptance back and correct the cells, or leave "
        "the rows out in the training function.",
    ),
    CodePage(
        "U028",
        "Classes that differ in capital letters or blanks only",
        "Values of the target are the same word but for capital letters, blanks or the form of "
        "a letter. It was accepted that they are different classes; else they are refused.",
        "yes, Yes, no and NO were learned as four classes.",
        "If they are the same, take the acceptance back and spell each class in one way.",
    ),
    CodePage(
        "U029",
        "A column has infinite values",
        "Some cells of a number column are infinite. Neither a model nor a mean can work with "
        "them: the model is given an empty cell instead, in training and in prediction.",
        "A rate per inhabitant where a village has 0 inhabitants.",
        "Find the division by zero, and write a value or an empty cell in its place.",
    ),
    CodePage(
        "U101",
        "A file is not there, or cannot be read or written",
        "The path or pattern matches no file, the file may not be read, or the disk is full.",
        "path: data/loans.csv while the file is called Loans.csv.",
        "Correct the path; it starts at the project's folder. Make room on the disk.",
    ),
    CodePage(
        "U102",
        "A file is not what was declared",
        "A row has more or fewer cells than the header, the encoding or delimiter differs, two "
        "columns have one name, or cells do not fit their declared type. No row is dropped.",
        "A comma inside an address that is not quoted.",
        "Correct the rows named, or declare delimiter:, encoding:, decimal:, null:, types:.",
    ),
    CodePage(
        "U103",
        "Nothing is left",
        "A table has no rows, one side of the split would be empty, or no column is left for "
        "the model.",
        "A filter on the year 2025 in data that end in 2024.",
        "Look at the filter, the pattern of files, or the columns declared.",
    ),
    CodePage(
        "U104",
        "Something declared does not exist, or has vanished",
        "A function, a query or a column that the project names is not there any more.",
        "A new export calls the column monthly_income instead of income.",
        "Correct the name, bring the column back, or declare that it is gone for good.",
    ),
    CodePage(
        "U105",
        "A column cannot play its part",
        "The target has gaps or one value, a class one row, the time column no moments, a "
        "function returned no table.",
        "NaN in the target for loans that still run.",
        "Do what the message says, mostly in the training function.",
    ),
    CodePage(
        "U106",
        "A function of the project raised an error",
        "Function, kind of error and line are said; its text is not, as it may quote a row.",
        "KeyError in features.py, line 12.",
        "Correct that line. To see the text, call the function in a Python shell.",
    ),
    CodePage(
        "U107",
        "The sealed rows may not be opened",
        "They were opened as often as the budget allows, or never for this candidate. Openings "
        "are counted per row. Rows that are added to a table do not help: the opened ones stay "
        "sealed beside the new ones, and the message counts both.",
        "A second conclude with openings: 1, after 300 rows were appended.",
        "Raise conclude.openings, which every report tells for ever and which judges all "
        "verdicts more strictly; or, where an entity is declared, put a table in place of the old "
        "one that holds none of the opened entities and is made as before: it is counted afresh "
        "(U026). In a project of its own it is, too.",
    ),
    CodePage(
        "U108",
        "The key of the seal is not here",
        "The rows are sealed with a key that this key store does not have.",
        "The steward's key lies on the steward's computer.",
        "Set QUA3CK_KEYS to the key store that has it, or let the steward conclude.",
    ),
    CodePage(
        "U109",
        "The key does not fit the seal",
        "A key of that name is there, but it is another one.",
        "A key store from another computer with the same names in it.",
        "Use the key store in which the seal was made.",
    ),
    CodePage(
        "U110",
        "The sealed folder was changed",
        "A file under sealed/ is gone or differs from what the ledger recorded.",
        "rows.json was edited, so that openings would not be counted.",
        "Restore sealed/ from a copy.",
    ),
    CodePage(
        "U111",
        "The training rows are not those of the snapshot",
        "The warehouse holds other content at the pinned version.",
        "A file under warehouse/gold/ was replaced.",
        "Restore warehouse/ from a copy, or make a new snapshot.",
    ),
    *CONTRACT,
    *DELIMITED,
    *LOADING,
    *GOLD,
    *EXCEL,
    *JSON,
    *REMOTE,
)
