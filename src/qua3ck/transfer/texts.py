"""Every sentence of the report and the card, in one catalogue: key -> language -> words.

Another language is another word beside ``"en"``; nothing else in the room holds a sentence.
Values in curly brackets are put in as plain text and escaped later, when markup is made.
"""

from __future__ import annotations

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.transfer.sheet_texts import SHEET

TEXTS: dict[str, dict[str, str]] = {
    # -- page one ---------------------------------------------------------------
    "title": {
        "en": "{project}, version {version}: report",
        "de": "{project}, Version {version}: Bericht",
    },
    "kicker": {"en": "Report on version {version}", "de": "Bericht zu Version {version}"},
    "made": {
        "en": "Judged on {date} UTC on {rows} sealed rows, opening {opening} of {openings}.",
        "de": "Beurteilt am {date} UTC an {rows} versiegelten Zeilen, Öffnung {opening} von"
        " {openings}.",
    },
    "answer": {"en": "The answer", "de": "Die Antwort"},
    "answer.pass": {"en": "Yes, it holds.", "de": "Ja, es hält."},
    "answer.fail": {"en": "No, it does not hold.", "de": "Nein, es hält nicht."},
    "answer.undecided": {"en": "Not proven yet.", "de": "Noch nicht bewiesen."},
    "answer.blocked": {"en": "Not to be used yet.", "de": "Noch nicht zu verwenden."},
    "answer.pass.says": {
        "en": "On {rows} sealed rows that took no part in training, all {n} promises are kept"
        " beyond doubt.",
        "de": "An {rows} versiegelten Zeilen, die am Training nicht beteiligt waren, sind alle"
        " {n} Zusagen zweifelsfrei eingehalten.",
    },
    "answer.fail.says": {
        "en": "On {rows} sealed rows that took no part in training, {failed} of {n} promises are"
        " not kept.",
        "de": "An {rows} versiegelten Zeilen, die am Training nicht beteiligt waren, sind"
        " {failed} von {n} Zusagen nicht eingehalten.",
    },
    "answer.undecided.says": {
        "en": "On {rows} sealed rows that took no part in training, {undecided} of {n} promises"
        " could neither be confirmed nor refuted.",
        "de": "An {rows} versiegelten Zeilen, die am Training nicht beteiligt waren, ließen sich"
        " {undecided} von {n} Zusagen weder bestätigen noch widerlegen.",
    },
    "answer.blocked.says": {
        "en": "All {n} promises are kept on {rows} sealed rows, but something else stands in the"
        " way: {reason}",
        "de": "Alle {n} Zusagen sind an {rows} versiegelten Zeilen eingehalten, doch etwas"
        " anderes steht im Weg: {reason}",
    },
    "answer.first": {
        "en": "{name} is {value}, and lies between {low} and {high} at {confidence} confidence on"
        " each side; wanted is {wanted}.",
        "de": "{name} beträgt {value} und liegt zwischen {low} und {high}, mit {confidence}"
        " Sicherheit nach jeder Seite; verlangt ist {wanted}.",
    },
    "answer.first.no_bounds": {
        "en": "{name} is {value}; wanted is {wanted}.",
        "de": "{name} beträgt {value}; verlangt ist {wanted}.",
    },
    "answer.gain": {
        "en": "Against {against} its {metric} is better by {gain}, at least by {low}.",
        "de": "Gegenüber {against} ist {metric} um {gain} besser, mindestens um {low}.",
    },
    "answer.no_gain": {
        "en": "Against {against} its {metric} differs by {gain} {interval}: that it is better is"
        " not shown.",
        "de": "Gegenüber {against} weicht {metric} um {gain} {interval} ab: Dass es besser ist,"
        " ist nicht gezeigt.",
    },
    "against.baseline": {"en": "the naive baseline", "de": "der naiven Vergleichsregel"},
    "against.rule": {"en": "the one-line rule", "de": "der Einzeilenregel"},
    "against.champion": {"en": "the version now in use", "de": "der Version im Einsatz"},
    "rival.baseline": {"en": "the naive baseline", "de": "die naive Vergleichsregel"},
    "rival.rule": {"en": "the one-line rule", "de": "die Einzeilenregel"},
    "rival.champion": {"en": "the version now in use", "de": "die Version im Einsatz"},
    "asked": {"en": "What was asked", "de": "Was gefragt war"},
    "asked.question": {"en": "Question", "de": "Frage"},
    "asked.decides": {"en": "Who decides with it", "de": "Wer damit entscheidet"},
    "asked.why_now": {"en": "Why now", "de": "Warum jetzt"},
    "asked.risks": {"en": "What can go wrong", "de": "Was schiefgehen kann"},
    "asked.risk_class": {"en": "Risk class", "de": "Risikoklasse"},
    "risk.minimal": {"en": "minimal", "de": "minimal"},
    "risk.limited": {"en": "limited", "de": "begrenzt"},
    "risk.high": {"en": "high", "de": "hoch"},
    "risk.because": {"en": "{risk} ({reason})", "de": "{risk} ({reason})"},
    "promises": {"en": "Promises and verdicts", "de": "Zusagen und Urteile"},
    "promises.caption": {
        "en": "A verdict is read off the interval, never off the bare number: passed when the"
        " whole interval is on the good side (shaded), failed when it is on the other, else"
        " undecided.",
        "de": "Ein Urteil wird am Intervall abgelesen, nie an der bloßen Zahl: bestanden, wenn"
        " das ganze Intervall auf der guten Seite liegt (schattiert), nicht bestanden, wenn"
        " es auf der anderen liegt, sonst unentschieden.",
    },
    "promises.parts": {
        "en": "{n} parts of the data were judged by themselves; {passed} of these passed.",
        "de": "{n} Teile der Daten wurden für sich beurteilt; {passed} davon haben bestanden.",
    },
    "column.promise": {"en": "Promise", "de": "Zusage"},
    "column.measured": {"en": "Measured", "de": "Gemessen"},
    "column.interval": {"en": "Interval", "de": "Intervall"},
    "column.wanted": {"en": "Wanted", "de": "Verlangt"},
    "column.drawing": {"en": "Interval and threshold", "de": "Intervall und Schwelle"},
    "column.verdict": {"en": "Verdict", "de": "Urteil"},
    "column.rows": {"en": "Rests on", "de": "Beruht auf"},
    "verdict.pass": {"en": "passed", "de": "bestanden"},
    "verdict.fail": {"en": "failed", "de": "nicht bestanden"},
    "verdict.undecided": {"en": "undecided", "de": "unentschieden"},
    "wanted.at_least": {"en": "at least {limit}", "de": "mindestens {limit}"},
    "wanted.at_most": {"en": "at most {limit}", "de": "höchstens {limit}"},
    "bar.label": {
        "en": "{id}: {value}, interval {interval}, wanted {wanted}: {verdict}",
        "de": "{id}: {value}, Intervall {interval}, verlangt {wanted}: {verdict}",
    },
    "measures": {"en": "What the measures mean", "de": "Was die Maße bedeuten"},
    "measure": {"en": "{title}: {definition}", "de": "{title}: {definition}"},
    "measured_in": {"en": "{value} {unit}", "de": "{value} {unit}"},
    "not_for": {"en": "What it must not be used for", "de": "Wozu sie nicht verwendet werden darf"},
    "not_for.else": {
        "en": "Anything but the decision named above.",
        "de": "Für alles andere als die oben genannte Entscheidung.",
    },
    "not_for.automatic": {
        "en": "Decisions without a person: the question says that a person decides.",
        "de": "Für Entscheidungen ohne einen Menschen: Laut Frage entscheidet ein Mensch.",
    },
    "not_for.unproven": {
        "en": "Relying on {names}: not confirmed.",
        "de": "Um sich auf {names} zu verlassen: nicht bestätigt.",
    },
    "not_for.outside": {
        "en": "Cases unlike the {rows} training rows: what lies outside the ranges and values"
        " seen there is not covered by any figure in this report.",
        "de": "Für Fälle, die den {rows} Trainingszeilen nicht gleichen: Was außerhalb der dort"
        " gesehenen Bereiche und Werte liegt, ist durch keine Zahl dieses Berichts gedeckt.",
    },
    "not_for.blocked": {
        "en": "Any real decision, until what blocks it is cured.",
        "de": "Für irgendeine echte Entscheidung, solange nicht behoben ist, was im Weg steht.",
    },
    "who": {"en": "Who answers for it", "de": "Wer dafür einsteht"},
    "who.approved": {
        "en": "{name} approved on {date}: “{reason}” (ledger entry {seq})",
        "de": "{name} hat am {date} zugestimmt: „{reason}“ (Protokolleintrag {seq})",
    },
    "who.refused": {
        "en": "{name} refused on {date}: “{reason}” (ledger entry {seq})",
        "de": "{name} hat am {date} abgelehnt: „{reason}“ (Protokolleintrag {seq})",
    },
    "who.agreed": {
        "en": "{name} agreed to the question and its thresholds on {date}, before the seal was"
        " first opened (ledger entry {seq})",
        "de": "{name} hat der Frage mit ihren Schwellen am {date} zugestimmt, vor der ersten"
        " Öffnung des Siegels (Protokolleintrag {seq})",
    },
    "who.agreed.again": {
        "en": "{name} agreed to the question on {date} (ledger entry {seq}), and to the same"
        " thresholds before the seal was first opened (ledger entry {since})",
        "de": "{name} hat der Frage am {date} zugestimmt (Protokolleintrag {seq}), und denselben"
        " Schwellen vor der ersten Öffnung des Siegels (Protokolleintrag {since})",
    },
    "who.agreed.late": {
        "en": "{name} agreed to the question and its thresholds on {date}, AFTER the seal had been"
        " opened (ledger entry {seq})",
        "de": "{name} hat der Frage mit ihren Schwellen am {date} zugestimmt, NACHDEM das Siegel"
        " geöffnet worden war (Protokolleintrag {seq})",
    },
    "who.agreed.earlier": {
        "en": "{name} agreed on {date} to an earlier question (ledger entry {seq}), not to this"
        " one",
        "de": "{name} hat am {date} einer früheren Frage zugestimmt (Protokolleintrag {seq}),"
        " nicht dieser",
    },
    "who.against": {
        "en": "{name} refused the question on {date}: “{reason}” (ledger entry {seq})",
        "de": "{name} hat die Frage am {date} abgelehnt: „{reason}“ (Protokolleintrag {seq})",
    },
    "who.not_agreed": {
        "en": "Named, but did not sign the question and its thresholds: {names}",
        "de": "Benannt, aber ohne Unterschrift unter der Frage mit ihren Schwellen: {names}",
    },
    "who.nobody_yet": {
        "en": "When this report was written, nobody had approved the version. Who did since"
        " stands in the ledger: qua3ck audit",
        "de": "Als dieser Bericht entstand, hatte noch niemand der Version zugestimmt. Wer es"
        " seither getan hat, steht im Protokoll: qua3ck audit",
    },
    "who.needs.nobody": {
        "en": "This risk class asks for no approval.",
        "de": "Diese Risikoklasse verlangt keine Zustimmung.",
    },
    "who.needs.one_person": {
        "en": "Needed: one approver.",
        "de": "Nötig: die Zustimmung einer Person.",
    },
    "who.needs.two_person": {
        "en": "Needed: two approvers, none of them the author.",
        "de": "Nötig: die Zustimmung zweier Personen, von denen keine die Version erstellt hat.",
    },
    "who.owner": {
        "en": "Owner of the question: {name}.",
        "de": "Verantwortlich für die Frage: {name}.",
    },
    "next": {"en": "What to do next", "de": "Was als Nächstes zu tun ist"},
    "next.reproduce": {
        "en": "Make it again from the pinned data and have that certified:",
        "de": "Aus den festgehaltenen Daten nachbauen und das bescheinigen lassen:",
    },
    "next.approve": {
        "en": "Read the decision record and the risks below, then approve or refuse:",
        "de": "Das Entscheidungsprotokoll und die Risiken unten lesen, dann zustimmen oder"
        " ablehnen:",
    },
    "next.promote": {"en": "Put it into use:", "de": "In Einsatz nehmen:"},
    "next.in_use": {
        "en": "Nothing: it has been in use since {date} UTC (ledger entry {seq}).",
        "de": "Nichts: Sie ist seit {date} UTC in Einsatz (Protokolleintrag {seq}).",
    },
    "next.more_rows": {
        "en": "Gather more rows for {id}: about {needed} {unit} (now {n}) would decide it at the"
        " measured value, most likely as: {way}.",
        "de": "Für {id} mehr Daten sammeln: Etwa {needed} {unit} (jetzt {n}) würden beim"
        " gemessenen Wert entscheiden, am ehesten so: {way}.",
    },
    "next.no_number": {
        "en": "{id} lies so close to its threshold that no number of rows would decide it at this"
        " value: settle whether the threshold is the right one.",
        "de": "{id} liegt so nah an der Schwelle, dass bei diesem Wert keine Zahl von Zeilen"
        " entscheiden würde: Klären Sie, ob es die richtige Schwelle ist.",
    },
    "next.too_few": {
        "en": "{id} rests on too few {unit} ({n}) for any verdict: gather more.",
        "de": "{id} beruht auf zu wenigen Einheiten ({n} {unit}) für irgendein Urteil: Sammeln"
        " Sie mehr.",
    },
    "next.improve": {
        "en": "{id} misses its threshold clearly. Improve data or features and judge a new"
        " candidate, or settle for less in writing.",
        "de": "{id} verfehlt die Schwelle deutlich. Verbessern Sie Daten oder Merkmale und lassen"
        " Sie einen neuen Kandidaten beurteilen, oder begnügen Sie sich schriftlich mit"
        " weniger.",
    },
    "next.finding": {
        "en": "Cure this first: {says} ({code})",
        "de": "Zuerst dies beheben: {says} ({code})",
    },
    # -- for the auditor ----------------------------------------------------------
    "auditor": {"en": "The evidence", "de": "Die Belege"},
    "auditor.says": {
        "en": "Each part names the ledger entry it can be checked against. The ledger is a chain"
        " of hashes with a signed head: qua3ck audit verify",
        "de": "Jeder Teil nennt den Protokolleintrag, an dem er sich prüfen lässt. Das Protokoll"
        " ist eine Kette von Prüfsummen mit unterschriebenem Kopf: qua3ck audit verify",
    },
    "source": {
        "en": "Ledger entry {seq}, {event}, {hash}",
        "de": "Protokolleintrag {seq}, {event}, {hash}",
    },
    "contents": {"en": "Contents", "de": "Inhalt"},
    "kpis": {"en": "The question and its promises", "de": "Die Frage und ihre Zusagen"},
    "kpis.digest": {"en": "Digest of the question", "de": "Prüfsumme der Frage"},
    "kpis.stop_if": {"en": "Stop rules", "de": "Wann abgebrochen wird"},
    "kpis.costs": {"en": "Costs of a wrong decision", "de": "Kosten einer falschen Entscheidung"},
    "kpis.costs.says": {
        "en": "false alarm {false_positive}, miss {false_negative}",
        "de": "falscher Alarm {false_positive}, Übersehenes {false_negative}",
    },
    "kpis.method": {"en": "How the interval was made", "de": "Wie das Intervall entstand"},
    "kpis.confidence": {"en": "Confidence per side", "de": "Sicherheit je Seite"},
    "kpis.would_decide": {"en": "What would decide it", "de": "Was entscheiden würde"},
    "kpis.decided": {"en": "decided", "de": "entschieden"},
    "rows_needed": {"en": "about {needed} {unit}: {way}", "de": "etwa {needed} {unit}: {way}"},
    "rows_needed.none": {"en": "no number at this value", "de": "bei diesem Wert keine Anzahl"},
    "agreed": {
        "en": "Who agreed to which promises",
        "de": "Wer welchen Zusagen zugestimmt hat",
    },
    "agreed.none": {
        "en": "Nobody signed the question.",
        "de": "Niemand hat die Frage unterschrieben.",
    },
    "agreed.says": {
        "en": "Each signature is over every promise as it stood, and over the ledger as its"
        " giver saw it. A threshold agreed to when the result was known may have been chosen to"
        " fit it.",
        "de": "Jede Unterschrift gilt allen Zusagen, wie sie damals standen, und dem Protokoll,"
        " wie es zu sehen war. Eine Schwelle, der erst bei bekanntem Ergebnis zugestimmt wird,"
        " kann danach gewählt sein.",
    },
    "agreed.person": {"en": "Person", "de": "Person"},
    "agreed.word": {"en": "Word", "de": "Wort"},
    "agreed.approve": {"en": "agreed", "de": "zugestimmt"},
    "agreed.refuse": {"en": "refused", "de": "abgelehnt"},
    "agreed.when": {"en": "When", "de": "Wann"},
    "agreed.opened": {"en": "Openings before", "de": "Öffnungen davor"},
    "agreed.thresholds": {"en": "Promises signed", "de": "Unterschriebene Zusagen"},
    "changes": {
        "en": "Promises changed after a verdict",
        "de": "Nach einem Urteil geänderte Zusagen",
    },
    "changes.none": {
        "en": "None: every threshold stands as it did before the first verdict.",
        "de": "Keine: Jede Schwelle steht so wie vor dem ersten Urteil.",
    },
    "changes.warning": {
        "en": "These promises were changed when a result was already known. It is allowed, and it"
        " stays in every report.",
        "de": "Diese Zusagen wurden geändert, als schon ein Ergebnis bekannt war. Das ist erlaubt"
        " und bleibt in jedem Bericht stehen.",
    },
    "changes.before": {"en": "Before", "de": "Vorher"},
    "changes.after": {"en": "After", "de": "Nachher"},
    "changes.who": {"en": "Who and when", "de": "Wer und wann"},
    "changes.entry": {"en": "Ledger entry", "de": "Protokolleintrag"},
    "changes.gone": {"en": "not asked", "de": "nicht gefragt"},
    "slices": {"en": "Parts of the data", "de": "Teile der Daten"},
    "slices.none": {
        "en": "The question names no parts of the data to be judged by themselves.",
        "de": "Die Frage nennt keine Teile der Daten, die für sich zu beurteilen wären.",
    },
    "fairness": {"en": "Fairness between groups", "de": "Gleichbehandlung von Gruppen"},
    "fairness.none": {
        "en": "The question names no groups of people whose treatment is compared.",
        "de": "Die Frage nennt keine Gruppen von Menschen, deren Behandlung verglichen wird.",
    },
    "data": {"en": "The data", "de": "Die Daten"},
    "data.snapshot": {"en": "Snapshot", "de": "Datenstand"},
    "data.sources": {"en": "Sources", "de": "Quellen"},
    "data.source": {
        "en": "{table}, version {version}, {rows} rows, content {digest}",
        "de": "{table}, Version {version}, {rows} Zeilen, Inhalt {digest}",
    },
    "data.target": {"en": "Target", "de": "Zielgröße"},
    "data.target.classes": {
        "en": "{target} ({classes}; positive: {positive})",
        "de": "{target} ({classes}; positiv: {positive})",
    },
    "data.target.values": {"en": "{target} (a number)", "de": "{target} (eine Zahl)"},
    "data.split": {"en": "Split", "de": "Aufteilung"},
    "data.split.says": {
        "en": "{method}, by {unit}: {train} rows to learn from, {test} sealed",
        "de": "{method}, nach {unit}: {train} Zeilen zum Lernen, {test} versiegelt",
    },
    "data.split.cutoff": {"en": "{split}, from {cutoff} on", "de": "{split}, ab {cutoff}"},
    "data.split.content": {
        "en": "No entity is declared: a row's side follows its content, so that a correction can"
        " move it to the other side.",
        "de": "Keine Einheit ist erklärt: Auf welcher Seite eine Zeile liegt, richtet sich nach"
        " ihrem Inhalt, so dass eine Korrektur sie auf die andere bringen kann.",
    },
    "data.seal": {"en": "Seal", "de": "Siegel"},
    "data.profile": {"en": "Profile of the columns", "de": "Profil der Spalten"},
    "data.code": {"en": "Digest of the training code", "de": "Prüfsumme des Trainingscodes"},
    "data.columns": {"en": "Columns", "de": "Spalten"},
    "data.columns.says": {
        "en": "{features} given to the model, {left_out} left out",
        "de": "{features} dem Modell gegeben, {left_out} ausgelassen",
    },
    "data.left_out": {"en": "Left out", "de": "Ausgelassen"},
    "column.column": {"en": "Column", "de": "Spalte"},
    "column.why": {"en": "Why", "de": "Warum"},
    "column.code": {"en": "Code", "de": "Code"},
    "column.severity": {"en": "Weight", "de": "Gewicht"},
    "column.where": {"en": "Where", "de": "Wo"},
    "column.says": {"en": "What was found", "de": "Was gefunden wurde"},
    "severity.inform": {"en": "for information", "de": "zur Kenntnis"},
    "severity.warn": {"en": "warning", "de": "Warnung"},
    "severity.block": {"en": "blocks", "de": "steht im Weg"},
    "severity.accepted": {"en": "accepted: {reason}", "de": "hingenommen: {reason}"},
    "findings": {"en": "Findings", "de": "Befunde"},
    "findings.none": {
        "en": "No check had anything to say.",
        "de": "Keine Prüfung hatte etwas zu sagen.",
    },
    "loop": {"en": "The loop: what was tried", "de": "Die Suche: was versucht wurde"},
    "loop.chosen": {"en": "Chosen", "de": "Gewählt"},
    "loop.chosen.says": {"en": "{algorithm} with {params}", "de": "{algorithm} mit {params}"},
    "loop.no_params": {"en": "its usual settings", "de": "üblichen Einstellungen"},
    "loop.format": {"en": "Ships as", "de": "Ausgeliefert als"},
    "loop.format.says": {"en": "{format}: {why}", "de": "{format}: {why}"},
    "loop.honest": {"en": "Validation score, honest", "de": "Wert der Validierung, ehrlich"},
    "loop.optimistic": {
        "en": "Validation score, random split",
        "de": "Wert der Validierung, zufällige Aufteilung",
    },
    "loop.optimistic.says": {
        "en": "{value} (what a careless split would have promised)",
        "de": "{value} (was eine sorglose Aufteilung versprochen hätte)",
    },
    "loop.optimistic.says.same": {
        "en": "{value} (the same: no time and no group is declared)",
        "de": "{value} (dasselbe: Weder Zeit noch Gruppe ist erklärt)",
    },
    "loop.train": {"en": "Score on training rows", "de": "Wert auf den Trainingszeilen"},
    "loop.seed_sd": {"en": "Spread between seeds", "de": "Streuung zwischen Zufallsstarts"},
    "loop.gain": {"en": "Gain over the baseline", "de": "Gewinn gegenüber der Vergleichsregel"},
    "loop.next_step": {"en": "What would help most now", "de": "Was jetzt am meisten helfen würde"},
    "loop.baseline": {"en": "naive baseline", "de": "naive Vergleichsregel"},
    "loop.rule": {"en": "one-line rule", "de": "Einzeilenregel"},
    "loop.candidates": {"en": "The best trial of each kind", "de": "Der beste Versuch jeder Art"},
    "loop.trials": {
        "en": "{done} trials finished, {pruned} ended early. Scores are means over validation"
        " folds; latency and size are proxies inside the loop.",
        "de": "{done} Versuche zu Ende geführt, {pruned} vorzeitig beendet. Werte sind Mittel"
        " über die Teile der Validierung; Antwortzeit und Größe sind Näherungen innerhalb der"
        " Suche.",
    },
    "column.run": {"en": "Run", "de": "Lauf"},
    "column.algorithm": {"en": "Algorithm", "de": "Verfahren"},
    "column.latency": {"en": "Latency proxy, ms", "de": "Antwortzeit (Näherung), ms"},
    "column.size": {"en": "Size proxy, MB", "de": "Größe (Näherung), MB"},
    "column.feasible": {"en": "Within limits", "de": "Innerhalb der Grenzen"},
    "yes": {"en": "yes", "de": "ja"},
    "no": {"en": "no", "de": "nein"},
    "curve": {"en": "Learning curve", "de": "Lernkurve"},
    "curve.label": {
        "en": "Score over training rows: at {rows} rows {train} on training rows and {valid} on"
        " validation rows",
        "de": "Wert über der Zahl der Trainingszeilen: bei {rows} Zeilen {train} auf"
        " Trainingszeilen und {valid} auf Validierungszeilen",
    },
    "curve.train": {"en": "training", "de": "Training"},
    "curve.valid": {"en": "validation", "de": "Validierung"},
    "curve.across": {"en": "training rows", "de": "Trainingszeilen"},
    "influences": {"en": "What it looks at", "de": "Worauf es schaut"},
    "influences.says": {
        "en": "How much the first promise's metric worsens on validation rows when a column is"
        " shuffled, with interval. This is influence on the model, not a cause in the world.",
        "de": "Um wie viel das Maß der ersten Zusage auf Validierungszeilen schlechter wird, wenn"
        " eine Spalte durchmischt wird, mit Intervall. Das ist Einfluss auf das Modell, keine"
        " Ursache in der Welt.",
    },
    "influences.label": {
        "en": "Influence of columns; the largest is {column} with {drop}",
        "de": "Einfluss der Spalten; am größten ist der von {column} mit {drop}",
    },
    "column.drop": {"en": "Worse by", "de": "Schlechter um"},
    "errors": {"en": "Errors and calibration", "de": "Fehler und Kalibrierung"},
    "comparison": {
        "en": "Against the others, on the same sealed rows",
        "de": "Gegen die anderen, an denselben versiegelten Zeilen",
    },
    "column.against": {"en": "Against", "de": "Gegen"},
    "column.metric": {"en": "Metric", "de": "Maß"},
    "column.candidate": {"en": "Candidate", "de": "Kandidat"},
    "column.other": {"en": "Other", "de": "Anderes"},
    "column.gain": {"en": "Better by", "de": "Besser um"},
    "column.method": {"en": "Method", "de": "Verfahren"},
    "better.pass": {"en": "better beyond doubt", "de": "zweifelsfrei besser"},
    "better.fail": {"en": "worse beyond doubt", "de": "zweifelsfrei schlechter"},
    "better.undecided": {"en": "undecided", "de": "unentschieden"},
    "confusion": {"en": "Confusion matrix", "de": "Verwechslungstafel"},
    "confusion.caption": {
        "en": "Rows: what it was. Columns: what was decided. Counts of sealed rows.",
        "de": "Zeilen: was es war. Spalten: was entschieden wurde. Anzahl versiegelter Zeilen.",
    },
    "confusion.truth": {"en": "was {name}", "de": "war {name}"},
    "confusion.said": {"en": "decided {name}", "de": "entschieden {name}"},
    "fewer": {"en": "under {least}", "de": "unter {least}"},
    "per_class": {"en": "Per class", "de": "Je Klasse"},
    "column.class": {"en": "Class", "de": "Klasse"},
    "column.precision": {"en": "Precision", "de": "Genauigkeit (Precision)"},
    "column.recall": {"en": "Recall", "de": "Trefferquote (Recall)"},
    "column.f1": {"en": "F1", "de": "F1"},
    "column.support": {"en": "Sealed rows", "de": "Versiegelte Zeilen"},
    "calibration": {"en": "Calibration", "de": "Kalibrierung"},
    "calibration.says": {
        "en": "{of}: expected calibration error {ece} over {bins} bins; in {off} of them the"
        " interval leaves the prediction out.",
        "de": "{of}: erwarteter Kalibrierungsfehler {ece} über {bins} Gruppen; in {off} davon"
        " liegt die Vorhersage außerhalb des Intervalls.",
    },
    "calibration.none": {
        "en": "No probabilities, or too few rows for a bin of 30.",
        "de": "Keine Wahrscheinlichkeiten, oder zu wenige Zeilen für eine Gruppe von 30.",
    },
    "calibration.label": {
        "en": "Observed share over predicted share, {bins} bins, {off} off the diagonal",
        "de": "Beobachteter Anteil über vorhergesagtem Anteil, {bins} Gruppen, {off} abseits der"
        " Diagonale",
    },
    "calibration.across": {"en": "predicted", "de": "vorhergesagt"},
    "calibration.upward": {"en": "observed", "de": "beobachtet"},
    "concentration": {"en": "Where errors concentrate", "de": "Wo sich Fehler häufen"},
    "concentration.says": {
        "en": "Parts of at least 30 rows with more errors than the rest; p after Holm. Smaller"
        " parts are not shown.",
        "de": "Teile von mindestens 30 Zeilen mit mehr Fehlern als der Rest; p nach Holm."
        " Kleinere Teile werden nicht gezeigt.",
    },
    "concentration.says.regression": {
        "en": "Parts of at least 30 rows with more large errors (the largest fifth) than the"
        " rest; p after Holm. Smaller parts are not shown.",
        "de": "Teile von mindestens 30 Zeilen mit mehr großen Fehlern (dem größten Fünftel) als"
        " der Rest; p nach Holm. Kleinere Teile werden nicht gezeigt.",
    },
    "concentration.none": {
        "en": "In no part of at least 30 rows.",
        "de": "In keinem Teil von mindestens 30 Zeilen.",
    },
    "column.part": {"en": "Part", "de": "Teil"},
    "column.rate": {"en": "Error rate", "de": "Fehleranteil"},
    "column.rest": {"en": "All others", "de": "Alle anderen"},
    "column.p": {"en": "p", "de": "p"},
    "measured": {
        "en": "Measured with the artefact that ships",
        "de": "Gemessen am ausgelieferten Modell",
    },
    "measured.latency": {"en": "Latency of one row", "de": "Antwortzeit für eine Zeile"},
    "measured.latency.says": {
        "en": "{p50} ms (half), {p95} ms (95 of 100), {p99} ms (99 of 100), over {requests}"
        " requests",
        "de": "{p50} ms (die Hälfte), {p95} ms (95 von 100), {p99} ms (99 von 100), über"
        " {requests} Anfragen",
    },
    "measured.size": {"en": "Size", "de": "Größe"},
    "measured.size.says": {"en": "{size} MB", "de": "{size} MB"},
    "measured.parity": {
        "en": "Shipped against trained pipeline",
        "de": "Ausgeliefert gegen trainiert",
    },
    "measured.parity.says": {
        "en": "{differ} of {rows} decisions differ, largest difference of a value {largest}",
        "de": "{differ} von {rows} Entscheidungen weichen ab, größter Unterschied eines Werts"
        " {largest}",
    },
    "measured.parity.none": {
        "en": "the trained pipeline itself ships",
        "de": "ausgeliefert wird das trainierte Modell selbst",
    },
    "decision": {"en": "Decision record", "de": "Entscheidungsprotokoll"},
    "decision.why": {
        "en": "Why this one, and what was close",
        "de": "Warum dieser Kandidat, und was nahe daran war",
    },
    "decision.risks": {"en": "Open risks", "de": "Offene Risiken"},
    "decision.no_risks": {
        "en": "None was found by the checks. That is not proof of none.",
        "de": "Die Prüfungen haben keines gefunden. Das beweist nicht, dass es keines gibt.",
    },
    "reproduce": {"en": "How to reproduce it", "de": "Wie es sich nachbauen lässt"},
    "reproduce.says": {
        "en": "In the project folder, with the keys of the seal; compares data, metrics and"
        " predictions and writes a certificate or says what differs.",
        "de": "Im Projektordner, mit den Schlüsseln des Siegels; vergleicht Daten, Maße und"
        " Vorhersagen und stellt eine Bescheinigung aus oder sagt, was abweicht.",
    },
    "reproduce.artefact": {"en": "Artefact", "de": "Artefakt"},
    "reproduce.candidate": {"en": "Candidate", "de": "Kandidat"},
    "reproduce.predictions": {
        "en": "Predictions on the sealed rows",
        "de": "Vorhersagen an den versiegelten Zeilen",
    },
    "reproduce.release": {"en": "Release", "de": "Freigabe"},
    "reproduce.seed": {"en": "Seed", "de": "Zufallsstart"},
    "reproduce.code": {"en": "Code of the candidate", "de": "Code des Kandidaten"},
    "trail": {"en": "Ledger trail", "de": "Spur im Protokoll"},
    "trail.says": {
        "en": "What is recorded about this project when the report was written.",
        "de": "Was über dieses Projekt verzeichnet war, als der Bericht entstand.",
    },
    "trail.earlier": {
        "en": "{n} earlier entries are in the ledger.",
        "de": "{n} frühere Einträge stehen im Protokoll.",
    },
    "trail.none": {
        "en": "No entries were handed to this report.",
        "de": "Diesem Bericht wurden keine Einträge übergeben.",
    },
    "column.seq": {"en": "No.", "de": "Nr."},
    "column.at": {"en": "When (UTC)", "de": "Wann (UTC)"},
    "column.actor": {"en": "Who", "de": "Wer"},
    "column.event": {"en": "What", "de": "Was"},
    "column.subject": {"en": "About", "de": "Worüber"},
    "column.hash": {"en": "Hash", "de": "Prüfsumme"},
    "unit.rows": {"en": "rows", "de": "Zeilen"},
    "unit.groups": {"en": "groups", "de": "Gruppen"},
    "unit.blocks": {"en": "blocks", "de": "Blöcke"},
    "unit.requests": {"en": "requests", "de": "Anfragen"},
    "unit.artefacts": {"en": "artefact", "de": "Artefakt"},
    "foot": {
        "en": "Made by qua3ck. This file needs no network and no script.",
        "de": "Erstellt mit qua3ck. Diese Datei braucht weder Netz noch Skript.",
    },
    # -- the card -----------------------------------------------------------------
    "card.intro": {
        "en": "{asks} Made with qua3ck as version {version} of {project}; every figure below was"
        " measured on {rows} sealed rows that took no part in training.",
        "de": "{asks} Mit qua3ck erstellt als Version {version} von {project}; jede Zahl unten"
        " wurde an {rows} versiegelten Zeilen gemessen, die am Training nicht beteiligt"
        " waren.",
    },
    "card.intended": {"en": "Intended use", "de": "Wofür sie bestimmt ist"},
    "card.intended.says": {
        "en": "{decides} Why now: {why_now}",
        "de": "{decides} Warum jetzt: {why_now}",
    },
    "card.risk": {
        "en": "Risk class: {risk} ({reason}). Known risks: {risks}",
        "de": "Risikoklasse: {risk} ({reason}). Bekannte Risiken: {risks}",
    },
    "card.out_of_scope": {"en": "Out of scope", "de": "Wofür sie nicht bestimmt ist"},
    "card.data": {"en": "Data", "de": "Daten"},
    "card.evaluation": {"en": "Evaluation", "de": "Beurteilung"},
    "card.evaluation.says": {
        "en": "Bounds are one-sided at the stated confidence each; a verdict is read off the"
        " bound, never off the value. Opening {opening} of {openings} of the seal.",
        "de": "Die Grenzen gelten je Seite mit der genannten Sicherheit; ein Urteil wird an der"
        " Grenze abgelesen, nie am Wert. Öffnung {opening} von {openings} des Siegels.",
    },
    "card.limitations": {"en": "Limitations", "de": "Grenzen"},
    "card.format": {"en": "Format", "de": "Format"},
    "card.load": {"en": "How to load it", "de": "Wie man sie lädt"},
    "card.load.says": {
        "en": "Any MLflow client can load it; neither qua3ck nor a pickle is needed.",
        "de": "Jedes MLflow-Programm kann sie laden; es braucht weder qua3ck noch einen Pickle.",
    },
    "card.reproduce": {"en": "How to reproduce it", "de": "Wie man sie nachbaut"},
    "card.verdict": {"en": "Verdict: {answer} {says}", "de": "Urteil: {answer} {says}"},
    # -- the datasheet --------------------------------------------------------------
    **SHEET,
}


