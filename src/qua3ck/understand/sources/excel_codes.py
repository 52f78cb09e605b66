"""The pages behind the codes of spreadsheets and of ``tidy:``."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U040",
        "A cell holds a formula error",
        "The cell shows an error such as #DIV/0! or #REF!, or a formula that no program has "
        "computed yet. It holds no value, and an empty cell would hide that; the record is held.",
        "A coverage rate of 12/0: the target was never entered. As an empty cell it would look "
        "like a facility that does not report.",
        "Correct the formula in the sheet, open and save the file once so that it is computed, "
        'or declare the error as missing: null: ["#DIV/0!"].',
    ),
    CodePage(
        "U041",
        "A text does not fit a step of tidy",
        "split found another number of parts, map a word that is not listed, scale no number, or "
        "spread a second value for one place. The row is held with the text as it stands.",
        'A new spelling, "Gen. safety net", in a column whose words are mapped.',
        "Add the word or mend the pattern in the project file and load again; or correct the "
        "sheet.",
    ),
    CodePage(
        "U042",
        "A sheet was chosen because only it has rows",
        "The workbook has several sheets and the project file does not say which one is meant. "
        "Only one that is not hidden has rows, so it was read.",
        "A form with a hidden sheet of lists behind its drop-down fields.",
        "Nothing, if it is the right one. Else declare it: sheet: NAME.",
    ),
    CodePage(
        "U043",
        "A rule of tidy had nothing to do",
        "A text under drop or keep fits no row, or there was nothing to fill. The step as a whole "
        "did something, or is harmless without.",
        'drop: {District: [Total, Sum]} in a month whose sheet has no row "Sum".',
        "Nothing, if that can be. Else compare the spelling with the sheet's.",
    ),
    CodePage(
        "U044",
        "One line is not all of the heading",
        "Nothing is declared about the heading, so one line would be taken for it. But its cells "
        "are merged, it is a title, or the next line has words above numbers: read as a row, that "
        "line would turn every column to text under a name that is not its own. Delimited text has "
        "no merged cells; there the words alone are looked at.",
        "2024 merged over two columns, and below it cases and deaths.",
        "Look at the file and declare it: header: 2 if two lines name the columns, skip: 1 if "
        "the first line is a title, header: 1 if one line is all of it after all.",
    ),
    CodePage(
        "U127",
        "A workbook is locked by a password",
        "Its content is encrypted and cannot be read. A password never belongs into a project "
        "file, so none can be given.",
        "A line list of patients, locked before it was mailed.",
        "Open it in Excel or LibreOffice, save a copy without the password in a place that only "
        "those may read who should, and load the copy.",
    ),
    CodePage(
        "U128",
        "A sheet or a range of cells is not there, or not named",
        "The workbook has no sheet of that name or number, the range is none, or several sheets "
        "have rows and it is not said which is meant.",
        "Somebody renamed Data to Data (2).",
        "Write sheet: with one of the names listed, or its number from the left, and range: as "
        "B4:H200, B4:H or B:H.",
    ),
    CodePage(
        "U129",
        "A file is no workbook, is empty, or damaged",
        "The content decides, not the ending: a file called .xls may be a web page or a text.",
        "An export of a web system: .xls by name, a table in HTML inside.",
        "Save it as .xlsx in Excel or LibreOffice. If it is text, declare kind: csv.",
    ),
    CodePage(
        "U130",
        "A step of tidy cannot be done",
        "It names a column that is not there, finds no line that fits, or the sheet is not built "
        "as the step says: a title that is not listed, a column with values and no heading.",
        "The partner inserted a column: what was left of the months is not where it was.",
        "Compare the step with the sheet. The message says the line, and what stands there.",
    ),
)
