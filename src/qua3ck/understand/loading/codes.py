"""The pages behind the codes of loading: findings U060 to U069, errors U145 to U150."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U060",
        "Records wait in quarantine",
        "Records that came do not fit: a cell of another type, a row with too many cells, a rule "
        "of the contract. They are kept with their raw value and are not part of the table.",
        "A weight of 12,5 kg in a column of numbers with a point.",
        "Look at them: qua3ck quarantine. Correct the file, or export the list, have it answered "
        "and take it back; the source is then loaded again.",
    ),
    CodePage(
        "U061",
        "A key comes twice",
        "Two records of one piece have the same key. If they differ, all of them are held: which "
        "is right cannot be known. If they are equal, the first is loaded and the others are held.",
        "Facility 017 reported May twice, with 40 and with 400 cartons.",
        "Ask which is right, and answer (leave out) for the others through qua3ck quarantine, or "
        "remove them from the file; or declare a key that tells them apart.",
    ),
    CodePage(
        "U062",
        "A record without its key",
        "A column of the key is empty. The record could not be found again when it changes.",
        "A facility's row with its name and no code.",
        "Fill the key in, or answer it through qua3ck quarantine.",
    ),
    CodePage(
        "U063",
        "The columns are not those of the table",
        "A piece lacks a column that the table has, brings one that nobody knows, or has one with "
        "another type. It is held; what was loaded before stays as it is.",
        "The export of June calls it stock_on_hand, until May it was stock.",
        "Correct the header. A new column can be declared under types: or in the contract; one "
        "that is gone for good as columns: {name: ignore}. Or accept it as it is: "
        "qua3ck load --accept U063 --reason TEXT.",
    ),
    CodePage(
        "U064",
        "Most records of a piece do not fit",
        "More than half of a piece would be held. Then it is not the records that are wrong but "
        "how they are read, or it is another table.",
        "The decimal mark became a comma after an update of the reporting tool.",
        "Look at the columns named; declare decimal:, types: or dates: as they are now. To load "
        "the few that fit: qua3ck load --accept U064 --reason TEXT.",
    ),
    CodePage(
        "U065",
        "Too many rows are gone",
        "A corrected file or a full extract has lost more than its share (shrinks:, by default "
        "one half) of the rows it had. It is held: an interrupted export looks the same.",
        "The export was cut off after 65,536 rows.",
        "Bring the whole file. If the rows are truly gone: qua3ck load --accept U065 --reason "
        "TEXT. If that is usual here, raise shrinks:.",
    ),
    CodePage(
        "U066",
        "A file has vanished",
        "A file that was loaded is not there any more. Its rows stay. Where path: names other "
        "files now, they stay only while one of these is held, which may hold the same rows.",
        "stock_2024.csv was renamed to stock_2024_final.csv: its rows would now be there twice.",
        "Put it back; or let its rows go: qua3ck load --accept U066 --reason TEXT. Where files "
        "are moved away once they are loaded, declare extract: changes.",
    ),
    CodePage(
        "U067",
        "A source has gone silent",
        "One and a half times its cadence passed without anything new.",
        "The monthly report of May has not come by the middle of June.",
        "Ask its contact. If nothing is to be expected: qua3ck load --accept U067 --reason TEXT, "
        "or declare another cadence.",
    ),
    CodePage(
        "U068",
        "Earlier full extracts were not read",
        "With extract: full each file is the whole table, and the last by name counts. Others "
        "that were never loaded, or were changed, are left aside.",
        "facilities_2024-01.csv is corrected after facilities_2024-02.csv was loaded.",
        "Nothing, if the last one is right. If the files are parts of one table, leave extract: "
        "out.",
    ),
    CodePage(
        "U069",
        "A piece cannot be read",
        "A file or page as a whole is not what was declared: damaged, empty, in another encoding. "
        "It is held, the others are loaded.",
        "One of twelve monthly files is a truncated gzip.",
        "The finding says where and what to do; the piece is tried again with every load.",
    ),
    CodePage(
        "U145",
        "Not a cadence",
        "cadence: says how often something new comes, so that silence is noticed. This word "
        "says nothing that could be watched.",
        "cadence: now and then",
        "Write hourly, daily, weekly, monthly, quarterly, yearly or once; or a number of hours, "
        "days or weeks such as 7d.",
    ),
    CodePage(
        "U146",
        "Rows in are not rows loaded and held",
        "The count of records that came differs from those loaded and those held. Nothing was "
        "loaded. This is a mistake in qua3ck, never in your data.",
        "A reader that skips a blank line which another step counts.",
        "Please report it, with the first lines of the piece without personal data.",
    ),
    CodePage(
        "U147",
        "A column has a name that tables keep for themselves",
        "Every table has _piece, _row, _known and _gone: from where a row came, and since when "
        "it is known.",
        "An export of an export, with a column _row.",
        "Rename the column, in the file or with names:.",
    ),
    CodePage(
        "U148",
        "Another load of this source does not end",
        "Two loads of one source are done one after the other, and answers are taken between them; "
        "the first did not end in time. Or one after the other ended while a sheet was made.",
        "A load over a slow line was started in another window.",
        "Wait for it or end that process; nothing is lost by ending it.",
    ),
    CodePage(
        "U149",
        "Nothing says since when rows are valid",
        "Reading a table as it was valid on a day needs a key, and a column with the day from "
        "which each row holds.",
        "A list of facilities without the date of their opening.",
        "Declare key: and valid_from: for the source.",
    ),
    CodePage(
        "U150",
        "The answered sheet does not fit",
        "The sheet is not one that was exported, a line with an answer shows something else than "
        "it did then, or two answers are about the same cell. Nothing was taken from it. A sheet "
        "may come back late, sorted, with lines removed or with columns of its own.",
        "Somebody sorted only one column of the sheet.",
        "Export it again (qua3ck quarantine --export FILE), copy the answers over, and take "
        "that one back. Of two answers leave one.",
    ),
    CodePage(
        "U171",
        "An answer applies to nothing any more",
        "A held record was answered, and the piece that it stood in came again without it or "
        "with another value. The answer stays in the file of answers and does nothing.",
        "The partner wrote 12 where twelve had stood, after twelve was answered.",
        "Nothing, if the source was corrected. Else look whether the record is missing.",
    ),
    CodePage(
        "U170",
        "There is nothing to go back to",
        "A source goes back to what it was after an earlier load. There is no such version, it "
        "holds no load, or nothing was loaded after it.",
        "qua3ck warehouse restore stock --to 7, where 7 is the last load.",
        "Look at the versions, and name an earlier load: qua3ck warehouse versions SOURCE.",
    ),
)
