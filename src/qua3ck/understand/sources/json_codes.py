"""The pages behind the codes of JSON, and of Parquet columns that no table can hold."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U045",
        "A line is no JSON",
        "In a file with one JSON value per line this line is damaged. It is held with its number; "
        "the other lines go on.",
        "An export was cut while it was written: the last line ends in the middle.",
        "Fetch the file again, or correct the line.",
    ),
    CodePage(
        "U046",
        "A record is no object, or not a clear one",
        "It is a list or empty, names a key twice with different values, leads to two columns of "
        "one name, is nested too deeply, or has letters that no text can hold.",
        '{"dose": 1, "dose": 2}: most programs take the last without a word.',
        "Ask who writes the file; correct the record in it, or leave it held.",
    ),
    CodePage(
        "U047",
        "Lists of objects were left out of a table",
        "A record holds a list of objects. Each of them is a row of another table, so they are "
        "not in this one. The bytes as received are kept.",
        '{"visit": 7, "lines": [{"drug": "ORS"}, {"drug": "zinc"}]}',
        "Declare another source on the same file: records: /visits/*/lines, and carry: "
        "{visit: /visits/*/visit} for the key of what it belongs to.",
    ),
    CodePage(
        "U131",
        "A file is no JSON",
        "It breaks the rules of RFC 8259 somewhere, so that nobody can say what else it means.",
        "NaN, a comma after the last element, single quotes, an HTML page in place of the answer.",
        "Fetch the file again. If each line is a value of its own, call it .ndjson.",
    ),
    CodePage(
        "U132",
        "The records are not where they are said to be",
        "The pointer under records: or carry: leads to nothing, or the file is one object and it "
        "is not said which of its lists holds the records.",
        '{"pager": {...}, "organisationUnits": [...]}',
        "Write the way to the list: records: /organisationUnits. A * stands for each element of "
        "a list on the way.",
    ),
    CodePage(
        "U133",
        "Two columns have the same name",
        "After flattening, or but for upper and lower case, two columns would be called alike.",
        '{"a_b": 1} in one record, {"A": {"b": 2}} in the next.',
        "Ask who writes the file, or load it through a function that renames one of them.",
    ),
    CodePage(
        "U134",
        "A column has a type that no table can hold",
        "Tables hold text, whole numbers, numbers, booleans, dates and timestamps. Bytes that are "
        "no text, durations and maps are none of these.",
        "A Parquet file with pictures in one column.",
        "Write the file without the column, or turn it into one of these types before.",
    ),
)
