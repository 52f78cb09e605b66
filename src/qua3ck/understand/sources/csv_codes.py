"""The pages behind the codes of delimited text: held records, findings, errors."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U030",
        "A record has more or fewer cells than the header",
        "Which of its cells belongs to which column cannot be known; the record is held with its "
        "text. Extra empty cells at the end count, too, unless loose_ends: true is declared.",
        "4,Ward 3, Kisumu,12 under id,place,cases: the comma in the place is not quoted.",
        "Correct the record where it comes from (quote the cell) and load again. If all rows of "
        "this file merely lack empty cells at the end, declare loose_ends: true.",
    ),
    CodePage(
        "U031",
        "A quote does not close",
        "A cell begins with a quote that is never closed, or goes on behind the closing one. "
        "Read on, it would swallow the rows below; so only this line is held.",
        '7,"5 inch" pipe,3: the quotes are part of the text, but stand where quotes begin a cell.',
        'Double the inner quotes and quote the cell ("""5 inch"" pipe"), or declare quote: "" '
        "if the file has no quoting at all.",
    ),
    CodePage(
        "U032",
        "Bytes that cannot be read",
        "The record holds bytes that its encoding does not have, or a zero byte. It is held, "
        "these bytes shown as \\xNN.",
        "One row pasted from an old program into a file that is UTF-8 otherwise.",
        "Write the row again in the encoding of the file. If many rows are held so, the file is "
        "in another encoding: declare it, such as encoding: cp1252.",
    ),
    CodePage(
        "U033",
        "A cell is not of its column's type",
        "The column was declared, or known from earlier loads, as number, integer, boolean, date "
        "or timestamp, and this cell is none. The record is held with the cell as it stands. "
        "007 is no integer here: its zeros would go, and it may be a code.",
        "quantity: 12, 7, about 30.",
        "Correct the cell, or declare its marker as missing (nulls: {quantity: [unknown]}), or "
        "the column's type (types: {code: string}; types: {month: integer} lets zeros go).",
    ),
    CodePage(
        "U034",
        "No date, or not only one",
        "The cell fits none of the layouts declared, is no day of the calendar, fits several "
        "layouts with different days, or has a year of two digits from 50 to 69, which may be "
        "19.. or 20... (70 to 99 are 1970 to 1999, 00 to 49 are 2000 to 2049.)",
        "31.02.2023; or 03/04/2023 where both %d/%m/%Y and %m/%d/%Y are declared.",
        'Correct the cell, or add its layout: dates: {day: ["%d.%m.%Y", "%d-%b-%y"]}.',
    ),
    CodePage(
        "U035",
        "A column of text looks like dates",
        "Its cells fit a layout of dates that is not declared. As text they have no order: "
        "19.12.2022 comes after 01.01.2023.",
        "03/04/2023: the third of April, or the fourth of March? Only a day beyond 12 tells.",
        'Declare the layout, dates: {day: ["%d.%m.%Y"]}; or types: {day: string}.',
    ),
    CodePage(
        "U036",
        "A column of text looks like numbers with other marks",
        "All its cells are numbers if read with another decimal or thousands mark.",
        '1,5 and 12,25 in a file for which decimal: "," is not declared.',
        'Declare decimal: "," or thousands: "."; or types: {price: string} if it is text.',
    ),
    CodePage(
        "U037",
        "Records without any value",
        "All cells of these records are blank. They count as rows.",
        "A sheet saved as CSV with formatted, empty lines below the table.",
        "Remove them where the file comes from, if they mean nothing.",
    ),
    CodePage(
        "U120",
        "Two columns have one name",
        "Columns are found by name, so every name is needed once; upper and lower case count as "
        "equal. Names that begin with _row are ours.",
        "Two columns called total under the merged headings of a spreadsheet.",
        "Name all columns in the project file: names: [...], one per column, in their order. For "
        "headings of two lines declare header: 2: the lines are joined.",
    ),
    CodePage(
        "U121",
        "The first line looks like data",
        "Where the columns below hold numbers or dates, so does the first line. Taken as header, "
        "its record would be lost, and its cells would become names.",
        "4711,2023-05-01,Nairobi as the first line of an export without header.",
        "Declare header: 0 and names: [...]. If it is a header after all, declare header: 1.",
    ),
    CodePage(
        "U122",
        "A file is laid out in another way than declared",
        "Most of its records have another count of cells than the header, another delimiter "
        "would part all lines, nothing is left after skip:, or a line cut off as footer reads "
        "as a record. Nothing of the file is loaded.",
        "The office switched to a German Excel: from now on semicolons.",
        "Look at the file; qua3ck load --propose says what it looks like. Declare that if it is "
        "right for all files, or give this one a source of its own.",
    ),
    CodePage(
        "U123",
        "A packed file is damaged",
        "Its gzip, bzip2, xz, zstd or zip data end too early or cannot be unpacked, or a zip holds "
        "several files. Nothing of it is loaded: what could be read may not be all.",
        "A download that broke off at 80 %.",
        "Fetch the file again. Unpack a zip with several files and name a pattern for them.",
    ),
    CodePage(
        "U124",
        "Declarations that contradict each other or the file",
        "The count of names differs from that of the columns, a layout of dates is none, one mark "
        "is declared for two purposes, or a column as two things.",
        'decimal: "," with thousands: ",".',
        "The message says which; correct the project file.",
    ),
    CodePage(
        "U125",
        "Nothing can be proposed",
        "The file does not fall into a table under any delimiter, or is empty.",
        "A letter that was saved as .csv.",
        "Look at the file. If it is a table in another format, declare its kind: excel, json ...",
    ),
)
