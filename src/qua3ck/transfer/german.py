"""The German of what other rooms wrote in English: names of metrics, methods, reasons, risks.

A released version holds these sentences as they were written, in English, and they are part of
what its digest covers. A reader of German gets them here, word for word where they are fixed,
and with the same figures where they hold some. What is not known here stays English and is
marked as English, so that nothing is left out and a screen reader speaks it rightly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from qua3ck.question.promises import (
    COSTS,
    LEADING,
    NOT_ASKED,
    NOT_DECLARED,
    NOT_THEN,
    POSITIVE,
    RISK,
    STOP,
)
from qua3ck.transfer.texts import local

METRICS: Mapping[str, tuple[str, str]] = {
    "accuracy": ("Anteil richtiger Antworten", "Anteil der richtig vorhergesagten Zeilen."),
    "balanced_accuracy": (
        "ausgewogener Anteil richtiger Antworten",
        "Mittel über die Klassen: welcher Anteil ihrer Zeilen gefunden wurde.",
    ),
    "recall": (
        "Trefferquote (Recall)",
        "Anteil der Zeilen der positiven Klasse, die gefunden wurden.",
    ),
    "precision": (
        "Genauigkeit (Precision)",
        "Anteil der positiv genannten Zeilen, die positiv sind.",
    ),
    "specificity": (
        "Spezifität",
        "Anteil der nicht positiven Zeilen, die auch nicht positiv genannt wurden.",
    ),
    "false_positive_rate": (
        "Rate falscher Alarme",
        "Anteil der nicht positiven Zeilen, die positiv genannt wurden.",
    ),
    "f1": ("F1", "Harmonisches Mittel aus Genauigkeit und Trefferquote: 2 TP / (2 TP + FP + FN)."),
    "macro_f1": ("F1, über Klassen gemittelt", "Mittel des F1 aller Klassen."),
    "roc_auc": (
        "ROC-AUC",
        "Wahrscheinlichkeit, dass eine positive Zeile höher bewertet wird als eine andere,"
        " Gleichstand"
        " zählt halb; bei mehr als zwei Klassen das Mittel jeder gegen den Rest.",
    ),
    "average_precision": (
        "mittlere Genauigkeit",
        "Genauigkeit, gemittelt über die Trefferquoten beim Senken der Schwelle.",
    ),
    "brier": (
        "Brier-Wert",
        "Mittlerer quadrierter Abstand der vorhergesagten Wahrscheinlichkeit von dem, was"
        " geschah; bei"
        " mehr als zwei Klassen über sie summiert (dann bis 2).",
    ),
    "log_loss": (
        "logarithmischer Verlust",
        "Mittel des negativen Logarithmus der Wahrscheinlichkeit für das, was geschah.",
    ),
    "ece": (
        "erwarteter Kalibrierungsfehler",
        "Mittlerer Abstand zwischen vorhergesagter Wahrscheinlichkeit und beobachtetem Anteil"
        " über 10"
        " gleich breite Gruppen, nach Zeilen gewichtet; für die positive Klasse, bei mehr als zwei"
        " Klassen für die wahrscheinlichste.",
    ),
    "cost_per_case": (
        "Kosten je Fall",
        "Mittlere Kosten der Entscheidungen, nach den Kosten in der Frage; eine richtige kostet"
        " nichts.",
    ),
    "rmse": (
        "Wurzel des mittleren quadrierten Fehlers",
        "Wurzel aus dem mittleren quadrierten Fehler; große Fehler wiegen am meisten.",
    ),
    "mae": ("mittlerer Abstand", "Mittlerer Abstand von der Wahrheit."),
    "mape": (
        "mittlerer Abstand in Prozent",
        "Mittlerer Abstand von der Wahrheit als Anteil der Wahrheit (0,1 = 10 %); nicht für"
        " Wahrheiten"
        " von null.",
    ),
    "r2": (
        "Bestimmtheitsmaß R²",
        "Erklärter Anteil der Varianz der Zielgröße; unter null ist es schlechter als der"
        " Mittelwert.",
    ),
    "latency_p50_ms": ("Antwortzeit, Median", "Mittlere Zeit einer Anfrage mit einer Zeile."),
    "latency_p95_ms": (
        "Antwortzeit, 95 von 100",
        "Zeit, binnen der 95 % der Anfragen mit einer Zeile beantwortet sind.",
    ),
    "latency_p99_ms": (
        "Antwortzeit, 99 von 100",
        "Zeit, binnen der 99 % der Anfragen mit einer Zeile beantwortet sind.",
    ),
    "model_size_mb": ("Größe des Modells", "Größe des Artefakts, das ausgeliefert würde."),
    "explainable": (
        "nachvollziehbar",
        "1, wenn ein Mensch nachvollziehen kann, wie das Modell entscheidet, sonst 0.",
    ),
    "demographic_parity_difference": (
        "Abstand im Anteil positiver Antworten",
        "Größter minus kleinster Anteil positiver Antworten über die Gruppen.",
    ),
    "equal_opportunity_difference": (
        "Abstand in der Trefferquote",
        "Größte minus kleinste Trefferquote über die Gruppen.",
    ),
    "equalized_odds_difference": (
        "Abstand in Trefferquote oder falschen Alarmen",
        "Der größere der beiden Abstände: in der Trefferquote und in der Rate falscher Alarme.",
    ),
    "false_positive_rate_difference": (
        "Abstand in der Rate falscher Alarme",
        "Größte minus kleinste Rate falscher Alarme über die Gruppen.",
    ),
    "accuracy_difference": (
        "Abstand im Anteil richtiger Antworten",
        "Größter minus kleinster Anteil richtiger Antworten über die Gruppen.",
    ),
    "error_rate_difference": (
        "Abstand im Fehleranteil",
        "Größter minus kleinster Fehleranteil über die Gruppen; gleich dem Abstand im Anteil"
        " richtiger"
        " Antworten.",
    ),
}

WORDS: Mapping[str, str] = {
    # methods
    "DeLong, logit": "DeLong, Logit-Skala",
    "BCa bootstrap": "BCa-Bootstrap",
    "paired BCa bootstrap": "gepaarter BCa-Bootstrap",
    "paired DeLong": "gepaartes DeLong-Verfahren",
    "Newcombe": "Newcombe",
    "Clopper-Pearson": "Clopper-Pearson",
    "Miettinen-Nurminen": "Miettinen-Nurminen",
    "McNemar": "McNemar",
    "order statistics": "Ordnungsstatistik",
    "AUC score bounds": "Score-Grenzen der AUC",
    "no flaw seen": "kein Fehler gesehen",
    "clusters, t": "Gruppen, t-Verteilung",
    "blocks, t": "Blöcke, t-Verteilung",
    "clusters, share": "Gruppen, Anteil",
    "blocks, share": "Blöcke, Anteil",
    # the split
    "stratified": "geschichtet",
    "random": "zufällig",
    "group": "nach Gruppen",
    "time": "nach der Zeit",
    "content": "Inhalt",
    # algorithms
    "logistic_regression": "Logistische Regression",
    "linear_regression": "Lineare Regression",
    "decision_tree": "Entscheidungsbaum",
    "k_nearest_neighbors": "Nächste Nachbarn",
    "random_forest": "Random Forest",
    "gradient_boosting": "Gradient Boosting",
    # why a column is not given to the model
    "not known at prediction time": "zum Zeitpunkt der Vorhersage nicht bekannt",
    "names rows instead of describing them": "benennt Zeilen, statt sie zu beschreiben",
    "the same value in every training row": "derselbe Wert in jeder Trainingszeile",
    "empty in every training row": "in jeder Trainingszeile leer",
    "declared as ignore": "als „ignore“ erklärt",
    # rivals
    "always says the mean": "sagt immer den Mittelwert",
    "always says the median": "sagt immer den Median",
    "repeats the last earlier value": "wiederholt den letzten früheren Wert",
    # risk class
    "biometrics": "Biometrie",
    "critical infrastructure": "kritische Infrastruktur",
    "education and vocational training": "Bildung und Berufsbildung",
    "employment": "Beschäftigung",
    "essential public assistance benefits and services": "grundlegende öffentliche Leistungen und"
    " Dienste",
    "creditworthiness of natural persons": "Kreditwürdigkeit natürlicher Personen",
    "risk and price of life and health insurance": "Risiko und Preis von Lebens- und"
    " Krankenversicherungen",
    "emergency calls and triage of patients": "Notrufe und Einstufung von Patienten",
    "law enforcement": "Strafverfolgung",
    "migration, asylum and border control": "Migration, Asyl und Grenzkontrolle",
    "justice and democratic processes": "Justiz und demokratische Prozesse",
    "people are affected by a decision that no person takes (GDPR Art. 22)": "Menschen sind von"
    " einer"
    " Entscheidung betroffen, die kein Mensch trifft (DSGVO Art. 22)",
    "nobody has said whom a wrong number hits, and until then the strictest class holds: answer"
    " question.risk.affects (people, organisation or nobody)": "niemand hat gesagt, wen eine"
    " falsche Zahl trifft; bis dahin gilt die strengste Klasse: question.risk.affects beantworten"
    " (people, organisation oder nobody)",
    # promises
    "not asked": "nicht gefragt",
    "not declared": "nicht angegeben",
    "not on record then": "damals nicht festgehalten",
    "none": "keine",
    "leading KPI": "führende Kennzahl",
    "positive class": "positive Klasse",
    "costs of errors": "Kosten von Fehlern",
    "risk answers": "Angaben zum Risiko",
    "stop rules": "Abbruchregeln",
    "confidence": "Sicherheit",
    "slice": "Teil",
    "rows per group": "Zeilen je Gruppe",
    "a person decides": "ein Mensch entscheidet",
    "decided automatically": "automatisch entschieden",
    "affects people": "betrifft Menschen",
    "affects organisation": "betrifft die Organisation",
    "affects nobody": "betrifft niemanden",
    "affects not answered": "wen es betrifft, ist nicht beantwortet",
    # gates
    "judged on the promises of today's project file": "gemessen an den Zusagen der heutigen"
    " Projektdatei",
    "every file is the released one": "jede Datei ist die freigegebene",
    "judged on the KPIs and gaps of today's project file": "gemessen an den Zusagen der heutigen"
    " Projektdatei",
    "better than the naive baseline beyond doubt": "zweifelsfrei besser als die naive"
    " Vergleichsregel",
    "worse than the naive baseline beyond doubt": "zweifelsfrei schlechter als die naive"
    " Vergleichsregel",
    "not better than the naive baseline beyond doubt": "nicht zweifelsfrei besser als die naive"
    " Vergleichsregel",
    "not compared with the naive baseline": "nicht mit der naiven Vergleichsregel verglichen",
    "no blocking finding": "kein Befund steht im Weg",
    "no KPI was judged": "keine Zusage wurde beurteilt",
    "no slices declared": "keine Teile der Daten erklärt",
    "no fairness gaps declared": "keine Gruppen zum Vergleich erklärt",
    "the ledger verifies": "das Protokoll ist unversehrt",
    "the ledger does not verify: qua3ck audit verify": "das Protokoll stimmt nicht: qua3ck audit"
    " verify",
    "the ledger was not verified": "das Protokoll wurde nicht geprüft",
    "rebuilt and found the same": "nachgebaut, dasselbe Ergebnis",
    "the rebuilt version differs": "der Nachbau weicht ab",
    "no reproduction certificate: qua3ck reproduce VERSION": "keine Bescheinigung über einen"
    " Nachbau:"
    " qua3ck reproduce VERSION",
    "environment lock with hashes": "Umgebung mit Prüfsummen festgeschrieben",
    "the environment lock has lines without a hash": "die festgeschriebene Umgebung hat Zeilen ohne"
    " Prüfsumme",
    "no environment lock in the release": "keine festgeschriebene Umgebung in der Version",
    "the costs of the question": "die Kosten in der Frage",
    "the KPIs that depend on the decision": "die Zusagen, die von der Entscheidung abhängen",
    "Known vulnerabilities of the packages were not looked for: no advisories are declared.": (
        "Nach bekannten Schwachstellen der Pakete wurde nicht gesucht: Es sind keine Meldungen"
        " erklärt."
    ),
    # the decision record
    "It may be released: every KPI, slice and gap holds and nothing blocks.": "Sie darf freigegeben"
    " werden: Jede Zusage gilt, in jedem Teil und zwischen den Gruppen, und nichts steht im Weg.",
    "It may not be released: what is named above or a blocking finding stops it.": "Sie darf nicht"
    " freigegeben werden: Das oben Genannte oder ein Befund steht im Weg.",
    "better beyond doubt": "zweifelsfrei besser",
    "worse beyond doubt": "zweifelsfrei schlechter",
    "not shown": "nicht gezeigt",
    "probability of the likeliest class": "Wahrscheinlichkeit der wahrscheinlichsten Klasse",
    "baseline": "die naive Vergleichsregel",
    "rule": "die Einzeilenregel",
    "champion": "die Version im Einsatz",
    "pass": "bestanden",
    "fail": "nicht bestanden",
    "undecided": "unentschieden",
    "No number of rows would decide it at this value.": "Bei diesem Wert würde keine Zahl von"
    " Zeilen entscheiden.",
    "missing": "fehlt",
    "nothing found that blocks": "nichts gefunden, was im Weg steht",
    "the version was not scanned": "die Version wurde nicht durchsucht",
    "known vulnerabilities (no advisories declared)": "bekannte Schwachstellen (keine Meldungen"
    " erklärt)",
    "known vulnerabilities (advisories cannot be read)": "bekannte Schwachstellen (die Meldungen"
    " sind nicht lesbar)",
    # what is wrong with rows that are handed in
    "send a value for it": "einen Wert dafür angeben",
    "check its unit and its digits": "Einheit und Ziffern prüfen",
    "check its spelling; what training had of this column is not told": "Schreibweise prüfen; was"
    " im Training in dieser Spalte stand, wird nicht gesagt",
    "send a finite number, or null where the column may be empty": "eine endliche Zahl angeben,"
    " oder die Zelle leer lassen, wo sie leer sein darf",
    "the project's ledger": "das Protokoll des Projekts",
    "ask the project's owner; without a model nothing is declared to be answered": "die"
    " Verantwortlichen des Projekts fragen; ohne Modell ist keine Antwort erklärt",
    "the header": "die Kopfzeile",
    "the input": "die Eingabe",
    "leave it out": "lassen Sie sie weg",
    "keep one of them": "behalten Sie eine davon",
    "send at least one row": "übergeben Sie mindestens eine Zeile",
    "The table is empty: 0 rows.": "Die Tabelle ist leer: 0 Zeilen.",
    "send numbers without quotes and units, or null": "schreiben Sie Zahlen mit Punkt, ohne"
    " Anführungszeichen und Einheiten, oder lassen Sie die Zelle leer",
    "send texts, in JSON in quotes, or null": "schreiben Sie Texte, in JSON in"
    " Anführungszeichen, oder lassen Sie die Zelle leer",
    "send true, false or null": "schreiben Sie true, false oder lassen Sie die Zelle leer",
    "write dates as 2024-05-31 or 2024-05-31T14:00:00Z, or leave them null": "schreiben Sie"
    " Datumsangaben als 2024-05-31 oder 2024-05-31T14:00:00Z, oder lassen Sie die Zelle leer",
    "number": "keine Zahl",
    "date": "kein Datum",
    "true or false": "weder true noch false",
    "text": "kein Text",
    "rows": "Zeilen",
    "groups": "Gruppen",
    "blocks": "Blöcke",
    "requests": "Anfragen",
}

FINDINGS: Mapping[str, str] = {
    "A001": "Im Training viel besser als in der Validierung",
    "A002": "Mehr Zeilen würden noch helfen",
    "A003": "Eine zufällige Aufteilung sagt etwas anderes",
    "A004": "Kein zweifelsfreier Gewinn gegenüber der naiven Vergleichsregel",
    "A005": "Der Zufallsstart bewegt den Wert so stark wie das Modell",
    "A006": "Versuche nutzten nur einen Teil der Zeilen",
    "A007": "Eine Bibliothek warnte beim Anpassen",
    "A008": "Feinabstimmung vor Merkmalen",
    "A009": "Einige Versuche schlugen fehl",
    "A015": "Kein Versuch hält jede Zusage",
    "A016": "Die Einzeilenregel genügt womöglich",
    "A018": "Die Entscheidungsschwelle ist nicht ein Halb",
    "A021": "Eine Spalte trägt das Modell",
    "C001": "Nicht zweifelsfrei besser als die naive Vergleichsregel",
    "C002": "Eine Zusage ist nicht eingehalten",
    "C003": "Eine Zusage ist unentschieden",
    "C004": "In einem Teil der Daten hält es nicht",
    "C005": "Der Abstand zwischen Gruppen ist zu groß",
    "C006": "Ausgeliefertes weicht von Trainiertem ab",
    "C007": "Eine Zusage wurde nach einem Urteil geändert",
    "C008": "Nicht zweifelsfrei besser als die Einzeilenregel",
    "C009": "Nicht zweifelsfrei besser als die Version im Einsatz",
    "C010": "Fehler häufen sich in einem Teil der Daten",
    "C011": "Wahrscheinlichkeiten liegen daneben",
    "C012": "Eine Klasse fehlt in den versiegelten Zeilen",
    "C013": "Mit der Version im Einsatz ließ sich nicht vergleichen",
    "C014": "Die versiegelten Zeilen wurden erneut gelesen",
    "Q011": "Wer den Schwellen zugestimmt hat",
    "U001": "Eine Spalte verrät die Zielgröße",
    "U002": "Eine Spalte sagt die Zielgröße fast vollkommen vorher",
    "U003": "Eine Spalte benennt Zeilen",
    "U004": "Zeilen auf beiden Seiten der Aufteilung sehen gleich aus",
    "U005": "Eine Gruppe oder Einheit liegt auf beiden Seiten",
    "U006": "Trainingszeilen sind nicht älter als Testzeilen",
    "U007": "Eine Spalte ist zum Zeitpunkt der Vorhersage nicht bekannt",
    "U008": "Eine Klasse ist zu selten",
    "U009": "Eine Spalte ist leer oder immer gleich",
    "K020": "Eine Datei kann beim Laden Code ausführen",
    "K021": "Mitgelieferter Code führt Übergebenes aus oder greift nach außen",
    "K022": "Ein Geheimnis steht in der Version",
    "K023": "Die Umgebung ist nicht ganz festgeschrieben",
    "K024": "Ein Paket hat eine bekannte Schwachstelle",
    "K025": "Die Meldungen über Schwachstellen sind alt",
    "K026": "Nach bekannten Schwachstellen wurde nicht gesucht",
    "K027": "Meldungen über Schwachstellen sind nicht lesbar",
    "K028": "Eine Begründung gilt nichts, was gefunden wurde",
    "U010": "Die Zeilen stehen wohl in zeitlicher Folge, und keine Zeit ist erklärt",
    "U011": "Zeilen gehören wohl zusammen, und keine Gruppe ist erklärt",
    "U012": "Eine Spalte ist größtenteils leer",
    "U013": "Viele Zeilen wiederholen sich",
    "U014": "Die Trainingsfunktion verrät Zielwerte des Tests",
    "U015": "Die Trainingsfunktion gibt jedes Mal andere Zeilen",
    "U016": "Keine Einheit ist erklärt",
    "U019": "Aufgabe und positive Klasse wurden gewählt",
    "U020": "Am Stichtag wurden Trainingszeilen ausgelassen",
    "U021": "Die Aufteilung wurde neu erklärt",
    "U022": "Wenige verschiedene Zeilen",
    "U023": "Der Test auf Verrat ließ sich nicht machen",
    "U024": "Der Test auf Verrat war nicht nötig",
    "U025": "Leerzeichen um Klassennamen wurden abgeschnitten",
    "U026": "Geöffnete Zeilen sind nicht wiederzufinden",
    "U027": "Wörter für fehlende Werte zählen als Klassen",
    "U028": "Klassen unterscheiden sich nur in Großbuchstaben oder Leerzeichen",
    "U029": "Eine Spalte hat unendliche Werte",
}

_Tell = Callable[[dict[str, str]], str | None]  # None where a part is not known

_N = r"[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?|–"
_BOUNDS = r"\[[^\]]*\]"


def in_german(words: str) -> str | None:
    """Return a text of another room in German; None if it is not one that is known.

    The name of a metric by itself is none: it may as well be somebody's id of a KPI.
    """
    if words in WORDS:
        return WORDS[words]
    for pattern, tell in _SENTENCES:
        found = pattern.fullmatch(words)
        if found is not None:
            return tell(found.groupdict())
    return None


def _known(words: str) -> str:
    """Return a part of a sentence in German, or as it is: names are names in any language."""
    return in_german(words) or words


def _say(pattern: str, template: str) -> tuple[re.Pattern[str], _Tell]:
    """Return a sentence: how it is written in English, and what it is in German.

    A part named ``n_`` or ``b_`` is a figure, one named ``k_`` may have words of its own.
    """

    def tell(found: dict[str, str]) -> str:
        made = {}
        for name, part in found.items():
            if part is None:
                made[name] = ""
            elif name.startswith(("n_", "b_")):
                made[name] = local(part, "de")
            else:
                made[name] = _known(part) if name.startswith("k_") else part
        return template.format(**made)

    return re.compile(pattern, re.DOTALL), tell


def _close(found: dict[str, str]) -> str:
    limits = ", aber außerhalb einer anderen Grenze" if found["limits"] else ""
    sd = found["sd"]
    moved = f"; allein der Zufallsstart bewegt den Wert um {local(sd, 'de')}" if sd else ""
    who, score = _known(found["who"]), local(found["score"], "de")
    return f"Nahe daran: {who} ({found['kpi']} {score}){limits}{moved}."


def _open(found: dict[str, str]) -> str:
    value, bounds, limit = (local(found[k], "de") for k in ("value", "bounds", "limit"))
    unit = _known(found["unit"])
    said = f"{found['id']} {value} {bounds}, verlangt {found['sign']} {limit}: unentschieden"
    said = f"{said} bei {local(found['n'], 'de')} {unit}."
    more = in_german(found["more"].strip()) if found["more"].strip() else ""
    return f"{said} {found['more'].strip() if more is None else more}".strip()


def _and_more(found: dict[str, str]) -> str | None:
    says = in_german(found["says"])
    return None if says is None else f"{says} (und {found['n']} weitere)"


def _one_of(found: dict[str, str]) -> str:
    words = ", ".join(f"„{word}“" for word in re.findall(r'"([^"]*)"', found["words"]))
    more = f" und {found['n']} weitere" if found["n"] else ""
    return f"einer dieser Werte: {words}{more}"


def _parts(found: dict[str, str]) -> str | None:
    """Return what the gate of the security scan found, part by part; None if one is not known."""
    told = [in_german(part) for part in _PART.split(found["parts"])]
    return "; ".join(part for part in told if part) if None not in told else None


def _reasons(words: str) -> str:
    """Return what is accepted: codes and places as they are, the reasons in their own words."""
    words = re.sub(
        r", put on record by (\S+), ledger entry (\d+)\)",
        r", festgehalten von \1, Protokolleintrag \2)",
        words,
    )
    return re.sub(
        r"NOT CHECKED: (known vulnerabilities \([a-z ]+\))",
        lambda at: f"NICHT GEPRÜFT: {_known(at[1])}",
        words,
    )


def _waiting(found: dict[str, str]) -> str:
    said = f"zählt noch nicht: {_reasons(found['names'])}"
    if found["n"] is None:
        return f"{said}; qua3ck promote hält es fest, damit die Freigebenden es sehen"
    return (
        f"{said}; erst {found['n']} von {found['all']} Zustimmungen sind später: noch einmal geben"
        " mit qua3ck approve VERSION"
    )


_PART = re.compile(r"; (?=blocking |warned of |accepted |does not count |NOT CHECKED: )")


def _promise(found: dict[str, str]) -> str:
    """Return a KPI or gap with all that was promised of it; see ``question.promises``."""
    side = {"at_least": "mindestens", "at_most": "höchstens"}[found["side"]]
    metric = METRICS[found["metric"]][0] if found["metric"] in METRICS else found["metric"]
    says = f"{metric} {side} {local(found['n'], 'de')}"
    if found["sure"]:
        says += f" bei Sicherheit {local(found['sure'], 'de')}"
    parts = [says]
    if found["where"]:
        parts.append(f"wo {found['where'].replace(' is ', ' = ').replace(' and ', ' und ')}")
    if found["by"]:
        parts.append(f"in jeder Gruppe von {found['by']}")
    if found["between"]:
        parts.append(f"zwischen Gruppen von {found['between']}")
    if found["rows"]:
        parts.append(f"je mindestens {local(found['rows'], 'de')} Zeilen")
    if found["missing"]:
        parts.append(f"{_listed(found['missing'])} damals nicht festgehalten")
    return ", ".join(parts)


def _listed(words: str) -> str:
    return ", ".join(map(_known, words.split(", ")))


def promise_words(name: str, said: str) -> tuple[str, str]:
    """Return what a promise is called and what it says, in German.

    Parameters
    ----------
    name : str
        As ``question.promises.as_written`` calls it: only its fixed names are words of ours;
        everything else is the id of a KPI or gap and stays as it is.
    said : str
        What is promised. A class, a rule or an id that somebody chose stays as it is, too.
    """
    called = WORDS[name] if name in _NAMED else name
    if said in _SAID_OF_NONE or (name == LEADING and said == "none"):
        return called, WORDS[said]
    return called, said if name in _OWN_WORDS else _known(said)


def _promises(words: str) -> str:
    """Return promises one by one, or how each of them was changed."""
    told = []
    for one in words.split("; "):
        name, colon, said = one.partition(": ")
        parts = [promise_words(name, part)[1] for part in said.split(" -> ")]
        told.append(f"{promise_words(name, '')[0]}{colon}{' -> '.join(parts)}")
    return "; ".join(told)


def _changed(found: dict[str, str]) -> str:
    """Return who changed which promise when a verdict was known."""
    name, now = promise_words(found["id"], found["now"])
    if "then" not in found:
        return (
            f"Nach einem Urteil hat {found['who']} eine andere Frage gestellt: {name} war damals"
            f" nicht festgehalten; nun: {now}."
        )
    then = promise_words(found["id"], found["then"])[1]
    return f"Nach einem Urteil hat {found['who']} dies geändert: {name}, von {then} zu {now}."


def _agreed(found: dict[str, str]) -> str | None:
    """Return who agreed to the question, person by person; see ``question.agreement``."""
    told = []
    for one in _EACH.split(found["told"]):
        word = _WORD.fullmatch(one)
        if word is None:
            return None
        told.append(_word_of(word.groupdict()))
    cure = " Abhilfe: qua3ck approve --question --as NAME --reason WARUM" if found["cure"] else ""
    return f"Die Frage und ihre Schwellen: {'; '.join(told)}.{cure}"


def _word_of(word: dict[str, str | None]) -> str:
    if word["who"] is None:
        return "niemand ist benannt, der zustimmen könnte"
    if word["seq"] is None:
        return f"{word['who']} hat noch nicht zugestimmt"
    agreed = word["did"] == "agreed to"
    did = "zugestimmt" if agreed else "abgelehnt"
    entry = f"(Protokolleintrag {word['seq']}, {word['at']})"
    if word["moved"] is not None:
        none = word["moved"] == "no promise was changed"
        moved = "keine Zusage wurde geändert" if none else _promises(word["moved"])
        what = "einer früheren Fassung" if agreed else "eine frühere Fassung"
        return f"{word['who']} hat {what} {did} {entry}; seither: {moved}"
    same = f", den Zusagen mit Eintrag {word['same']}" if word["same"] else ""
    when = {"before": ", vor der Öffnung des Siegels", "AFTER": ", NACH der Öffnung des Siegels"}
    return f"{word['who']} hat {did} {entry}{same}{when.get(word['when'] or '', '')}"


_NAMED = {LEADING, POSITIVE, COSTS, RISK, STOP}
_OWN_WORDS = {LEADING, POSITIVE, STOP}
_SAID_OF_NONE = {NOT_ASKED, NOT_THEN, NOT_DECLARED}
_EACH = re.compile(r"; (?=\S+ (?:has not agreed to it yet|(?:agreed to|refused) (?:it|an) ))")
_WORD = re.compile(
    r"nobody is named who could agree to it|(?P<who>\S+) (?:has not agreed to it yet"
    r"|(?P<did>agreed to|refused) (?:it|an earlier one)"
    r" \(ledger entry (?P<seq>\d+), (?P<at>[\d-]+)\)(?:; since then (?P<moved>.+))?"
    r"(?:, its promises with entry (?P<same>\d+))?"
    r"(?:, (?P<when>before|AFTER) the seal (?:was|had been) opened)?)",
    re.DOTALL,
)


def _moved(found: dict[str, str]) -> str:
    """Return which promises are not those that a version was judged on."""
    return (
        f"seit dem Urteil in der Projektdatei geändert: {_promises(found['what'])}:"
        " qua3ck conclude, dann qua3ck release"
    )


def _set(found: dict[str, str]) -> str:
    late = f"; NACHDEM {found['n']} Urteile bekannt waren" if found["n"] else ""
    return f"Zusagen {_promises(found['all'])}{late}"


def _signed(found: dict[str, str]) -> str:
    word = {"for": "für", "AGAINST": "gegen"}[found["word"]]
    late = f", NACHDEM schon geöffnet worden war, {found['n']}-mal" if found["n"] else ""
    return (
        f"{found['who']} unterschreibt {word} die Frage ({_promises(found['all'])}){late}:"
        f" {found['why']}"
    )


_SENTENCES: tuple[tuple[re.Pattern[str], _Tell], ...] = (
    (
        re.compile(
            rf"(?P<metric>\w+) (?P<side>at_least|at_most) (?P<n>{_N})"
            rf"(?: at confidence (?P<sure>{_N}))?"
            r"(?:, where (?P<where>.+?))?(?:, in every group of (?P<by>.+?))?"
            r"(?:, between groups of (?P<between>.+?))?"
            rf"(?:, each of at least (?P<rows>{_N}) rows)?"
            r"(?:, (?P<missing>[a-z ,]+) not on record then)?"
        ),
        _promise,
    ),
    (
        re.compile(
            r"(?P<all>affects [a-z ]+, domain .+, (?:a person decides|decided automatically))"
        ),
        lambda found: _listed(found["all"]),
    ),
    _say(r"domain (?P<name>[^,]+)", "Bereich {name}"),
    _say(
        rf"false_negative (?P<n_miss>{_N}), false_positive (?P<n_alarm>{_N})",
        "falsch negativ {n_miss}, falsch positiv {n_alarm}",
    ),
    (
        re.compile(
            r"After a verdict, (?P<who>\S+) changed (?P<id>\S+|[a-zA-Z ]+) from (?P<then>.+?) to"
            r" (?P<now>.+)\.",
            re.DOTALL,
        ),
        _changed,
    ),
    (
        re.compile(
            r"After a verdict, (?P<who>\S+) set another question: (?P<id>.+) was not on record"
            r" then; it is (?P<now>.+)\.",
            re.DOTALL,
        ),
        _changed,
    ),
    (
        re.compile(
            r"The question and its thresholds: (?P<told>.+?)\."
            r"(?P<cure> Type: qua3ck approve --question --as NAME --reason WHY)?",
            re.DOTALL,
        ),
        _agreed,
    ),
    _say(
        rf"A row is called (?P<name>.+) from a probability of (?P<n_half>{_N}) on; (?P<k_why>the"
        r" costs of the question|the KPIs that depend on the decision) decided that on validation"
        r" rows\.",
        "Eine Zeile gilt ab einer Wahrscheinlichkeit von {n_half} als „{name}“; darüber"
        " entschieden {k_why}, auf den Validierungszeilen.",
    ),
    (
        re.compile(
            r"changed in the project file after it was judged: (?P<what>.+):"
            r" qua3ck conclude, then qua3ck release",
            re.DOTALL,
        ),
        _moved,
    ),
    _say(
        rf"(?P<k_who>\S+) was kept among (?P<n_all>{_N}) finished trials, with a validation"
        rf" (?P<kpi>\S+) of (?P<n_best>{_N})\. Limits come first; of those that validation cannot"
        r" tell from the best, the explainable, the quicker and the smaller one is taken\.",
        "{k_who} wurde unter {n_all} zu Ende geführten Versuchen behalten, mit {kpi} {n_best} in"
        " der"
        " Validierung. Grenzen gehen vor; von denen, die die Validierung nicht vom besten"
        " unterscheiden"
        " kann, wird der nachvollziehbare, der schnellere und der kleinere genommen.",
    ),
    _say(
        rf"(?P<k_who>\S+) was kept after (?P<n_all>{_N}) finished trials\.",
        "{k_who} wurde nach {n_all} zu Ende geführten Versuchen behalten.",
    ),
    (
        re.compile(
            rf"Close: (?P<who>\S+) \((?P<kpi>\S+) (?P<score>{_N})\)"
            r"(?P<limits>, but outside another limit)?"
            rf"(?:; seeds alone move it by (?P<sd>{_N}))?\."
        ),
        _close,
    ),
    _say(
        rf"Against (?P<k_who>\w+) \((?P<k_says>.+)\): (?P<k_metric>\w+) better by (?P<n_gain>{_N})"
        rf" (?P<b_bounds>{_BOUNDS}), (?P<k_sure>[a-z ]+)\.",
        "Gegen {k_who} ({k_says}): {k_metric} besser um {n_gain} {b_bounds}, {k_sure}.",
    ),
    _say(
        rf"Against (?P<k_who>\w+): (?P<k_metric>\w+) better by (?P<n_gain>{_N})"
        rf" (?P<b_bounds>{_BOUNDS}), (?P<k_sure>[a-z ]+)\.",
        "Gegen {k_who}: {k_metric} besser um {n_gain} {b_bounds}, {k_sure}.",
    ),
    _say(
        rf"(?P<id>\S+) (?P<n_value>{_N}) (?P<b_bounds>{_BOUNDS}), wanted (?P<sign>[<>]=)"
        rf" (?P<n_limit>{_N}): (?P<k_answer>pass|fail|undecided)\.",
        "{id} {n_value} {b_bounds}, verlangt {sign} {n_limit}: {k_answer}.",
    ),
    (
        re.compile(
            rf"(?P<id>\S+) (?P<value>{_N}) (?P<bounds>{_BOUNDS}), wanted (?P<sign>[<>]=)"
            rf" (?P<limit>{_N}): undecided on (?P<n>{_N}) (?P<unit>\w+)\.(?P<more>.*)",
            re.DOTALL,
        ),
        _open,
    ),
    _say(
        rf"About (?P<n_rows>{_N}) (?P<k_unit>\w+) at this (?P<metric>\w+) would pass\.",
        "Etwa {n_rows} {k_unit} würden bei diesem Wert zum Bestehen führen.",
    ),
    _say(
        rf"About (?P<n_rows>{_N}) (?P<k_unit>\w+) at this (?P<metric>\w+) would fail\.",
        "Etwa {n_rows} {k_unit} würden bei diesem Wert zum Nichtbestehen führen.",
    ),
    _say(
        rf"Class (?P<name>.+) is rare: (?P<n_rows>{_N}) sealed rows\.",
        "Die Klasse {name} ist selten: {n_rows} versiegelte Zeilen.",
    ),
    _say(
        rf"(?P<column>[^,]+), (?P<k_part>.+): wrong in (?P<n_rate>{_N}) of (?P<n_rows>{_N}) sealed"
        rf" rows, the others in (?P<n_rest>{_N})\.",
        "{column}, {k_part}: falsch bei {n_rate} von {n_rows} versiegelten Zeilen, die anderen bei"
        " {n_rest}.",
    ),
    _say(
        r"Left out of the model: (?P<names>.+)\.",
        "Dem Modell nicht gegeben: {names}.",
    ),
    _say(
        rf"A random split would have promised (?P<n_more>{_N}) instead of (?P<n_less>{_N}): rows"
        rf" are"
        r" not as independent as they look\.",
        "Eine zufällige Aufteilung hätte {n_more} statt {n_less} versprochen: Die Zeilen sind"
        " weniger"
        " unabhängig, als sie aussehen.",
    ),
    _say(
        rf"It fits training rows better \((?P<n_more>{_N})\) than validation rows"
        rf" \((?P<n_less>{_N})\)\.",
        "Trainingszeilen passt es besser an ({n_more}) als Validierungszeilen ({n_less}).",
    ),
    _say(
        r'always says "(?P<name>.+)", the most frequent class',
        "sagt immer „{name}“, die häufigste Klasse",
    ),
    _say(
        r'always says "(?P<name>.+)", the cheaper decision for everybody',
        "sagt immer „{name}“, für alle die billigere Entscheidung",
    ),
    _say(
        r"repeats the last earlier value of the same (?P<unit>.+)",
        "wiederholt den letzten früheren Wert je {unit}",
    ),
    _say(r"ONNX was earned\. (?P<k_says>.+)", "ONNX ist verdient. {k_says}"),
    _say(
        r"The ONNX graph disagrees with the pipeline\. (?P<k_says>.+)",
        "Der ONNX-Graph weicht vom trainierten Modell ab. {k_says}",
    ),
    _say(
        rf"On (?P<n_rows>{_N}) real rows (?P<n_differ>{_N}) labels differ and the largest gap is"
        rf" (?P<n_gap>{_N}) \(accepted: 0 and (?P<n_most>{_N})\)\.",
        "Auf {n_rows} echten Zeilen weichen {n_differ} Entscheidungen ab, der größte Unterschied"
        " ist"
        " {n_gap} (hingenommen: 0 und {n_most}).",
    ),
    _say(
        r"Enough: (?P<id>\S+) meets its threshold on validation rows\. Conclude; a more complex"
        r" model"
        r" would have to earn its keep\.",
        "Genug: {id} erreicht auf den Validierungszeilen seine Schwelle. Lassen Sie urteilen; ein"
        " komplexeres Modell müsste sich erst lohnen.",
    ),
    _say(
        r"Adapt features: no candidate beats the baseline beyond doubt, so the columns do not"
        r" hold the"
        r" answer yet\. Tuning cannot put it there\..*",
        "Merkmale anpassen: Kein Kandidat ist zweifelsfrei besser als die Vergleichsregel, also"
        " steckt"
        " die Antwort noch nicht in den Spalten. Feinabstimmung bringt sie nicht hinein.",
    ),
    _say(
        rf"More rows: validation still rose by (?P<n_slope>{_N}) with the last fifth of the"
        rf" training"
        r" rows\. After that adapt features\.",
        "Mehr Zeilen: Mit dem letzten Fünftel der Trainingszeilen stieg die Validierung noch um"
        " {n_slope}. Danach Merkmale anpassen.",
    ),
    _say(
        rf"Adapt features: tuning brought (?P<n_tuned>{_N}) and the best algorithms differ by"
        rf" (?P<n_spread>{_N}), both within noise \((?P<n_noise>{_N})\)\. New columns would help"
        r" most\.",
        "Merkmale anpassen: Die Feinabstimmung brachte {n_tuned}, und die besten Verfahren liegen"
        " {n_spread} auseinander, beides im Rauschen ({n_noise}). Neue Spalten würden am meisten"
        " helfen.",
    ),
    _say(
        rf"Algorithm: the best one leads the next by (?P<n_spread>{_N}), more than tuning brought"
        rf" \((?P<n_tuned>{_N})\)\. Try others of its kind\.",
        "Verfahren: Das beste liegt {n_spread} vor dem nächsten, mehr als die Feinabstimmung"
        " brachte"
        " ({n_tuned}). Versuchen Sie andere seiner Art.",
    ),
    _say(
        rf"Adjust hyperparameters: tuning brought (?P<n_tuned>{_N}) so far\. A larger budget may"
        rf" bring"
        r" more; adapt features first where you can\.",
        "Einstellungen anpassen: Die Feinabstimmung brachte bisher {n_tuned}. Ein größeres Budget"
        " bringt vielleicht mehr; passen Sie zuerst Merkmale an, wo Sie können.",
    ),
    _say(
        r"EU AI Act, Annex III (?P<point>[^:]+): (?P<k_title>.+)",
        "KI-Verordnung der EU, Anhang III {point}: {k_title}",
    ),
    _say(
        r'people are affected; "(?P<domain>.+)" is not in EU AI Act, Annex III',
        "Menschen sind betroffen; „{domain}“ steht nicht in der KI-Verordnung der EU, Anhang III",
    ),
    _say(
        r"no natural person is affected \(affects: (?P<whom>\w+)\)",
        "keine natürliche Person ist betroffen (affects: {whom})",
    ),
    _say(r"probability of (?P<name>.+)", "Wahrscheinlichkeit für „{name}“"),
    _say(rf"from (?P<n_low>{_N}) below (?P<n_high>{_N})", "von {n_low} bis unter {n_high}"),
    _say(rf"from (?P<n_low>{_N})", "ab {n_low}"),
    _say(rf"below (?P<n_high>{_N})", "unter {n_high}"),
    _say(r"(?P<unit>group|entity|time):(?P<column>.+)", "{column}"),
    _say(
        rf"(?P<column>[^,]+), (?P<k_part>.+), (?P<n_rows>{_N}) of (?P<n_all>{_N}) rows",
        "{column}, {k_part}, {n_rows} von {n_all} Zeilen",
    ),
    _say(
        rf"(?P<what>.+), (?P<n_rows>{_N}) of (?P<n_all>{_N}) rows",
        "{what}, {n_rows} von {n_all} Zeilen",
    ),
    _say(
        rf"Errors concentrate in (?P<column>[^,]+), (?P<k_part>.+): (?P<n_rate>{_N}), elsewhere"
        rf" (?P<n_rest>{_N}); and in (?P<n_more>\d+) more\.",
        "Fehler häufen sich bei {column}, {k_part}: {n_rate}, anderswo {n_rest}; und in {n_more}"
        " weiteren Teilen.",
    ),
    _say(
        rf"Errors concentrate in (?P<column>[^,]+), (?P<k_part>.+): (?P<n_rate>{_N}), elsewhere"
        rf" (?P<n_rest>{_N})\.",
        "Fehler häufen sich bei {column}, {k_part}: {n_rate}, anderswo {n_rest}.",
    ),
    _say(
        r"No entity is declared: a row's side is decided by its content, so a later correction of a"
        r" cell can move that row across the split\. Declare entity: to prevent it\.",
        "Keine Einheit ist erklärt: Auf welcher Seite eine Zeile liegt, richtet sich nach ihrem"
        " Inhalt, so dass eine spätere Korrektur sie auf die andere bringen kann. Ein Eintrag"
        " „entity:“ verhindert das.",
    ),
    # what is wrong with rows that are handed in
    _say(r'Column "(?P<name>.+)" is missing\.', "Die Spalte „{name}“ fehlt."),
    _say(
        r'Column "(?P<name>.+)" is not known to the model\.',
        "Die Spalte „{name}“ kennt das Modell nicht.",
    ),
    _say(
        r'Column "(?P<name>.+)" is there (?P<n>\d+) times\.',
        "Die Spalte „{name}“ ist {n}-mal da.",
    ),
    _say(
        rf'Column "(?P<name>.+)" has (?P<n_cells>{_N}) values that are no'
        r" (?P<k_kind>number|date|true or false|text)\.",
        "Werte in der Spalte „{name}“, die {k_kind} sind: {n_cells}.",
    ),
    _say(
        rf"(?P<n_rows>{_N}) of (?P<n_all>{_N}) rows, first at row (?P<n_first>{_N})",
        "{n_rows} von {n_all} Zeilen, zuerst in Zeile {n_first}",
    ),
    _say(r'rename "(?P<old>.+)" to "(?P<name>.+)"', "benennen Sie „{old}“ um in „{name}“"),
    _say(
        r'rename it to "(?P<name>.+)" or leave it out',
        "benennen Sie sie um in „{name}“ oder lassen Sie sie weg",
    ),
    _say(r'add the column "(?P<name>.+)"', "fügen Sie die Spalte „{name}“ hinzu"),
    # events of the ledger
    _say(
        r"(?P<alias>\w+): nowhere -> version (?P<to>\d+) \(promote\): (?P<why>.*)",
        "{alias}: erstmals Version {to}, in Einsatz genommen: {why}",
    ),
    _say(
        r"(?P<alias>\w+): version (?P<old>\d+) -> version (?P<to>\d+) \(promote\): (?P<why>.*)",
        "{alias}: Version {old} → Version {to}, in Einsatz genommen: {why}",
    ),
    _say(
        r"(?P<alias>\w+): version (?P<old>\d+) -> version (?P<to>\d+) \(rollback\): (?P<why>.*)",
        "{alias}: Version {old} → Version {to}, zurückgenommen: {why}",
    ),
    _say(
        r"version (?P<version>\d+) of candidate (?P<of>\w+), opening (?P<k>\d+), (?P<form>\w+),"
        r" digest (?P<digest>\w+)",
        "Version {version} aus Kandidat {of}, Öffnung {k}, {form}, Prüfsumme {digest}",
    ),
    _say(
        r"(?P<alias>\w+): nowhere -> version (?P<to>\d+) \(promote, by steps of (?P<steps>[^)]+)\):"
        r" (?P<why>.*)",
        "{alias}: bisher keine → Version {to}, in Einsatz genommen in Schritten von {steps}: {why}",
    ),
    _say(
        r"(?P<alias>\w+): version (?P<old>\d+) -> version (?P<to>\d+)"
        r" \(promote, by steps of (?P<steps>[^)]+)\): (?P<why>.*)",
        "{alias}: Version {old} → Version {to}, in Einsatz genommen in Schritten von {steps}:"
        " {why}",
    ),
    _say(r"the model is switched off: (?P<why>.*)", "das Modell ist abgeschaltet: {why}"),
    _say(r"Serving is switched off: (?P<why>.*)", "Das Modell ist abgeschaltet: {why}"),
    _say(r"the model answers again: (?P<why>.*)", "das Modell antwortet wieder: {why}"),
    _say(
        r'Column "(?P<column>.+)" is empty, and no training row was',
        "Die Spalte „{column}“ ist leer; in keiner Zeile des Trainings war sie es",
    ),
    _say(
        r'Column "(?P<column>.+)" lies outside of what was seen in training:'
        rf" about (?P<n_low>{_N}|\d{{4}}-\d\d-\d\d) to (?P<n_high>{_N}|\d{{4}}-\d\d-\d\d)",
        "Die Spalte „{column}“ liegt außerhalb dessen, was im Training vorkam:"
        " etwa {n_low} bis {n_high}",
    ),
    _say(
        r'Column "(?P<column>.+)" lies outside of what was seen in training',
        "Die Spalte „{column}“ liegt außerhalb dessen, was im Training vorkam",
    ),
    _say(
        r'Column "(?P<column>.+)" is a category that no training row has;'
        r' did you mean "(?P<near>.+)"\?',
        "Die Spalte „{column}“ enthält eine Kategorie, die in keiner Zeile des Trainings vorkam."
        " Ist „{near}“ gemeint?",
    ),
    _say(
        r'Column "(?P<column>.+)" is a category that no training row has',
        "Die Spalte „{column}“ enthält eine Kategorie, die in keiner Zeile des Trainings vorkam",
    ),
    _say(
        r'Column "(?P<column>.+)" is infinite or too large for a number of the model',
        "Die Spalte „{column}“ ist unendlich oder zu groß für eine Zahl des Modells",
    ),
    (re.compile(r"(?P<says>.+) \(and (?P<n>\d+) more\)", re.DOTALL), _and_more),
    (re.compile(r"send one of: (?P<words>\".+?\")(?: and (?P<n>\d+) more)?", re.DOTALL), _one_of),
    _say(r"row (?P<n_row>\d+) of (?P<n_all>\d+)", "Zeile {n_row} von {n_all}"),
    _say(r"row (?P<n_row>\d+)", "Zeile {n_row}"),
    _say(
        r"(?P<n_rows>\d+) of (?P<n_all>\d+) rows, first in row (?P<n_first>\d+)",
        "{n_rows} von {n_all} Zeilen, zuerst in Zeile {n_first}",
    ),
    _say(
        r"version (?P<version>\d+): from (?P<share>\d+) % to (?P<to>\d+) %",
        "Version {version}: von {share} % auf {to} %",
    ),
    _say(
        r"release \d+: name (?P<name>\S+), registered (?P<number>\S+), version (?P<version>\d+)",
        "Version {version}: registriert als {name} {number}",
    ),
    _say(
        r"release \d+: name (?P<name>\S+), registered (?P<number>\S+), version (?P<version>\d+),"
        r" again: the registry had lost it",
        "Version {version}: erneut registriert als {name} {number};"
        " die Registry hatte sie verloren",
    ),
    _say(
        r"(?P<name>\S+) as (?P<roles>[\w, ]+); KEY REPLACED by (?P<by>\S+)",
        "{name} als {roles}; SCHLÜSSEL ERSETZT durch {by}",
    ),
    _say(
        r"(?P<k_word>\S+ signs .+); with a key that (?P<by>.+) put in place of another",
        "{k_word}; mit einem Schlüssel, den {by} an die Stelle eines anderen gesetzt hat",
    ),
    _say(
        r"(?P<k_word>\d+ of \d+ approvals.*); the key of (?P<n>\S+) was put in place of another by"
        r" an author \((?P<by>.+?)\), and counts once another owner enrols it too: (?P<cmd>.+)",
        "{k_word}; den Schlüssel von {n} hat ein Urheber ({by}) ersetzt; er zählt, sobald ein"
        " anderer Eigentümer ihn auch einträgt: {cmd}",
    ),
    _say(
        r"(?P<name>\S+): m (?P<n>\d+)(?:, from (?P<n_before>\d+))?",
        "{name}: {n} Öffnungen des Siegels erlaubt",
    ),
    _say(
        r"(?P<name>\S+): format (?P<form>\d+), id (?P<id>\w+)",
        "{name}: Format {form}, Kennung {id}",
    ),
    (
        re.compile(
            r"(?P<parts>(?:nothing found that blocks|blocking .+?|NOT CHECKED: .+?)"
            r"; (?:warned of|accepted|does not count|NOT CHECKED:) .+)",
            re.DOTALL,
        ),
        _parts,
    ),
    (
        re.compile(
            r"does not count yet: (?P<names>.+?), (?:which qua3ck promote puts on record, for the"
            r" approvers to see|as (?P<n>\d+) of (?P<all>\d+) approvals are later than that: to be"
            r" given again with qua3ck approve VERSION)",
            re.DOTALL,
        ),
        _waiting,
    ),
    (
        re.compile(r"accepted (?P<names>[A-Z]\d{3} .+)", re.DOTALL),
        lambda found: f"hingenommen: {_reasons(found['names'])}",
    ),
    _say(r"NOT CHECKED: (?P<k_what>.+)", "NICHT GEPRÜFT: {k_what}"),
    _say(
        r"warned of (?P<names>[A-Z]\d{3} .+), and (?P<n>\d+) more",
        "gewarnt vor {names} und {n} weiteren",
    ),
    _say(r"warned of (?P<names>[A-Z]\d{3} .+)", "gewarnt vor {names}"),
    _say(r"candidate (?P<of>\w+) may be released", "Kandidat {of} darf freigegeben werden"),
    _say(
        r"candidate (?P<of>\w+) may not be released",
        "Kandidat {of} darf nicht freigegeben werden",
    ),
    _say(
        rf"opening (?P<k>\d+) of (?P<m>\d+) for candidate (?P<of>\w+), (?P<n_rows>{_N}) rows",
        "Öffnung {k} von {m} für Kandidat {of}, {n_rows} Zeilen",
    ),
    _say(
        rf"(?P<n_rows>{_N}) rows sealed as (?P<seal>\w+)(?P<rest>, key wrapped to .+)?",
        "{n_rows} Zeilen versiegelt als {seal}",
    ),
    _say(
        r"read again for the same candidate (?P<of>\w+); no opening used",
        "für denselben Kandidaten {of} erneut gelesen; keine Öffnung verbraucht",
    ),
    _say(
        r"(?P<who>\S+) signs for version (?P<version>\d+): (?P<why>.*)",
        "{who} unterschreibt für Version {version}: {why}",
    ),
    _say(
        r"(?P<who>\S+) signs AGAINST version (?P<version>\d+): (?P<why>.*)",
        "{who} unterschreibt gegen Version {version}: {why}",
    ),
    (
        re.compile(
            r"(?P<who>\S+) signs (?P<word>for|AGAINST) the question \((?P<all>.+?)\)"
            r"(?:, AFTER (?P<n>\d+) opening\(s\))?: (?P<why>.*)",
            re.DOTALL,
        ),
        _signed,
    ),
    _say(
        r"version (?P<version>\d+) came out the same",
        "Version {version} kam beim Nachbau gleich heraus",
    ),
    _say(
        r"version (?P<version>\d+) DIFFERS: (?P<rest>.+)",
        "Version {version} WEICHT beim Nachbau AB: {rest}",
    ),
    _say(
        r"version (?P<version>\d+) to (?P<alias>\w+) refused by (?P<names>.+)",
        "Version {version} als {alias} verweigert durch: {names}",
    ),
    (
        re.compile(r"promises (?P<all>.+?: .+?)(?:, AFTER (?P<n>\d+) verdict\(s\) had been seen)?"),
        _set,
    ),
    _say(
        rf"(?P<table>\S+) version (?P<version>\S+), (?P<n_in>{_N}) loaded, (?P<n_held>{_N}) held,"
        rf" (?P<n_rows>{_N}) rows, content (?P<digest>\w+)",
        "{table}, Version {version}: {n_in} geladen, {n_held} zurückgehalten, {n_rows} Zeilen,"
        " Inhalt"
        " {digest}",
    ),
    _say(
        rf"algorithm (?P<k_who>\w+), format (?P<form>\w+), trials (?P<n_all>{_N}); snapshot"
        r" (?P<of>\w*)",
        "{k_who}, Format {form}, {n_all} Versuche; Datenstand {of}",
    ),
    _say(r"(?P<k_method>.+) \(rough, not judged by\)", "{k_method} (grob, ohne Urteil)"),
    _say(
        rf"(?P<n_rows>{_N}) rows, at least (?P<n_least>{_N}) are wanted for a verdict",
        "{n_rows} Zeilen, für ein Urteil sind mindestens {n_least} verlangt",
    ),
    _say(
        r"too few (?P<k_unit>\w+) for this method: all are alike, so no spread is seen",
        "zu wenige Einheiten ({k_unit}) für dieses Verfahren: Alle sind gleich, es ist keine"
        " Streuung zu"
        " sehen",
    ),
    _say(r"all (?P<n_all>\d+) pass", "alle {n_all} bestanden"),
    _say(r"failed: (?P<names>.+)", "nicht bestanden: {names}"),
    _say(r"undecided: (?P<names>.+)", "unentschieden: {names}"),
    _say(r"blocking: (?P<names>.+)", "im Weg: {names}"),
    _say(r"accepted with a reason: (?P<names>.+)", "mit Begründung hingenommen: {names}"),
    _say(r"approved by (?P<names>.+)", "zugestimmt: {names}"),
    _say(r"refused by (?P<names>.+)", "abgelehnt: {names}"),
    _say(
        r"(?P<n>\d+) of (?P<all>\d+) approvals; to be given by (?P<who>.+?), not by an author"
        r" \((?P<own>.+)\)",
        "{n} von {all} Zustimmungen; zu geben von {who}, nicht von denen, deren Werk sie ist"
        " ({own})",
    ),
    _say(
        r"(?P<n>\d+) of (?P<all>\d+) approvals; to be given by (?P<who>.+)",
        "{n} von {all} Zustimmungen; zu geben von {who}",
    ),
)