def text(key: str, lang: str = "en", **values: object) -> str:
    """Return a sentence with its values put in.

    Raises
    ------
    Qua3ckError
        If the catalogue has no such language. An unknown key is our own mistake (KeyError).
    """
    words = TEXTS[key]
    if lang not in words:
        raise Qua3ckError(
            f'There are no texts in the language "{lang}"{did_you_mean(lang, words)}',
            where="the language of the report",
            fix=f"use one of: {', '.join(sorted(words))}",
        )
    return words[lang].format(**values)


def moment(at: str, lang: str = "en") -> str:
    """Return date and minute of an ISO 8601 moment as a language writes them."""
    return f"{day(at, lang)}{', ' if lang == 'de' else ' '}{at[11:16]}".rstrip(", ")


def day(at: str, lang: str = "en") -> str:
    """Return the date of an ISO 8601 moment as a language writes it."""
    if lang != "de" or len(at) < 10:
        return at[:10]
    year, month, number = at[:10].split("-")
    return f"{int(number)}.{int(month)}.{year}"


_SWAPPED = str.maketrans({",": ".", ".": ","})


def local(written: str, lang: str) -> str:
    """Return a figure or an interval, written the English way, as a language writes it.

    German has a comma before the decimals and, so that it stays readable, a semicolon
    between the bounds of an interval: ``[0,76; 0,89]``.
    """
    if lang != "de":
        return written
    return "; ".join(part.translate(_SWAPPED) for part in written.split(", "))
