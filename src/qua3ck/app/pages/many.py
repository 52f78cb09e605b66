"""Many cases: a template to take, a file to hand in, every mistake at once, answers to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qua3ck.app import asking, batch, pieces
from qua3ck.app.asking import Given
from qua3ck.app.fields import Field
from qua3ck.app.texts import number, percent
from qua3ck.app.visit import Visit
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need
from qua3ck.kit.markup import Content, Html, tag

if TYPE_CHECKING:
    import pandas as pd

    from qua3ck.store.releases.model import Model

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show(visit: Visit, model: Model, listed: Sequence[Field]) -> None:
    """Draw the part of the page about many cases."""
    import streamlit as st

    pieces.put(
        visit,
        pieces.section(visit.say("batch.template"), says=visit.say("batch.template.says")),
    )
    _templates(visit, listed)
    most = number(batch.MOST_ROWS, visit.lang)
    says = visit.say("batch.upload.says", most=most)
    pieces.put(visit, pieces.section(visit.say("batch.upload"), says=says))
    sent = st.file_uploader(
        visit.say("batch.upload"), type=["csv", "xlsx", "xls"], label_visibility="collapsed"
    )
    if sent is None:
        return
    try:
        table = batch.read_table(sent.name, sent.getvalue())
    except Qua3ckError as problem:
        pieces.put(visit, pieces.problem(visit, problem))
        return
    converted, problems = batch.check(table, model)
    if problems:
        pieces.put(visit, _wrong(visit, problems))
        return
    columns = {name: converted[name].tolist() for name in model.columns}
    held = batch.refusals(asking.refused(visit, columns, len(converted)), len(converted))
    if held:
        pieces.put(visit, _wrong(visit, held))
        return
    given = _given(visit, model, sent.file_id, columns, len(converted))
    if given.problem is not None:
        pieces.put(visit, pieces.problem(visit, given.problem, title="decide.refused"))
        return
    _answers(visit, given, listed, converted)


def _given(visit: Visit, model: Model, file: str, columns: asking.Table, rows: int) -> Given:
    """Return the answers to a file; it is asked about once, however often the page is drawn."""
    import streamlit as st

    before, given = st.session_state.get("many", ("", None))
    if given is None or before != file or given.mark != asking.mark(visit, model):
        given = asking.ask(visit, model, columns, rows)
        st.session_state["many"] = (file, given)
    found: Given = given
    return found


def _templates(visit: Visit, listed: Sequence[Field]) -> None:
    import streamlit as st

    left, right, _ = st.columns([2, 2, 3])
    name = f"{visit.reader.project.name}-{visit.version}"
    with left:
        st.download_button(
            visit.say("batch.csv"),
            batch.template_csv(listed),
            file_name=f"{name}.csv",
            mime="text/csv",
            on_click="ignore",
        )
    try:
        need("openpyxl", extra="excel", what="writing an Excel template")
    except Qua3ckError:
        return  # the CSV template says the same
    with right:
        st.download_button(
            visit.say("batch.excel"),
            batch.template_excel(listed, visit.say("batch.heads").split("|")),
            file_name=f"{name}.xlsx",
            mime=_EXCEL,
            on_click="ignore",
        )


def _wrong(visit: Visit, problems: Sequence[batch.Problem]) -> Html:
    key = "batch.wrong.one" if len(problems) == 1 else "batch.wrong"
    heads = [visit.say(k) for k in ("batch.what", "view.where", "view.fix")]
    told = [(problem.what, problem.where, problem.fix) for problem in problems]
    rows = [tuple(pieces.wrote(visit, words) for words in each) for each in told]
    title = visit.say(key, n=len(problems))
    listed = pieces.table(heads, rows)
    return tag("div", pieces.box(title, listed, kind="fail"), role="alert")


def _answers(visit: Visit, given: Given, listed: Sequence[Field], table: pd.DataFrame) -> None:
    import streamlit as st

    made = batch.answered(table, given)
    key = "batch.done" if given.by_model else "batch.instead"
    done = visit.say(key, rows=number(len(made), visit.lang), version=given.version)
    logged = visit.say("decide.logged", id=given.request_id)
    parts: list[Content] = [tag("p", done, role="status"), tag("p", logged, class_="soft logged")]
    if "label" in made.columns:
        parts.append(pieces.bullets(_counts(visit, made)))
    for notice in batch.notices(table, listed):
        words = visit.say(
            "batch.notice",
            column=notice.column,
            rows=number(notice.rows, visit.lang),
            first=number(notice.first, visit.lang),
        )
        parts.append(tag("p", words, class_="notice"))
    pieces.put(visit, pieces.section(visit.say("batch.answers"), *parts))
    st.download_button(
        visit.say("batch.download"),
        batch.as_csv(made),
        file_name=f"{visit.reader.project.name}-{visit.version}-answers.csv",
        mime="text/csv",
        type="primary",
        on_click="ignore",
    )


def _counts(visit: Visit, made: pd.DataFrame) -> list[str]:
    counted = made["label"].value_counts()
    return [
        visit.say(
            "batch.count",
            label=label,
            n=number(int(n), visit.lang),
            share=percent(int(n) / len(made), visit.lang),
        )
        for label, n in counted.items()
    ]
