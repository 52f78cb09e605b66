"""Every sentence of the datasheet, as part of the one catalogue: key -> language -> words."""

from __future__ import annotations

SHEET: dict[str, dict[str, str]] = {
    "sheet.title": {
        "en": "Datasheet: the data of {project}, version {version}",
        "de": "Datenblatt: die Daten von {project}, Version {version}",
    },
    "sheet.intro": {
        "en": "After “Datasheets for Datasets” (Gebru et al. 2021). Filled only with what is on"
        " record in project file, contracts, ledger and profile; what is not is named, with what"
        " to type. No row and no number of a single person is shown; of groups with fewer than"
        " {least} rows only that they are there.",
        "de": "Nach „Datasheets for Datasets“ (Gebru u. a. 2021). Gefüllt nur mit dem, was in"
        " Projektdatei, Verträgen, Protokoll und Profil verzeichnet ist; was fehlt, wird genannt,"
        " mit dem, was einzutragen ist. Keine Zeile und keine Zahl einer einzelnen Person wird"
        " gezeigt; von Gruppen mit weniger als {least} Zeilen nur, dass es sie gibt.",
    },
    "sheet.absent": {
        "en": "not on record: {cure}",
        "de": "nicht verzeichnet: {cure}",
    },
    "sheet.cure.file": {
        "en": "write {what} in qua3ck.yaml",
        "de": "{what} in qua3ck.yaml eintragen",
    },
    "sheet.cure.contract": {
        "en": "write {what} in {path}",
        "de": "{what} in {path} eintragen",
    },
    "sheet.cure.no_contract": {
        "en": "draft a contract (qua3ck contract), name it as understand.sources.{source}.contract,"
        " and write {what} in it",
        "de": "einen Vertrag entwerfen (qua3ck contract), ihn als understand.sources.{source}"
        ".contract nennen und darin {what} eintragen",
    },
    "sheet.cure.again": {
        "en": "take the snapshot again, then release: qua3ck understand --again",
        "de": "den Datenstand neu aufnehmen, dann freigeben: qua3ck understand --again",
    },
    "sheet.cure.load": {
        "en": "load it, so that the ledger knows: qua3ck load",
        "de": "sie laden, damit das Protokoll es weiß: qua3ck load",
    },
    "sheet.few": {"en": "fewer than {least}", "de": "weniger als {least}"},
    "sheet.none": {"en": "none", "de": "keine"},
    # -- the seven headings -------------------------------------------------------
    "sheet.motivation": {"en": "Motivation", "de": "Anlass"},
    "sheet.composition": {"en": "Composition", "de": "Zusammensetzung"},
    "sheet.collection": {"en": "Collection process", "de": "Erhebung"},
    "sheet.preprocessing": {
        "en": "Preprocessing, cleaning, labelling",
        "de": "Aufbereitung, Bereinigung, Kennzeichnung",
    },
    "sheet.uses": {"en": "Uses", "de": "Verwendung"},
    "sheet.distribution": {"en": "Distribution", "de": "Weitergabe"},
    "sheet.maintenance": {"en": "Maintenance", "de": "Pflege"},
    # -- motivation ---------------------------------------------------------------
    "sheet.purpose": {
        "en": "What these rows were brought together for",
        "de": "Wozu diese Zeilen zusammengestellt wurden",
    },
    "sheet.why_now": {"en": "Why now", "de": "Warum jetzt"},
    "sheet.brought_by": {
        "en": "Who brought them together, as owner of the question",
        "de": "Wer sie zusammengestellt hat, als Verantwortlicher der Frage",
    },
    "sheet.first_purpose": {
        "en": "What {source} was made for",
        "de": "Wozu {source} entstand",
    },
    # -- composition --------------------------------------------------------------
    "sheet.row": {"en": "What a row of {source} is", "de": "Was eine Zeile von {source} ist"},
    "sheet.rows": {"en": "Rows", "de": "Zeilen"},
    "sheet.rows.says": {
        "en": "{rows}: {train} to learn from, {test} sealed, {left_out} in neither",
        "de": "{rows}: {train} zum Lernen, {test} versiegelt, {left_out} in keinem von beiden",
    },
    "sheet.classes": {"en": "Rows to learn from, by class", "de": "Lernzeilen nach Klasse"},
    "sheet.columns": {"en": "Columns of the rows to learn from", "de": "Spalten der Lernzeilen"},
    "sheet.column.part": {"en": "Part it plays", "de": "Rolle"},
    "sheet.column.kind": {"en": "Kind", "de": "Art"},
    "sheet.column.missing": {"en": "Missing", "de": "Fehlend"},
    "sheet.column.different": {"en": "Different values", "de": "Verschiedene Werte"},
    "sheet.part.feature": {"en": "given to the model", "de": "bekommt das Modell"},
    "sheet.part.target": {"en": "what is predicted", "de": "wird vorhergesagt"},
    "sheet.part.time": {"en": "time", "de": "Zeit"},
    "sheet.part.group": {"en": "group", "de": "Gruppe"},
    "sheet.part.entity": {"en": "names the row", "de": "benennt die Zeile"},
    "sheet.part.sensitive": {
        "en": "sensitive: only the judge sees it",
        "de": "heikel: sieht nur, wer urteilt",
    },
    "sheet.part.left_out": {"en": "left out", "de": "weggelassen"},
    "sheet.together": {
        "en": "Rows that belong together",
        "de": "Zeilen, die zusammengehören",
    },
    "sheet.together.says": {"en": "by {columns}", "de": "nach {columns}"},
    "sheet.sensitive": {"en": "Sensitive column {column}", "de": "Heikle Spalte {column}"},
    "sheet.sensitive.none": {"en": "Sensitive columns", "de": "Heikle Spalten"},
    "sheet.groups": {"en": "{groups} (rows to learn from)", "de": "{groups} (Lernzeilen)"},
    "sheet.personal": {
        "en": "How confidential the columns of {source} are",
        "de": "Wie vertraulich die Spalten von {source} sind",
    },
    "sheet.unclassified": {"en": "not classified", "de": "nicht eingestuft"},
    "sheet.found": {
        "en": "Errors, noise and leaks that the checks found",
        "de": "Was die Prüfungen an Fehlern, Rauschen und Lecks fanden",
    },
    "sheet.found.none": {
        "en": "none; that is not proof of none",
        "de": "nichts; das beweist nicht, dass da nichts ist",
    },
    "sheet.snapshot": {"en": "Snapshot", "de": "Datenstand"},
    "sheet.gold": {
        "en": "Rows to learn from: table, version, SHA-256",
        "de": "Lernzeilen: Tabelle, Version, SHA-256",
    },
    "sheet.gold.says": {
        "en": "{table} version {version}, {digest}",
        "de": "{table} Version {version}, {digest}",
    },
    "sheet.split": {"en": "Split", "de": "Aufteilung"},
    "sheet.seal": {"en": "Seal of the test rows", "de": "Siegel der Testzeilen"},
    "sheet.seal.says": {
        "en": "{seal}, opening {opening} of {openings}",
        "de": "{seal}, Öffnung {opening} von {openings}",
    },
    # -- collection ---------------------------------------------------------------
    "sheet.source": {"en": "Source", "de": "Quelle"},
    "sheet.owner": {"en": "Owner", "de": "Eigentümer"},
    "sheet.licence": {"en": "Licence", "de": "Lizenz"},
    "sheet.cadence": {"en": "Cadence", "de": "Rhythmus"},
    "sheet.contact": {"en": "Contact", "de": "Ansprechpartner"},
    "sheet.loaded": {"en": "Loaded (UTC)", "de": "Geladen (UTC)"},
    "sheet.version": {"en": "Version", "de": "Version"},
    "sheet.held": {"en": "Held back", "de": "Zurückgehalten"},
    "sheet.digest": {"en": "SHA-256 of the content", "de": "SHA-256 des Inhalts"},
    "sheet.open": {"en": "not on record", "de": "nicht verzeichnet"},
    "sheet.to_write": {"en": "To be put on record", "de": "Noch einzutragen"},
    "sheet.sampling": {
        "en": "How the rows of {source} were chosen, by whom collected, with whose consent",
        "de": "Wie die Zeilen von {source} ausgewählt und von wem mit wessen Einwilligung erhoben"
        " wurden",
    },
    # -- preprocessing ------------------------------------------------------------
    "sheet.training": {
        "en": "What makes the table to learn from",
        "de": "Was die Lerntabelle macht",
    },
    "sheet.training.says": {
        "en": "{how}, a copy in code/, SHA-256 of the code {digest}",
        "de": "{how}, eine Kopie in code/, SHA-256 des Codes {digest}",
    },
    "sheet.training.source": {
        "en": "the source as it was loaded",
        "de": "die Quelle, wie sie geladen wurde",
    },
    "sheet.made": {"en": "Table {name}", "de": "Tabelle {name}"},
    "sheet.made.says": {
        "en": "made by {how} of {reads}: {rows} rows, version {version}. {says}",
        "de": "gemacht von {how} aus {reads}: {rows} Zeilen, Version {version}. {says}",
    },
    "sheet.made.never": {
        "en": "made by {how} of {reads}; the ledger has no making of it. {says}",
        "de": "gemacht von {how} aus {reads}; im Protokoll steht kein Lauf davon. {says}",
    },
    "sheet.quality": {"en": "Checked on loading", "de": "Beim Laden geprüft"},
    "sheet.quality.contract": {
        "en": "Contract of {source}",
        "de": "Vertrag von {source}",
    },
    "sheet.quality.contract.says": {
        "en": "{path}, version {version}, SHA-256 {digest}",
        "de": "{path}, Version {version}, SHA-256 {digest}",
    },
    "sheet.dimension": {"en": "Dimension", "de": "Hinsicht"},
    "sheet.looked_at": {"en": "Looked at (rows × rules)", "de": "Angesehen (Zeilen × Regeln)"},
    "sheet.failing": {"en": "Failed", "de": "Durchgefallen"},
    "sheet.no_quality": {
        "en": "no rule was checked on the load behind this snapshot",
        "de": "beim Laden dieses Stands wurde keine Regel geprüft",
    },
    "sheet.left_out": {"en": "Left out: {column}", "de": "Weggelassen: {column}"},
    # -- uses -----------------------------------------------------------------------
    "sheet.used_for": {"en": "Used here for", "de": "Hier verwendet für"},
    "sheet.not_for": {"en": "Not for", "de": "Nicht für"},
    "sheet.usage": {"en": "What {source} is meant for", "de": "Wozu {source} gedacht ist"},
    "sheet.limitations": {
        "en": "Limits of {source} that its contract names",
        "de": "Grenzen von {source}, die sein Vertrag nennt",
    },
    "sheet.risks": {"en": "Known risks", "de": "Bekannte Risiken"},
    # -- distribution ---------------------------------------------------------------
    "sheet.terms": {"en": "Under what terms: {source}", "de": "Zu welchen Bedingungen: {source}"},
    "sheet.handed_on": {
        "en": "What of the data this version hands on",
        "de": "Was diese Version von den Daten weitergibt",
    },
    "sheet.handed_on.says": {
        "en": "no row. Figures by column (evidence/profile.html), the categories seen, rare ones"
        " too (records/snapshot.json), and rows put together column by column to check the model"
        " (model/golden.json), none of which is a person's",
        "de": "keine Zeile. Zahlen je Spalte (evidence/profile.html), die gesehenen Kategorien,"
        " auch seltene (records/snapshot.json), und spaltenweise zusammengesetzte Zeilen zum"
        " Prüfen des Modells (model/golden.json), von denen keine die einer Person ist",
    },
    # -- maintenance ----------------------------------------------------------------
    "sheet.who": {"en": "Whom to ask about {source}", "de": "Wen man zu {source} fragt"},
    "sheet.how_often": {"en": "How often {source} comes", "de": "Wie oft {source} kommt"},
    "sheet.how_often.says": {
        "en": "{cadence}; loads up to this version: {n}",
        "de": "{cadence}; Ladungen bis zu dieser Version: {n}",
    },
    "sheet.steward": {
        "en": "Who keeps the key of the sealed rows",
        "de": "Wer den Schlüssel der versiegelten Zeilen verwahrt",
    },
    "sheet.steward.none": {
        "en": "whoever made the seal; no steward is named (question.roles.steward)",
        "de": "wer das Siegel gemacht hat; kein Verwahrer ist benannt (question.roles.steward)",
    },
    "sheet.newer": {"en": "Newer data", "de": "Neuere Daten"},
    "sheet.newer.says": {
        "en": "make a new snapshot and a new version; this sheet stays as it is, and its hash"
        " stands in the signed ledger",
        "de": "ergeben einen neuen Datenstand und eine neue Version; dieses Blatt bleibt, wie es"
        " ist, und seine Prüfsumme steht im unterschriebenen Protokoll",
    },
    # -- in the report ----------------------------------------------------------------
    "data.datasheet": {"en": "Datasheet", "de": "Datenblatt"},
    "security": {"en": "Security of the version", "de": "Sicherheit der Version"},
    "security.files": {"en": "Looked through", "de": "Durchgesehen"},
    "security.files.says": {
        "en": "{files} files, {code} of them code, and the lock of {packages} packages",
        "de": "{files} Dateien, davon {code} mit Code, und die Festschreibung von {packages}"
        " Paketen",
    },
    "security.advisories": {"en": "Known vulnerabilities", "de": "Bekannte Schwachstellen"},
    "security.advisories.says": {
        "en": "{n} advisories, the newest of {newest}",
        "de": "{n} Meldungen, die neueste vom {newest}",
    },
    "security.advisories.none": {
        "en": "not looked for; that is no pass",
        "de": "nicht gesucht; das gilt nicht als bestanden",
    },
    "security.found": {"en": "Found", "de": "Gefunden"},
    "security.found.says": {
        "en": "{block} that block, {warn} warned of; all stand among the findings",
        "de": "{block} hindern, vor {warn} wird gewarnt; alle stehen bei den Befunden",
    },
    "security.not_scanned": {
        "en": "This version was made before versions were scanned; promoting it scans it.",
        "de": "Diese Version entstand, bevor Versionen durchgesehen wurden; beim Einsetzen"
        " geschieht es.",
    },
}
