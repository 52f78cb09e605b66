"""The pages of gold tables and their lineage, for ``qua3ck explain CODE``."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U157",
        "A query cannot be used",
        "A gold table's SQL file is one SELECT over the tables of the project. This one cannot be "
        "read or parsed, holds something else, or calls a function that reaches files, the "
        "network or the machine: such a table could not be traced or made again elsewhere.",
        "SELECT * FROM read_csv('prices.csv') works today on one laptop, and leaves no trace of "
        "which prices were used.",
        "Write one SELECT; declare every file as a source and read it by its name.",
    ),
    CodePage(
        "U158",
        "No such table or column",
        "A query, a function's reads: or a condition names a table or column that is not there. "
        "Tables are the sources and the gold tables of the project file, by their names.",
        "FROM shipment where the source is called shipments.",
        "Correct the name; the message lists what there is.",
    ),
    CodePage(
        "U159",
        "Tables that cannot be put in order",
        "Two gold tables need each other, directly or by way of others, or a table has a name "
        "that a source or the training table already has. There is no order in which they can "
        "be made.",
        "prices reads baskets for its weights, and baskets reads prices for its values.",
        "Let one of them read the sources instead, or split off what both need; rename a twin.",
    ),
    CodePage(
        "U160",
        "A gold table without rows",
        "The query or function ran and returned nothing. An empty table never counts as made: "
        "the figures below it would all be missing, and nobody would have been told.",
        'A join on "017" and 17 matches no row.',
        "Look at the filters and at the types on both sides of each join.",
    ),
    CodePage(
        "U161",
        "Rows that cannot be traced",
        "The answer to which records a row was made from has to be unique. It is not for "
        "recursive queries, EXCEPT and INTERSECT, nor where the query has changed since the "
        "table was made, nor for a condition that is more than a condition.",
        "In SELECT id FROM a EXCEPT SELECT id FROM b each row also rests on every row of b that "
        "is not there.",
        "Write NOT EXISTS instead of EXCEPT; bring the table up to date with qua3ck load; give "
        "--where one condition over the table's columns.",
    ),
    CodePage(
        "U173",
        "A condition asks about what is classified",
        "A trace shows no cell that a contract classifies as more than internal. A condition on "
        "such a column would tell it all the same: by how many rows fit, one sees whether a "
        "guess is right. The same holds of a column that is made from such a one.",
        "qua3ck trace visits --where \"child = 'Amina'\" says 1 row fits, and so that she came.",
        "Ask by other columns, such as the record's number. Who may run the phases can add "
        "--show-personal: it is allowed then, and on record with who asked about which columns.",
    ),
    CodePage(
        "U162",
        "A star that does not hold together",
        "Facts are told apart by their key, and each column stands in one place. Here the key "
        "is repeated, a column stands in two dimensions, or two tables declare one dimension "
        "differently. A dashboard built on it would count rows twice.",
        "key: [district] on a table with one row per district and month.",
        "Name all the columns that tell rows apart; leave each column in one dimension; use the "
        "same columns wherever a dimension has the same name.",
    ),
    CodePage(
        "U163",
        "Something cannot be published as declared",
        "The section publish names a form that does not exist, a folder with files of others, "
        "one that cannot be written, or a table that is too long for a sheet. The same holds of "
        "the folder of the catalogue.",
        "A sheet holds 1,048,575 rows; a spreadsheet program shows the first million and says "
        "nothing.",
        "Correct publish.to or publish.folder; publish long tables as parquet or csv.",
    ),
    CodePage(
        "U164",
        "The database did not take the tables",
        "The variable that should hold its URL is not set or holds something else, the server "
        "does not answer, or it refuses. What was published before is unchanged: a refresh is "
        "one transaction.",
        "The password was rotated on Monday, and the environment still has the old one.",
        "Set the variable to postgresql://USER:PASSWORD@HOST:5432/DATABASE; let the user create "
        "tables in the schema.",
    ),
)
