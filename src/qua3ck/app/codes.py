"""The pages behind the codes of the web view."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "V001",
        "Seen by others, and nobody has to sign in",
        "The view was to listen on an address that other machines reach, and no user with a"
        " password and no sign-in service is set up.",
        "qua3ck app --host 0.0.0.0 would let anybody in the network read and sign.",
        "Set up users first: qua3ck app --add-user NAME; or leave --host away.",
    ),
    CodePage(
        "V002",
        "A user name or password that cannot be",
        "The name is not plain, nobody is enrolled under it, or the password is shorter than"
        " twelve characters.",
        "qua3ck app --add-user Rosa with the password rosa123.",
        "Use the name as enrolled, in small letters, and a sentence as password.",
    ),
    CodePage(
        "V003",
        "The file of users cannot be read",
        "It is damaged, or others on this machine may read it.",
        "chmod 644 on the file while a backup was restored.",
        "Set its mode to 600, or remove it and add the users again.",
    ),
    CodePage(
        "V004",
        "A file that is no table",
        "The file handed in cannot be read as CSV in UTF-8 or as an Excel sheet, or is too large.",
        "A PDF, or a CSV file of Excel with the letters of Windows.",
        "Start from the template of the page; save as CSV (UTF-8) or as .xlsx.",
    ),
    CodePage(
        "V005",
        "The port is taken",
        "Another program listens on the port that the view was to use.",
        "qua3ck app twice for two projects.",
        "Name another one: qua3ck app --port 8502.",
    ),
)
