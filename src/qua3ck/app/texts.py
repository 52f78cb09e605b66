"""Every sentence of the view, in one catalogue: key -> language -> words.

What report and view both say is in the report's catalogue and is looked up there. Values in
curly brackets are put in as plain text and escaped later, when markup is made.
"""

from __future__ import annotations

import math

from qua3ck.transfer import texts as report

LANGUAGES = {"en": "English", "de": "Deutsch"}

TEXTS: dict[str, dict[str, str]] = {
    # -- around every page ------------------------------------------------------
    "view.title": {"en": "{page}: {project}", "de": "{page}: {project}"},
    "view.version": {"en": "Version looked at", "de": "Betrachtete Version"},
    "view.language": {"en": "Language", "de": "Sprache"},
    "view.alias": {"en": "{alias}: version {version}", "de": "{alias}: Version {version}"},
    "view.unused": {
        "en": "version {version} (not in use)",
        "de": "Version {version} (nicht im Einsatz)",
    },
    "view.who": {"en": "Signed in as {name}", "de": "Angemeldet als {name}"},
    "view.local": {"en": "On this machine as {name}", "de": "An diesem Rechner als {name}"},
    "view.roles": {"en": "Roles: {roles}", "de": "Rollen: {roles}"},
    "view.no_roles": {
        "en": "No role: sees decisions and evidence",
        "de": "Ohne Rolle: sieht Entscheidung und Belege",
    },
    "view.sign_out": {"en": "Sign out", "de": "Abmelden"},
    "view.moved": {
        "en": "Since your last click {alias} has moved from version {before} to version {version}.",
        "de": "Seit Ihrem letzten Klick zeigt {alias} nicht mehr auf Version {before}, sondern"
        " auf Version {version}.",
    },
    "view.error": {"en": "This cannot be shown", "de": "Das lässt sich nicht anzeigen"},
    "view.bug": {"en": "This is a mistake of ours", "de": "Das ist unser Fehler"},
    "view.bug.says": {
        "en": "The page could not be drawn; nothing was changed. What happened stands in the log"
        " of qua3ck app.",
        "de": "Die Seite ließ sich nicht zeichnen; nichts wurde verändert. Was geschah, steht im"
        " Protokoll von qua3ck app.",
    },
    "view.where": {"en": "Where", "de": "Wo"},
    "view.fix": {"en": "What to do", "de": "Was zu tun ist"},
    "alias.champion": {"en": "In use", "de": "Im Einsatz"},
    "alias.champion.off": {"en": "In use, switched off", "de": "Im Einsatz, abgeschaltet"},
    "alias.canary": {
        "en": "Being rolled out, {share}",
        "de": "Wird eingeführt, {share}",
    },
    "alias.challenger": {"en": "Challenger", "de": "Herausforderer"},
    "alias.shadow": {"en": "In the shadow", "de": "Im Schatten"},
    "alias.staging": {"en": "Staging", "de": "Vorstufe"},
    "alias.production": {"en": "Production", "de": "Produktion"},
    "role.owner": {"en": "owner", "de": "Verantwortung"},
    "role.analyst": {"en": "analyst", "de": "Analyse"},
    "role.risk_manager": {"en": "risk management", "de": "Risikomanagement"},
    "role.data_steward": {"en": "data stewardship", "de": "Datenverantwortung"},
    "role.auditor": {"en": "audit", "de": "Revision"},
    "role.domain_expert": {"en": "subject knowledge", "de": "Fachwissen"},
    "role.ml_engineer": {"en": "machine learning", "de": "Modellbetrieb"},
    "role.data_engineer": {"en": "data engineering", "de": "Datentechnik"},
    "page.decide": {"en": "Decide", "de": "Entscheiden"},
    "page.evidence": {"en": "Evidence", "de": "Belege"},
    "page.data": {"en": "Data", "de": "Daten"},
    "page.live": {"en": "In operation", "de": "Im Betrieb"},
    "page.releases": {"en": "Releases", "de": "Versionen"},
    "page.ledger": {"en": "Ledger", "de": "Protokoll"},
    "nothing.released": {
        "en": "Nothing has been released yet",
        "de": "Es ist noch nichts freigegeben",
    },
    "nothing.released.says": {
        "en": "A version appears here once its verdict passes and somebody releases it.",
        "de": "Hier erscheint eine Version, sobald ihr Urteil bestanden ist und jemand sie"
        " freigibt.",
    },
    "nothing.released.fix": {
        "en": "qua3ck run, then qua3ck release",
        "de": "qua3ck run, danach qua3ck release",
    },
    # -- signing in -------------------------------------------------------------
    "sign.title": {"en": "Sign in", "de": "Anmelden"},
    "sign.lead": {
        "en": "What you see follows the role that you are enrolled with.",
        "de": "Was Sie sehen, richtet sich nach der Rolle, mit der Sie eingetragen sind.",
    },
    "sign.name": {"en": "Name", "de": "Name"},
    "sign.password": {"en": "Password", "de": "Passwort"},
    "sign.service": {
        "en": "Sign in with your organisation's account",
        "de": "Mit dem Konto Ihrer Organisation anmelden",
    },
    "sign.wrong": {
        "en": "Name and password do not belong together.",
        "de": "Name und Passwort gehören nicht zusammen.",
    },
    "sign.wait": {
        "en": "Too many attempts. Try again in {seconds} seconds.",
        "de": "Zu viele Versuche. Bitte in {seconds} Sekunden noch einmal.",
    },
    "sign.unknown": {
        "en": "{email} is not on the list of those who may see this. Whoever runs the view can"
        " add you: qua3ck app --add-user NAME --email {email}",
        "de": "{email} steht nicht auf der Liste derer, die das sehen dürfen. Wer die Ansicht"
        " betreibt, kann Sie eintragen: qua3ck app --add-user NAME --email {email}",
    },
    "sign.link": {"en": "Open the link that was printed", "de": "Öffnen Sie den ausgegebenen Link"},
    "sign.link.says": {
        "en": "This view belongs to one person on this machine. The command qua3ck app printed a"
        " link that lets that person in; without it nothing is shown.",
        "de": "Diese Ansicht gehört einer Person an diesem Rechner. Der Befehl qua3ck app hat"
        " einen Link ausgegeben, der diese Person einlässt; ohne ihn wird nichts gezeigt.",
    },
    # -- decide -----------------------------------------------------------------
    "decide.in_use": {
        "en": "Version {version}, in use since {date}",
        "de": "Version {version}, im Einsatz seit {date}",
    },
    "decide.alias": {"en": "Version {version}, {alias}", "de": "Version {version}, {alias}"},
    "decide.not_in_use": {
        "en": "Version {version} is not in use. Its answers are for trying it out, not for"
        " deciding.",
        "de": "Version {version} ist nicht im Einsatz. Ihre Antworten dienen dem Ausprobieren,"
        " nicht dem Entscheiden.",
    },
    "decide.rolled_out": {
        "en": "Version {version} is being rolled out and gets {share} of the requests; version"
        " {settled} is in use. Here its answers are for trying it out, not for deciding.",
        "de": "Version {version} wird eingeführt und erhält {share} der Anfragen; im Einsatz ist"
        " Version {settled}. Hier dienen ihre Antworten dem Ausprobieren, nicht dem"
        " Entscheiden.",
    },
    "decide.one": {"en": "One case", "de": "Ein Fall"},
    "decide.many": {"en": "Many cases", "de": "Viele Fälle"},
    "decide.form": {"en": "The case", "de": "Der Fall"},
    "decide.form.says": {
        "en": "Leave empty what is not known. What is computed from other inputs (a rate, a"
        " difference) does not follow them: put in what it comes to. In the typical case each"
        " value is usual by itself; together they need not fit.",
        "de": "Lassen Sie leer, was nicht bekannt ist. Was aus anderen Angaben berechnet ist"
        " (eine Rate, eine Differenz), folgt ihnen nicht: Tragen Sie ein, was sich ergibt. Im"
        " typischen Fall ist jeder Wert für sich üblich; zusammen müssen sie nicht passen.",
    },
    "decide.ask": {"en": "Show the answer", "de": "Antwort zeigen"},
    "decide.example": {"en": "Fill in a typical case", "de": "Typischen Fall einsetzen"},
    "decide.clear": {"en": "Empty the form", "de": "Formular leeren"},
    "decide.seen": {"en": "Seen: {low} to {high}.", "de": "Vorgekommen: {low} bis {high}."},
    "decide.usual": {"en": "Typical: {value}.", "de": "Typisch: {value}."},
    "decide.hidden": {
        "en": "Personal or sensitive: what other people's values were is not shown.",
        "de": "Persönlich oder heikel: Welche Werte andere hatten, wird nicht gezeigt.",
    },
    "decide.choose": {"en": "choose, or type", "de": "wählen oder eintippen"},
    "decide.unknown": {"en": "not known", "de": "nicht bekannt"},
    "decide.answer": {"en": "Answer of the model", "de": "Antwort des Modells"},
    "decide.instead": {"en": "Answer without a model", "de": "Antwort ohne Modell"},
    "decide.instead.says": {
        "en": "This is the answer the project declared for the time in which serving is"
        " switched off; no model was asked.",
        "de": "Diese Antwort hat das Projekt für die Zeit festgelegt, in der der Betrieb"
        " abgeschaltet ist; kein Modell wurde gefragt.",
    },
    "decide.off": {
        "en": "Serving is switched off since {date}: {reason}. {instead}",
        "de": "Der Betrieb ist seit {date} abgeschaltet: {reason}. {instead}",
    },
    "decide.off.rule": {
        "en": "The declared rule answers instead of the model.",
        "de": "Statt des Modells antwortet die erklärte Ersatzregel.",
    },
    "decide.off.nobody": {
        "en": "No rule is declared to answer instead of the model, so nobody gets an answer.",
        "de": "Es ist keine Ersatzregel erklärt, die statt des Modells antwortet; also erhält"
        " niemand eine Antwort.",
    },
    "decide.refused": {"en": "No answer was given", "de": "Es wurde keine Antwort gegeben"},
    "decide.logged": {
        "en": "Logged as {id}. What came true later is sent back under this number.",
        "de": "Protokolliert als {id}. Was später eintritt, wird unter dieser Nummer gemeldet.",
    },
    "decide.nothing_yet": {
        "en": "Fill in the case and ask for the answer. It appears here, with what moved it.",
        "de": "Füllen Sie den Fall aus und fragen Sie nach der Antwort. Sie erscheint hier, mit"
        " dem, was sie bewegt hat.",
    },
    "decide.probability": {
        "en": "Probability of “{name}”",
        "de": "Wahrscheinlichkeit für „{name}“",
    },
    "decide.threshold": {
        "en": "From {threshold} on, the answer is “{positive}”.",
        "de": "Ab {threshold} lautet die Antwort „{positive}“.",
    },
    "decide.calibrated": {
        "en": "Of the {rows} sealed cases that scored most like this one, {observed} were in fact"
        " “{name}”; the true share lies between {low} and {high} (95 % for all such groups"
        " together).",
        "de": "Von den {rows} versiegelten Fällen mit ähnlichem Wert waren tatsächlich {observed}"
        " „{name}“; der wahre Anteil liegt zwischen {low} und {high} (95 % für alle diese"
        " Gruppen zusammen).",
    },
    "decide.calibrated.likeliest": {
        "en": "Of the {rows} sealed cases where the model was about as sure as here, it was right"
        " in {observed}; the true share lies between {low} and {high} (95 % for all such"
        " groups together).",
        "de": "In den {rows} versiegelten Fällen, in denen das Modell ähnlich sicher war, lag es"
        " zu {observed} richtig; der wahre Anteil liegt zwischen {low} und {high} (95 % für"
        " alle diese Gruppen zusammen).",
    },
    "decide.calibrated.none": {
        "en": "How often such a score comes true was not measured for this version: too few"
        " sealed rows.",
        "de": "Wie oft ein solcher Wert eintrifft, wurde für diese Version nicht gemessen: zu"
        " wenige versiegelte Zeilen.",
    },
    "decide.value": {"en": "Predicted value", "de": "Vorhergesagter Wert"},
    "decide.value.error": {
        "en": "On {rows} sealed rows, {metric} was {value} {interval}. No interval for a single"
        " case was measured.",
        "de": "Auf {rows} versiegelten Zeilen betrug {metric} {value} {interval}. Ein Intervall"
        " für den einzelnen Fall wurde nicht gemessen.",
    },
    "decide.bar": {
        "en": "{score}, on a scale from 0 to 100 %; threshold {threshold}",
        "de": "{score} auf einer Skala von 0 bis 100 %; Schwelle {threshold}",
    },
    "decide.bar.plain": {
        "en": "{score}, on a scale from 0 to 100 %",
        "de": "{score} auf einer Skala von 0 bis 100 %",
    },
    "decide.outside": {"en": "Unlike what it learned from", "de": "Anders als das Gelernte"},
    "decide.outside.says": {
        "en": "{names}: outside of what the training rows held. No figure of the evidence covers"
        " this.",
        "de": "{names}: außerhalb dessen, was in den Trainingszeilen vorkam. Dafür gilt keine"
        " Zahl der Belege.",
    },
    "decide.empty": {"en": "Left empty", "de": "Leer gelassen"},
    "decide.empty.says": {
        "en": "{names}. The model answers as it learned to where this is missing.",
        "de": "{names}. Das Modell antwortet, wie es das bei fehlenden Angaben gelernt hat.",
    },
    "decide.person": {"en": "Who decides", "de": "Wer entscheidet"},
    "reasons.title": {"en": "What moved this answer", "de": "Was diese Antwort bewegt hat"},
    "reasons.says": {
        "en": "Each input by itself is put at its typical value (median or most frequent of the"
        " training rows), the others stay; the change of the score is shown. This tells what"
        " the model does with this case. It is no cause in the world, and what inputs do"
        " together is not in it.",
        "de": "Jede Angabe wird für sich allein auf ihren typischen Wert gesetzt (Median oder"
        " häufigster Wert der Trainingszeilen), die anderen bleiben; gezeigt wird, wie sich"
        " der Wert dadurch ändert. Das beschreibt, was das Modell mit diesem Fall macht. Es"
        " ist keine Ursache in der Welt, und was Angaben gemeinsam bewirken, steckt nicht"
        " darin.",
    },
    "reasons.none": {
        "en": "Every input is typical: there is nothing to set apart.",
        "de": "Jede Angabe ist typisch: Es gibt nichts abzugrenzen.",
    },
    "reasons.unknown": {
        "en": "What is typical is not known here, so nothing can be set against it: {why}",
        "de": "Was typisch ist, ist hier nicht bekannt, also lässt sich nichts dagegenhalten:"
        " {why}",
    },
    "reasons.input": {"en": "Input", "de": "Angabe"},
    "reasons.here": {"en": "This case", "de": "Dieser Fall"},
    "reasons.typical": {"en": "Typical", "de": "Typisch"},
    "reasons.against": {"en": "typical: {value}", "de": "typisch: {value}"},
    "reasons.moved": {"en": "Moves the score by", "de": "Bewegt den Wert um"},
    "reasons.points": {"en": "{points} points", "de": "{points} Punkte"},
    "reasons.caption": {
        "en": "Points are percentage points of the probability of “{name}”.",
        "de": "Punkte sind Prozentpunkte der Wahrscheinlichkeit für „{name}“.",
    },
    "reasons.rest": {
        "en": "{n} more inputs move it by less than {points} points each.",
        "de": "{n} weitere Angaben bewegen ihn um je weniger als {points} Punkte.",
    },
    "what_if.title": {"en": "What if", "de": "Was wäre, wenn"},
    "what_if.input": {
        "en": "Let one input vary, the others stay",
        "de": "Eine Angabe verändern, die anderen bleiben",
    },
    "what_if.label": {
        "en": "{name} from {low} to {high}: the score goes from {first} to {last}; this case:"
        " {here}",
        "de": "{name} von {low} bis {high}: Der Wert geht von {first} auf {last}; dieser Fall:"
        " {here}",
    },
    "what_if.turns": {"en": "What would change the answer", "de": "Was die Antwort ändern würde"},
    "what_if.turns.none": {
        "en": "No single input, changed within what most training rows held, gives another answer.",
        "de": "Keine einzelne Angabe ergibt, innerhalb dessen verändert, was die meisten"
        " Trainingszeilen hatten, eine andere Antwort.",
    },
    "what_if.turns.says": {
        "en": "For each input the nearest value that, changed alone, gives another answer, within"
        " what most training rows held. A reading of the model, no advice: nobody is asked to"
        " change these things, and some cannot be changed. What is computed from other inputs"
        " does not change alone: whoever asks computes it again and asks for the whole case.",
        "de": "Je Angabe der nächste Wert, der für sich allein eine andere Antwort ergäbe,"
        " innerhalb dessen, was die meisten Trainingszeilen hatten. Eine Lesart des Modells,"
        " kein Rat: Niemand soll diese Dinge ändern, und manche sind nicht zu ändern. Was aus"
        " anderen Angaben berechnet ist, ändert sich nicht allein: Wer fragt, berechnet es neu"
        " und fragt nach dem ganzen Fall.",
    },
    "what_if.from": {"en": "Instead of", "de": "Statt"},
    "what_if.to": {"en": "Would have to be", "de": "Müsste sein"},
    "what_if.then": {"en": "Answer then", "de": "Antwort dann"},
    "what_if.value": {"en": "Value", "de": "Wert"},
    "what_if.score": {"en": "Score", "de": "Wert des Modells"},
    "batch.template": {"en": "1. Take the template", "de": "1. Vorlage nehmen"},
    "batch.template.says": {
        "en": "It has the right columns and, as an example, the usual value of each; replace"
        " that row.",
        "de": "Sie hat die richtigen Spalten und als Beispiel den üblichen Wert jeder; ersetzen"
        " Sie diese Zeile.",
    },
    "batch.csv": {"en": "Template as CSV", "de": "Vorlage als CSV"},
    "batch.excel": {"en": "Template for Excel", "de": "Vorlage für Excel"},
    "batch.upload": {"en": "2. Hand in the file", "de": "2. Datei übergeben"},
    "batch.upload.says": {
        "en": "CSV (UTF-8) or Excel, at most {most} rows. The file itself is not kept; each row"
        " that is answered is logged, with pseudonyms for what is personal.",
        "de": "CSV (UTF-8) oder Excel, höchstens {most} Zeilen. Die Datei selbst wird nicht"
        " aufbewahrt; jede beantwortete Zeile wird protokolliert, Persönliches als Pseudonym.",
    },
    "batch.answers": {"en": "3. Answers", "de": "3. Antworten"},
    "batch.wrong": {
        "en": "Nothing was answered: {n} things are wrong with the file",
        "de": "Nichts wurde beantwortet: {n} Dinge an der Datei stimmen nicht",
    },
    "batch.wrong.one": {
        "en": "Nothing was answered: one thing is wrong with the file",
        "de": "Nichts wurde beantwortet: Eines an der Datei stimmt nicht",
    },
    "batch.what": {"en": "What", "de": "Was"},
    "batch.done": {
        "en": "{rows} cases answered by version {version}.",
        "de": "{rows} Fälle von Version {version} beantwortet.",
    },
    "batch.instead": {
        "en": "{rows} rows answered by the declared rule; no model was asked.",
        "de": "{rows} Zeilen mit der erklärten Ersatzregel beantwortet; kein Modell wurde gefragt.",
    },
    "batch.count": {"en": "{label}: {n} ({share})", "de": "{label}: {n} ({share})"},
    "batch.notice": {
        "en": "{column}: {rows} rows hold values that training rows never held, first in row"
        " {first}.",
        "de": "{column}: {rows} Zeilen enthalten Werte, die in den Trainingszeilen nie vorkamen,"
        " zuerst in Zeile {first}.",
    },
    "batch.download": {"en": "Download the answers (CSV)", "de": "Antworten herunterladen (CSV)"},
    "batch.heads": {"en": "column|kind|range or values", "de": "Spalte|Art|Bereich oder Werte"},
    # -- evidence ---------------------------------------------------------------
    "evidence.kicker": {
        "en": "Evidence for version {version}",
        "de": "Belege für Version {version}",
    },
    "evidence.title": {
        "en": "Does it hold what was promised?",
        "de": "Hält sie, was versprochen wurde?",
    },
    "evidence.tab.groups": {"en": "Groups and fairness", "de": "Gruppen und Gleichbehandlung"},
    "evidence.tab.errors": {"en": "Errors", "de": "Fehler"},
    "evidence.tab.decision": {"en": "Decision record", "de": "Entscheidungsprotokoll"},
    "evidence.tab.loop": {"en": "How it was found", "de": "Wie sie gefunden wurde"},
    "evidence.tab.promises": {"en": "Promises", "de": "Zusagen"},
    "evidence.of": {"en": "{n} of {all}", "de": "{n} von {all}"},
    "evidence.tile.rows": {"en": "Sealed rows", "de": "Versiegelte Zeilen"},
    "evidence.tile.rows.below": {"en": "never seen in training", "de": "im Training nie gesehen"},
    "evidence.tile.approved": {"en": "Signatures for it", "de": "Unterschriften dafür"},
    "evidence.method": {"en": "How each interval was made", "de": "Wie jedes Intervall entstand"},
    "evidence.small": {
        "en": "{n} groups have fewer than {least} rows: not shown.",
        "de": "{n} Gruppen haben weniger als {least} Zeilen: nicht gezeigt.",
    },
    "evidence.report": {"en": "Download the whole report", "de": "Ganzen Bericht herunterladen"},
    # -- data -------------------------------------------------------------------
    "data.title": {"en": "What the numbers rest on", "de": "Worauf die Zahlen beruhen"},
    "data.lead": {
        "en": "Where rows come from, how fresh they are, what is held back and why. Single"
        " records are not shown here.",
        "de": "Woher die Zeilen kommen, wie frisch sie sind, was zurückgehalten wird und warum."
        " Einzelne Datensätze stehen hier nicht.",
    },
    "data.tile.sources": {"en": "Sources", "de": "Quellen"},
    "data.tile.declared": {"en": "declared in the project", "de": "im Projekt erklärt"},
    "data.tile.rows": {"en": "Rows", "de": "Zeilen"},
    "data.tile.current": {"en": "current in all sources", "de": "aktuell in allen Quellen"},
    "data.tile.held": {"en": "Held back", "de": "Zurückgehalten"},
    "data.tile.answer": {
        "en": "records that wait for an answer",
        "de": "Datensätze warten auf eine Antwort",
    },
    "data.tile.late": {"en": "Sources gone silent", "de": "Verstummte Quellen"},
    "data.tile.newest": {"en": "newest load {at}", "de": "letztes Laden {at}"},
    "data.waiting": {
        "en": "Held back, waiting for an answer",
        "de": "Zurückgehalten, wartet auf Antwort",
    },
    "data.waiting.none": {
        "en": "Nothing is held back: every record that came is loaded.",
        "de": "Nichts wird zurückgehalten: Jeder Datensatz, der kam, ist geladen.",
    },
    "data.waiting.says": {
        "en": "What was received stands in the work list for those who answer it: qua3ck"
        " quarantine",
        "de": "Was eingegangen ist, steht in der Arbeitsliste für die, die antworten: qua3ck"
        " quarantine",
    },
    "data.whole_record": {"en": "whole record", "de": "ganzer Datensatz"},
    "data.quality": {"en": "Quality over the loads", "de": "Qualität über die Ladevorgänge"},
    "data.quality.says": {
        "en": "Every rule of a contract looks at every row. What did not apply counts nowhere.",
        "de": "Jede Regel eines Vertrags sieht jede Zeile an. Was nicht anwendbar war, zählt"
        " nirgends.",
    },
    "data.quality.caption": {"en": "{name}, load of {at} UTC", "de": "{name}, geladen am {at} UTC"},
    "data.quality.none": {
        "en": "No rules are agreed for: {names}. Draft a contract with: qua3ck contract",
        "de": "Keine Regeln vereinbart für: {names}. Einen Vertrag entwirft: qua3ck contract",
    },
    "data.first_load": {"en": "first load", "de": "erster Ladevorgang"},
    "data.over_loads": {
        "en": "{first} → {last} over {n} loads",
        "de": "{first} → {last} über {n} Ladevorgänge",
    },
    "data.gold": {"en": "Tables made from them", "de": "Daraus gemachte Tabellen"},
    "data.learned_from": {
        "en": "What version {version} learned from",
        "de": "Woraus Version {version} gelernt hat",
    },
    "data.fresh.fresh": {"en": "fresh", "de": "frisch"},
    "data.fresh.late": {"en": "gone silent", "de": "verstummt"},
    "data.fresh.unknown": {"en": "no cadence agreed", "de": "kein Takt vereinbart"},
    "data.fresh.once": {"en": "comes once", "de": "kommt einmal"},
    "data.fresh.absent": {"en": "not loaded yet", "de": "noch nicht geladen"},
    "data.column.source": {"en": "Source", "de": "Quelle"},
    "data.column.rows": {"en": "Rows", "de": "Zeilen"},
    "data.column.held": {"en": "Held back", "de": "Zurückgehalten"},
    "data.column.loaded": {"en": "Last load (UTC)", "de": "Zuletzt geladen (UTC)"},
    "data.column.cadence": {"en": "Cadence", "de": "Takt"},
    "data.column.fresh": {"en": "Freshness", "de": "Frische"},
    "data.column.owner": {"en": "Who answers for it", "de": "Wer dafür einsteht"},
    "data.column.table": {"en": "Table", "de": "Tabelle"},
    "data.column.says": {"en": "What it holds", "de": "Was sie enthält"},
    "data.column.reads": {"en": "Made from", "de": "Gemacht aus"},
    "data.column.made": {"en": "Made (UTC)", "de": "Gemacht (UTC)"},
    "data.column.where": {"en": "Column", "de": "Spalte"},
    "data.column.problem": {"en": "Why", "de": "Warum"},
    "data.column.cells": {"en": "How many", "de": "Wie viele"},
    "data.column.dimension": {"en": "Dimension", "de": "Dimension"},
    "data.column.looked_at": {"en": "Looked at", "de": "Angesehen"},
    "data.column.failing": {"en": "Failing", "de": "Verfehlt"},
    "data.column.share": {"en": "Held", "de": "Eingehalten"},
    "data.column.course": {"en": "Course", "de": "Verlauf"},
    "cadence.hourly": {"en": "hourly", "de": "stündlich"},
    "cadence.daily": {"en": "daily", "de": "täglich"},
    "cadence.weekly": {"en": "weekly", "de": "wöchentlich"},
    "cadence.monthly": {"en": "monthly", "de": "monatlich"},
    "cadence.quarterly": {"en": "quarterly", "de": "vierteljährlich"},
    "cadence.yearly": {"en": "yearly", "de": "jährlich"},
    "cadence.once": {"en": "once", "de": "einmalig"},
    "cadence.never": {"en": "never", "de": "nie"},
    "dimension.completeness": {"en": "Completeness", "de": "Vollständigkeit"},
    "dimension.accuracy": {"en": "Accuracy", "de": "Richtigkeit"},
    "dimension.consistency": {"en": "Consistency", "de": "Stimmigkeit"},
    "dimension.timeliness": {"en": "Timeliness", "de": "Aktualität"},
    "dimension.uniqueness": {"en": "Uniqueness", "de": "Eindeutigkeit"},
    "dimension.validity": {"en": "Validity", "de": "Gültigkeit"},
    # -- releases ---------------------------------------------------------------
    "releases.title": {
        "en": "Every version, and its way into use",
        "de": "Jede Version und ihr Weg in den Einsatz",
    },
    "releases.lead": {
        "en": "A version never changes. What changes is which one is in use; that takes gates and"
        " signatures.",
        "de": "Eine Version ändert sich nie. Was sich ändert, ist, welche im Einsatz ist; das"
        " verlangt Prüfpunkte und Unterschriften.",
    },
    "releases.all": {"en": "Versions", "de": "Versionen"},
    "releases.moves": {"en": "What was in use, and since when", "de": "Was wann im Einsatz war"},
    "releases.moves.none": {
        "en": "No version has been put into use yet.",
        "de": "Noch keine Version wurde in Einsatz genommen.",
    },
    "releases.not_in_use": {"en": "not in use", "de": "nicht im Einsatz"},
    "releases.column.version": {"en": "Version", "de": "Version"},
    "releases.column.made": {"en": "Made (UTC)", "de": "Gemacht (UTC)"},
    "releases.column.format": {"en": "Format", "de": "Format"},
    "releases.column.signed": {"en": "Signed", "de": "Unterschrieben"},
    "releases.column.use": {"en": "Use", "de": "Einsatz"},
    "releases.column.digest": {"en": "Digest", "de": "Prüfsumme"},
    "releases.column.alias": {"en": "Place", "de": "Platz"},
    "releases.column.from_to": {"en": "Version", "de": "Version"},
    "releases.column.kind": {"en": "Move", "de": "Wechsel"},
    "releases.column.who": {"en": "Who", "de": "Wer"},
    "releases.column.gate": {"en": "Gate", "de": "Prüfpunkt"},
    "releases.column.answer": {"en": "Answer", "de": "Ergebnis"},
    "releases.kind.promote": {"en": "put into use", "de": "in Einsatz genommen"},
    "releases.kind.steps": {
        "en": "put into use by steps: {steps} %",
        "de": "in Stufen eingeführt: {steps} %",
    },
    "releases.kind.rollback": {"en": "taken back", "de": "zurückgenommen"},
    "gates.caption": {
        "en": "What stands between version {version} and its use, as of now. Every gate must pass.",
        "de": "Was zwischen Version {version} und ihrem Einsatz steht, Stand jetzt. Jeder"
        " Prüfpunkt muss bestanden sein.",
    },
    "gate.files": {"en": "Files as released", "de": "Dateien wie freigegeben"},
    "gate.promises": {"en": "Judged on today's promises", "de": "An den heutigen Zusagen gemessen"},
    "gate.kpis": {"en": "Promises", "de": "Zusagen"},
    "gate.slices": {"en": "Parts of the data", "de": "Teile der Daten"},
    "gate.fairness": {"en": "Fairness", "de": "Gleichbehandlung"},
    "gate.baseline": {
        "en": "Better than the naive baseline",
        "de": "Besser als die naive Vergleichsregel",
    },
    "gate.findings": {"en": "Nothing blocks", "de": "Nichts steht entgegen"},
    "gate.ledger": {"en": "Record intact", "de": "Protokoll unversehrt"},
    "gate.reproduction": {"en": "Made again, the same", "de": "Nachgebaut, dasselbe Ergebnis"},
    "gate.approvals": {"en": "Signatures", "de": "Unterschriften"},
    "gate.lock": {"en": "Environment pinned", "de": "Umgebung festgeschrieben"},
    "gate.security": {"en": "Security scan", "de": "Sicherheitsdurchsicht"},
    "sign.for": {"en": "Approve or refuse", "de": "Zustimmen oder ablehnen"},
    "sign.for.says": {
        "en": "A signature is made with your own key, over this very version and everything the"
        " ledger holds up to now. It cannot be taken away; a later word of yours counts"
        " instead.",
        "de": "Unterschrieben wird mit Ihrem eigenen Schlüssel, über genau diese Version und"
        " alles, was das Protokoll bis jetzt enthält. Eine Unterschrift lässt sich nicht"
        " entfernen; ein späteres Wort von Ihnen zählt statt ihrer.",
    },
    "sign.may_not": {
        "en": "Your role reads here. Owner, risk management, data stewardship and subject"
        " knowledge may sign.",
        "de": "Ihre Rolle liest hier mit. Unterschreiben dürfen Verantwortung, Risikomanagement,"
        " Datenverantwortung und Fachwissen.",
    },
    "sign.decision": {"en": "Your decision", "de": "Ihre Entscheidung"},
    "sign.approve": {"en": "I approve", "de": "Ich stimme zu"},
    "sign.refuse": {"en": "I refuse", "de": "Ich lehne ab"},
    "sign.reason": {"en": "Reason", "de": "Begründung"},
    "sign.reason.help": {
        "en": "Stands in the ledger and in the report, with your name.",
        "de": "Steht mit Ihrem Namen im Protokoll und im Bericht.",
    },
    "sign.read": {
        "en": "I have read the evidence for version {version}.",
        "de": "Ich habe die Belege für Version {version} gelesen.",
    },
    "sign.send": {"en": "Sign", "de": "Unterschreiben"},
    "sign.missing": {
        "en": "A decision, a reason and the tick that you read the evidence are needed. Nothing"
        " was signed.",
        "de": "Es braucht eine Entscheidung, eine Begründung und das Häkchen, dass Sie die Belege"
        " gelesen haben. Nichts wurde unterschrieben.",
    },
    "sign.done.approve": {
        "en": "Signed: version {version} approved, over ledger entry {n} ({hash}).",
        "de": "Unterschrieben: Version {version} zugestimmt, über Protokolleintrag {n} ({hash}).",
    },
    "sign.done.refuse": {
        "en": "Signed: version {version} refused, over ledger entry {n} ({hash}).",
        "de": "Unterschrieben: Version {version} abgelehnt, über Protokolleintrag {n} ({hash}).",
    },
    "compare.title": {"en": "Two versions side by side", "de": "Zwei Versionen im Vergleich"},
    "compare.only_one": {
        "en": "There is only one version so far.",
        "de": "Bisher gibt es nur eine Version.",
    },
    "compare.first": {"en": "This version", "de": "Diese Version"},
    "compare.second": {"en": "against this one", "de": "gegen diese"},
    "compare.version": {"en": "Version {version}", "de": "Version {version}"},
    "compare.features": {"en": "Inputs", "de": "Angaben"},
    "compare.rows": {"en": "Rows learned from", "de": "Gelernte Zeilen"},
    "compare.says": {
        "en": "Each was judged on the sealed rows of its own snapshot. Whether one is better than"
        " the other was tested only where the evidence says so.",
        "de": "Jede wurde an den versiegelten Zeilen ihres eigenen Datenstands gemessen. Ob eine"
        " besser ist als die andere, ist nur dort geprüft, wo die Belege es sagen.",
    },
    "compare.new": {"en": "New inputs: {names}", "de": "Neue Angaben: {names}"},
    "compare.gone": {"en": "No longer asked: {names}", "de": "Nicht mehr gefragt: {names}"},
    "compare.same_columns": {
        "en": "Both ask for the same inputs.",
        "de": "Beide fragen nach denselben Angaben.",
    },
    # -- ledger -----------------------------------------------------------------
    "ledger.title": {"en": "Who did what, when and why", "de": "Wer wann was warum getan hat"},
    "ledger.lead": {
        "en": "Every event is chained to the one before and signed. Nothing here can be changed"
        " without being noticed.",
        "de": "Jedes Ereignis ist mit dem vorigen verkettet und unterschrieben. Hier lässt sich"
        " nichts unbemerkt ändern.",
    },
    "ledger.ok": {
        "en": "The record is as it was written",
        "de": "Das Protokoll ist, wie es geschrieben wurde",
    },
    "ledger.ok.says": {
        "en": "Checked on {at} UTC: {events} events; versions: {releases}. Chain, signatures,"
        " head and files agree.",
        "de": "Geprüft am {at} UTC: {events} Ereignisse; Versionen: {releases}. Kette,"
        " Unterschriften, Kopf und Dateien stimmen überein.",
    },
    "ledger.witness": {
        "en": "Witness, kept outside the project: it saw {seen} of {events} events.",
        "de": "Zeuge, außerhalb des Projekts: Er sah {seen} von {events} Ereignissen.",
    },
    "ledger.no_witness": {
        "en": "Witness: none was looked at. A ledger that was set back as a whole, together with"
        " its head, would not be noticed here.",
        "de": "Zeuge: Keiner wurde befragt. Ein Protokoll, das mitsamt seinem Kopf zurückgesetzt"
        " wurde, fiele hier nicht auf.",
    },
    "ledger.copies": {
        "en": "Copies in the model registry: {copies}, each as it was registered.",
        "de": "Kopien im Modellregister: {copies}, jede wie eingetragen.",
    },
    "ledger.no_copies": {
        "en": "Copies in the model registry: none is here to be looked at.",
        "de": "Kopien im Modellregister: Hier ist keine, die sich prüfen ließe.",
    },
    "ledger.not_ok": {
        "en": "The record differs from what was written",
        "de": "Das Protokoll weicht von dem ab, was geschrieben wurde",
    },
    "ledger.not_ok.says": {
        "en": "Rely on nothing here until this is explained. Keep the folder as it is: qua3ck"
        " audit verify",
        "de": "Verlassen Sie sich hier auf nichts, bis das geklärt ist. Lassen Sie den Ordner,"
        " wie er ist: qua3ck audit verify",
    },
    "ledger.again": {"en": "Check again now", "de": "Jetzt erneut prüfen"},
    "ledger.search": {"en": "Search", "de": "Suchen"},
    "ledger.words": {"en": "Words", "de": "Wörter"},
    "ledger.every": {"en": "every event", "de": "alle Ereignisse"},
    "ledger.everybody": {"en": "everybody", "de": "alle"},
    "ledger.until": {"en": "Up to and including", "de": "Bis einschließlich"},
    "ledger.found": {"en": "{n} of {all} events", "de": "{n} von {all} Ereignissen"},
    "ledger.none": {"en": "No event fits.", "de": "Kein Ereignis passt."},
    "ledger.more": {
        "en": "The newest {n} are shown; search to see others.",
        "de": "Gezeigt werden die neuesten {n}; suchen Sie nach anderen.",
    },
    "ledger.column.says": {"en": "In words", "de": "In Worten"},
    "event.alias.moved": {"en": "version put into use", "de": "Version in Einsatz genommen"},
    "event.approval.given": {"en": "approval signed", "de": "Zustimmung unterschrieben"},
    "event.approval.refused": {"en": "refusal signed", "de": "Ablehnung unterschrieben"},
    "event.backup.made": {"en": "backup made", "de": "Sicherung gemacht"},
    "event.backup.rehearsed": {"en": "backup tried out", "de": "Sicherung erprobt"},
    "event.canary.stepped": {"en": "rollout went on", "de": "Einführung ging weiter"},
    "event.canary.stopped": {"en": "rollout stopped", "de": "Einführung gestoppt"},
    "event.candidate.kept": {"en": "candidate kept", "de": "Kandidat behalten"},
    "event.features.written": {"en": "features written", "de": "Merkmale geschrieben"},
    "event.key.added": {"en": "key issued", "de": "Schlüssel ausgegeben"},
    "event.key.revoked": {"en": "key revoked", "de": "Schlüssel entzogen"},
    "event.ledger.repaired": {"en": "ledger repaired", "de": "Protokoll ausgebessert"},
    "event.ledger.set_back": {"en": "ledger set back", "de": "Protokoll zurückgesetzt"},
    "event.load.accepted": {"en": "finding accepted", "de": "Befund hingenommen"},
    "event.loop.stopped": {"en": "search stopped", "de": "Suche beendet"},
    "event.openings.declared": {"en": "openings declared", "de": "Öffnungen festgelegt"},
    "event.person.enrolled": {"en": "person enrolled", "de": "Person eingetragen"},
    "event.predictions.made": {"en": "table answered", "de": "Tabelle beantwortet"},
    "event.project.created": {"en": "project begun", "de": "Projekt begonnen"},
    "event.promotion.refused": {"en": "use refused", "de": "Einsatz verweigert"},
    "event.quarantine.answered": {"en": "questions answered", "de": "Fragen beantwortet"},
    "event.question.set": {"en": "question set", "de": "Frage festgelegt"},
    "event.release.made": {"en": "version released", "de": "Version freigegeben"},
    "event.release.registered": {"en": "version registered", "de": "Version registriert"},
    "event.reproduction.made": {"en": "made again and compared", "de": "Nachgebaut und verglichen"},
    "event.seal.made": {"en": "test rows sealed", "de": "Testzeilen versiegelt"},
    "event.seal.opened": {"en": "seal opened", "de": "Siegel geöffnet"},
    "event.seal.reread": {"en": "opened rows read again", "de": "Geöffnete Zeilen erneut gelesen"},
    "event.security.accepted": {
        "en": "security finding accepted",
        "de": "Sicherheitsbefund hingenommen",
    },
    "event.serving.off": {"en": "switched off", "de": "Abgeschaltet"},
    "event.serving.on": {"en": "switched on", "de": "Eingeschaltet"},
    "event.serving.tried": {"en": "tried out", "de": "Im Betrieb erprobt"},
    "event.source.loaded": {"en": "source loaded", "de": "Quelle geladen"},
    "event.table.restored": {"en": "table brought back", "de": "Tabelle zurückgeholt"},
    "event.history.removed": {
        "en": "old versions given up",
        "de": "alte Versionen aufgegeben",
    },
    "event.table.made": {"en": "table made", "de": "Tabelle gemacht"},
    "event.personal.shown": {
        "en": "classified cells shown in a trace",
        "de": "als vertraulich eingestufte Zellen in einer Herkunft gezeigt",
    },
    "event.tables.published": {"en": "tables handed out", "de": "Tabellen herausgegeben"},
    "event.verdict.made": {"en": "verdict", "de": "Urteil"},
    # -- in operation -----------------------------------------------------------
    "live.title": {
        "en": "What answers now, and how it goes",
        "de": "Was jetzt antwortet und wie es läuft",
    },
    "live.lead": {
        "en": "Read from the ledger and from the log of answers of this project. As of {at} UTC.",
        "de": "Gelesen aus dem Protokoll und aus dem Antwortprotokoll dieses Projekts. Stand {at}"
        " UTC.",
    },
    "live.again": {"en": "Read again", "de": "Neu lesen"},
    "live.routing": {"en": "Who answers", "de": "Wer antwortet"},
    "live.nobody": {"en": "Nobody answers yet", "de": "Noch antwortet niemand"},
    "live.nobody.says": {
        "en": "No version has been put into use, so no request can be answered.",
        "de": "Keine Version ist im Einsatz, also kann keine Anfrage beantwortet werden.",
    },
    "live.off": {"en": "Switched off", "de": "Abgeschaltet"},
    "live.off.says": {
        "en": "Since ledger entry {seq} no model answers: {reason}",
        "de": "Seit Protokolleintrag {seq} antwortet kein Modell: {reason}",
    },
    "live.arm.champion": {"en": "in use", "de": "im Einsatz"},
    "live.arm.canary": {"en": "being rolled out", "de": "wird eingeführt"},
    "live.arm.challenger": {"en": "challenger", "de": "Herausforderer"},
    "live.arm.shadow": {
        "en": "in the shadow: scored, never answered",
        "de": "im Schatten: bewertet, nie geantwortet",
    },
    "live.arm.app": {"en": "asked in this view", "de": "in dieser Ansicht gefragt"},
    "live.arm.fallback": {"en": "declared rule", "de": "erklärte Ersatzregel"},
    "live.column.arm": {"en": "Place", "de": "Platz"},
    "live.column.version": {"en": "Version", "de": "Version"},
    "live.column.share": {"en": "Share of requests", "de": "Anteil der Anfragen"},
    "live.rollout": {
        "en": "Version {version} takes over from version {before} by steps: {steps} %. It has"
        " {share} now.",
        "de": "Version {version} löst Version {before} in Stufen ab: {steps} %. Sie hat jetzt"
        " {share}.",
    },
    "live.no_rollout": {"en": "No rollout is going on.", "de": "Es läuft keine Einführung."},
    "live.traffic": {"en": "Answers", "de": "Antworten"},
    "live.traffic.none": {
        "en": "No answer has been logged",
        "de": "Es ist keine Antwort protokolliert",
    },
    "live.traffic.none.says": {
        "en": "Requests answered by the serving process appear here within seconds, and"
        " those given on the page Decide.",
        "de": "Hier erscheinen binnen Sekunden die Anfragen, die der Dienst beantwortet, und die"
        " Antworten der Seite Entscheiden.",
    },
    "live.traffic.none.fix": {"en": "qua3ck serve", "de": "qua3ck serve"},
    "live.traffic.label": {
        "en": "Answers per hour, from {first} to {last} UTC: {total} in all, {most} in the"
        " busiest hour",
        "de": "Antworten je Stunde, von {first} bis {last} UTC: {total} insgesamt, {most} in der"
        " stärksten Stunde",
    },
    "live.column.answers": {"en": "Answers", "de": "Antworten"},
    "live.column.p50": {"en": "Half within", "de": "Die Hälfte binnen"},
    "live.column.p99": {"en": "99 of 100 within", "de": "99 von 100 binnen"},
    "live.column.flagged": {"en": "Unlike training", "de": "Anders als Gelerntes"},
    "live.column.last": {"en": "Last (UTC)", "de": "Zuletzt (UTC)"},
    "live.ms": {"en": "{ms} ms", "de": "{ms} ms"},
    "live.part": {
        "en": "Read are the newest {mb} MB of the log; older answers are in the warehouse.",
        "de": "Gelesen sind die neuesten {mb} MB des Protokolls; ältere Antworten liegen im"
        " Datenlager.",
    },
    "live.alarms": {"en": "Alarms and stops", "de": "Alarme und Stopps"},
    "live.alarms.none": {"en": "None is on record.", "de": "Keine verzeichnet."},
    "live.alarms.watch": {
        "en": "Drift and live KPIs are not watched yet by this version; their absence here proves"
        " nothing.",
        "de": "Drift und Kennzahlen im Betrieb werden von dieser Fassung noch nicht überwacht;"
        " dass hier nichts steht, beweist nichts.",
    },
}


def say(key: str, lang: str = "en", **values: object) -> str:
    """Return a sentence with its values put in; those of the report are looked up there."""
    if key in TEXTS:
        return TEXTS[key][lang].format(**values)
    return report.text(key, lang, **values)


def number(value: float, lang: str, digits: int | None = None) -> str:
    """Return a number as it is written in a language: 1,234.5 or 1.234,5."""
    if digits is None:
        whole = math.isfinite(value) and float(value).is_integer() and abs(value) < 1e15
        written = f"{value:,.0f}" if whole else f"{value:,.6g}"
    else:
        written = f"{value:,.{digits}f}"
    return local(written, lang).replace("-", "−")


def percent(share: float, lang: str, digits: int = 0) -> str:
    """Return a share in per cent."""
    return f"{number(100 * share, lang, digits)}\u00a0%"


def local(written: str, lang: str) -> str:
    """Return a figure that was written the English way as a language has it."""
    return report.local(written, lang)
