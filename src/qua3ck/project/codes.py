"""The pages behind the codes of the project file."""

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "P001",
        "No project here",
        "The folder named has no qua3ck.yaml, or the path does not exist.",
        "qua3ck run data/ where the project file lies one folder above.",
        "Name the project's folder, or make a new one: qua3ck init FOLDER.",
    ),
    CodePage(
        "P002",
        "The project file is not YAML",
        "The file cannot be read: a tab, a missing quote, a key that stands twice, not UTF-8.",
        "A tab in front of a key looks like spaces and is not allowed in YAML.",
        "Go to the line named; indent with spaces; keep one of two equal keys.",
    ),
    CodePage(
        "P003",
        "A value that YAML would change",
        "Without quotes YAML reads 012 as a number, 1_000 as 1000 and 2024-03-01 as a date.",
        "A facility code 012 would lose its zero and no longer join.",
        'Put the value in quotes: "012"; or write the plain number.',
    ),
    CodePage(
        "P004",
        "Unknown key",
        "The project file has a key that no section knows; it would have had no effect.",
        "thresold: 0.9 would silently mean no threshold at all.",
        "Correct the spelling; the keys possible are in the message and in qua3ck schema.",
    ),
    CodePage(
        "P005",
        "Something is missing",
        "A key that every project must answer is not there.",
        "A question without stop_if has no point at which anybody gives up.",
        "Add the line that the message shows.",
    ),
    CodePage(
        "P006",
        "A value of the wrong kind",
        "The value is text where a number is expected, or none of the words possible.",
        'at_least: "0.95" is a word, not a threshold.',
        "Write the value as the message shows.",
    ),
    CodePage(
        "P007",
        "Two at work in one folder",
        "Another qua3ck process is writing in this project.",
        "Two runs at once would mix their trials and openings.",
        "Wait for it, or end that process; then run again.",
    ),
    CodePage(
        "P008",
        "A source without files",
        "The path or pattern of a source matches no file.",
        "path: data/*.csv while the files are called .CSV.",
        "Put the file there or correct the path; it starts at the project's folder.",
    ),
    CodePage(
        "P009",
        "A function that is not there",
        "The project file names module.function, and the module has no such function.",
        "training: features.trainig_set",
        "Correct the name, or write the function in the module beside the project file.",
    ),
    CodePage(
        "P010",
        "Unknown algorithm",
        "a3.candidates names an algorithm that is not in the list.",
        "random_forrest",
        "Use a name from the message, or module.function returning a scikit-learn estimator.",
    ),
    CodePage(
        "P011",
        "Declared, not watched",
        "operate.alarm_budget and operate.labels are read and kept, but this version does not"
        " watch yet. What serving needs of the section has effect.",
        "alarm_budget: 1 per quarter has no effect yet.",
        "Nothing to do; do not rely on it.",
    ),
    CodePage(
        "P012",
        "Named but not enrolled",
        "question.roles names a person who has no key under people/.",
        "An approver who is not enrolled cannot sign.",
        "Type: qua3ck enrol NAME --role ROLE.",
    ),
    CodePage(
        "P013",
        "A project is there already",
        "qua3ck init does not write over a project file.",
        "qua3ck init . typed twice.",
        "Edit the file, or name another folder.",
    ),
    CodePage(
        "P014",
        "Nothing released yet",
        "A verb asks for a version, and the project has none: its verdict did not pass.",
        "qua3ck promote after a run that ended undecided.",
        "Read what the verdict lacks: qua3ck conclude. More rows decide what is undecided.",
    ),
    CodePage(
        "P015",
        "Not answered yet",
        "The question still has the text that qua3ck init wrote where an answer belongs.",
        "risks: What does a wrong answer cost, and whom? - and a release that says so.",
        "Answer it in your own words, in the line that the message names.",
    ),
    CodePage(
        "P016",
        "The figures about the training rows are not those released",
        "The page of figures that a version was released with names their SHA-256; the file"
        " with the figures is not there or has another one.",
        "evidence/ was left behind when the folder was copied.",
        "Restore the folder evidence/ from a backup; a version itself is not touched by this.",
    ),
    CodePage(
        "P017",
        "A column named is in no table",
        "The project file names a column that neither the snapshot nor what was loaded has.",
        "target: lwag, while the column is called lwage.",
        "Correct the name. If it came with newer files, or own code makes it: qua3ck understand.",
    ),
    CodePage(
        "P018",
        "Not judged",
        "A verb asks for the verdict on what stands here now, and there is none: the project file,"
        " the data or the code changed after the last one. No verb but run and conclude opens the"
        " seal.",
        "qua3ck release after another algorithm was written into the file.",
        "qua3ck run, and read the verdict; or undo the change.",
    ),
)
