"""The pages behind the codes of remote sources: databases, web servers, object stores."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "U050",
        "Rows moved while they were read",
        "The server tells pages by number or offset, and rows came twice, the count changed, or "
        "a page in the middle was short: a row may have slipped from a page not yet read to one "
        "already read. What came is loaded; nothing is taken as gone, and the watermark stays "
        "where it was, so that the next load reads the same span again.",
        "Somebody edits a form of page 1 while page 7 is read: it moves to the end, and the "
        "first form of page 8 becomes the last of page 7.",
        "Load again, at a quieter hour if it repeats. A server with cursors has this trap not.",
    ),
    CodePage(
        "U051",
        "The server gives smaller pages than asked for",
        "It has a limit of its own. The offset goes by what came, so nothing is skipped.",
        "limit=30000 since last year; since this year the server gives 1,000 at most, and a "
        "client that adds 30,000 to the offset reads one row in thirty.",
        "Write the server's limit under paging: {size: ...}.",
    ),
    CodePage(
        "U052",
        "Records without a readable watermark",
        "Their watermark is empty, no number and no ISO moment, or of another sort than the "
        "others. They were brought in, but a later change of them may not be noticed.",
        'modified_on is "" in records that were imported long ago.',
        "Choose another watermark:, or declare extract: full.",
    ),
    CodePage(
        "U053",
        "An empty answer was taken as nothing new",
        "The answer was {}. Some servers say so that nothing has changed; a wrong key or date "
        "looks the same. An earlier load found records with the same question.",
        "DHIS2 answers {} for a period without data values.",
        "Nothing, if nothing can have changed. Else compare the count of rows with the server's.",
    ),
    CodePage(
        "U054",
        "Numbers are kept as text",
        "The column of the database holds more digits than a 64-bit number keeps (15), or says "
        "not how many. As text every digit stays.",
        "NUMERIC(20,4): 1234567890123456.7891 would become 1234567890123456.8.",
        "Nothing; or, if the last digits do not matter, types: {amount: number}.",
    ),
    CodePage(
        "U055",
        "Nobody answers for a source",
        "Owner, licence, cadence or contact are not declared.",
        "The figures stop coming in June, and nobody knows whom to call.",
        "Write owner:, licence:, cadence: and contact: beside the source.",
    ),
    CodePage(
        "U056",
        "A table was read at several moments",
        "The connection was lost, or the load was interrupted, and went on later: rows of "
        "different slices may be of different moments. Rows that changed behind the reading come "
        "with the next load; which rows are gone was read at the end, at one moment.",
        "The server restarts for an update while the seventh of twelve slices is read.",
        "Nothing; load again if the table must be of one moment.",
    ),
    CodePage(
        "U135",
        "A secret is not where it is expected",
        "Passwords and tokens are read from the environment, and the variable is not set, is "
        "empty, or holds what cannot be sent.",
        "The nightly job runs in another shell than the one in which the token was exported.",
        "Set the variable that the message names: export NAME=...",
    ),
    CodePage(
        "U136",
        "A server is not to be had",
        "It could not be reached, or broke off, timed out, was overloaded (429) or failed (5xx) "
        "in every one of a few tries. What had come whole is kept; the next load goes on there.",
        "A proxy answers 502 with an HTML page for ten minutes every night.",
        "Look at the address and the connection, and run the same command again later.",
    ),
    CodePage(
        "U137",
        "A server refuses",
        "It does not accept the credentials (401, wrong password), or this user may not read "
        "that (403, permission denied). Asking again would not help and may lock the account.",
        "A personal access token expires after 30 days.",
        "Get a new token or the right to read, set the variable, and load again.",
    ),
    CodePage(
        "U138",
        "What is asked for is not there",
        "The server answers, but has no such page, table, column or object.",
        "table: stocks, while the database calls it stock.",
        "Correct the name; the message says what there is.",
    ),
    CodePage(
        "U139",
        "A question is not understood",
        "The server or database refuses the question as such (400, 409, an error in the query), "
        "or the query is more than one SELECT.",
        "dataValueSets without an organisation unit: DHIS2 answers 409.",
        "Look into the server's manual, or try the query in the database's own shell.",
    ),
    CodePage(
        "U140",
        "An answer is not what was declared",
        "It is no JSON, has no records where they should be, or is far too large. Keys are "
        "named, values never.",
        "records: datavalues, while the answer has dataValues: taken as empty, a whole month "
        "would vanish.",
        "Write records: (paging.next:, count:) as the answer has it.",
    ),
    CodePage(
        "U141",
        "Pages do not add up",
        "A page leads back to an earlier one, repeats the one before, or fewer different records "
        "came than the server counts. Nothing of it is loaded.",
        "The parameter is called pageNumber, and the server quietly ignores page=2.",
        "Correct paging: as the server's manual has it.",
    ),
    CodePage(
        "U142",
        "An address cannot be trusted",
        "A page or redirect leads to a server that is not declared, the certificate cannot be "
        "verified, or credentials would go over a line that anyone can read.",
        "A wireless network at a hotel answers every page with a redirect to its login.",
        "Write https://; declare hosts: [...] if another server is meant.",
    ),
    CodePage(
        "U143",
        "A remote file is not the one that is meant",
        "Its bytes are not those of sha256:, or it changed while it was copied, several times.",
        "The publisher replaced the file under the same name and told nobody.",
        "Look at the file. If it is the one you want, write its new sha256:.",
    ),
    CodePage(
        "U144",
        "A key or watermark cannot do its work",
        "A table cannot be read in slices without a key that is unique and never empty; a "
        "watermark must be a moment or a number, and its overlap a span of the same sort.",
        "key: [name]: two clinics of one name at the border of two slices, and one is lost.",
        "Declare key: with the columns that make a row unique.",
    ),
)
