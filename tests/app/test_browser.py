"""The view in a real browser: every page, by keyboard, printed, and held to the rules of access."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from qua3ck.app import seeing
from qua3ck.app.starting import start
from qua3ck.app.texts import say

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = Path(__file__).parents[2] / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
# Dates in tables and words in their first column that stand on more than one line.
BROKEN = r"""(() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    if (!node.parentElement.closest(".q table")) continue;
    const head = node.parentElement.closest("tbody th");
    const date = "\\d{4}-\\d\\d-\\d\\d|\\d{1,2}\\.\\d{1,2}\\.\\d{4}";
    const asked = new RegExp(head ? `${date}|[^\\s-]+` : date, "g");
    for (const one of node.data.matchAll(asked)) {
      const range = document.createRange();
      range.setStart(node, one.index);
      range.setEnd(node, one.index + one[0].length);
      const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
      if (lines.size > 1) found.push(one[0]);
    }
  }
  return found;
})()"""
PATIENCE = 90  # seconds; the machine may be busy

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="needs the browser chromium (a package of the system)"
)
sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (group dev)")


@pytest.fixture(scope="module")
def served(made, tmp_path_factory):
    """Start the view of a copy for the owner; end it, and only it. What is asked is logged."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    place = tmp_path_factory.mktemp("view")
    copy = made.copy(place)
    started = start(copy.root, users=place / "none.json", actor="ana", port=port)
    environment = {**started.environment, "QUA3CK_KEYS": str(copy.keys), "HOME": str(place)}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(started.command, env=environment, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health", process, place / "log")
            yield started.url
        finally:
            process.terminate()
            process.wait(timeout=30)
    said = (place / "log").read_text(errors="replace")
    assert "Traceback" not in said, said


def _wait(url, process, log):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - this machine
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the view did not start")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        one = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield one
        one.close()


@pytest.fixture
def page(browser, served):
    """Return a page that was let in, in English; it may talk to this machine alone."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    strangers = []
    context.on("request", lambda one: strangers.append(one.url) if _foreign(one.url) else None)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE * 1000)
    opened.goto(served)
    opened.wait_for_selector("h1")
    _idle(opened)
    yield opened
    context.close()
    assert strangers == [], "the view needs no network"


def _foreign(url):
    return url.startswith(("http:", "https:", "ws:")) and "//127.0.0.1:" not in url


def _idle(page):
    for _ in range(2):
        page.wait_for_timeout(250)
        page.wait_for_selector(IDLE)


def go(page, name):
    page.click(f"[data-testid=stSidebarNavLink] >> nth={seeing.PAGES.index(name)}")
    page.wait_for_function(f"location.pathname.replace('/', '') in {{'': 1, '{name}': 1}}")
    _idle(page)


def in_german(page):
    page.get_by_label("Language").click()
    page.get_by_role("option", name="Deutsch").click()
    page.wait_for_function("document.documentElement.lang === 'de'")
    _idle(page)


def answer_a_case(page, lang="en"):
    page.get_by_role("button", name=say("decide.example", lang)).click()
    _idle(page)
    page.locator("input[aria-label=area]").fill("600")
    page.locator("input[aria-label='contact phone']").fill("500")
    page.get_by_role("button", name=say("decide.ask", lang)).click()
    page.wait_for_selector(".answer .label")
    _idle(page)


def test_every_page_can_be_reached_and_shows_its_title_and_drawings(page):
    for name in seeing.PAGES:
        go(page, name)
        assert page.locator("h1").count() == 1
        assert page.locator("[role=alert]").count() == 0
        broken = page.evaluate(
            "[...document.images].filter(i => !i.complete || !i.naturalWidth || !i.alt).length"
        )
        assert broken == 0
    assert page.title().startswith("Ledger")


def test_a_case_is_decided_by_keyboard_alone(page):
    page.get_by_role("button", name="Fill in a typical case").focus()
    page.keyboard.press("Enter")
    _idle(page)
    page.locator("input[aria-label=area]").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("600")
    page.keyboard.press("Tab")
    _idle(page)
    page.locator("input[aria-label='contact phone']").focus()
    page.keyboard.type("500")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".answer .label")
    assert "second: yes" in page.inner_text(".answer")


def test_what_has_the_focus_can_be_seen(page):
    for _ in range(4):
        page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2


def test_the_language_changes_what_is_read_and_how_it_is_read_aloud(page):
    assert page.evaluate("document.documentElement.lang") == "en"
    in_german(page)
    assert page.get_by_role("button", name="Antwort zeigen").count() == 1


def test_a_reload_does_not_lock_out_and_the_secret_is_not_left_in_the_address(page):
    assert "token" not in page.url
    page.reload()
    page.wait_for_selector("h1")
    _idle(page)
    assert "building permits" in page.inner_text("h1")


def test_without_the_link_a_stranger_on_this_machine_sees_nothing(browser, served):
    context = browser.new_context()
    other = context.new_page()
    other.set_default_timeout(PATIENCE * 1000)
    other.goto(served.partition("?")[0])
    other.wait_for_selector("h1")
    assert other.inner_text("h1") == "Open the link that was printed"
    assert other.locator("[data-testid=stSidebarNavLink]").count() == 0
    context.close()


def test_a_table_is_handed_in_and_its_answers_come_back(page, tmp_path):
    page.get_by_role("tab", name="Many cases").click()
    with page.expect_download() as template:
        page.get_by_role("button", name="Template as CSV").click()
    filled = tmp_path / "cases.csv"
    template.value.save_as(filled)
    head, row = filled.read_text("utf-8-sig").splitlines()
    cells = dict(zip(head.split(","), row.split(","), strict=True))
    cells["contact_phone"] = "500"  # of a personal column the template has no typical value
    filled.write_text(f"{head}\n{','.join(cells.values())}\n", "utf-8")
    page.locator("input[type=file]").set_input_files(filled)
    page.get_by_role("button", name="Download the answers").wait_for()
    with page.expect_download() as answers:
        page.get_by_role("button", name="Download the answers").click()
    answers.value.save_as(tmp_path / "answers.csv")
    head, row = (tmp_path / "answers.csv").read_text("utf-8-sig").splitlines()
    assert head.endswith("label,p_no,p_yes,version,request_id,row")
    *_, version, request, at = row.split(",")
    assert (version, at) == ("1", "0")
    assert re.fullmatch("[0-9a-f]{32}", request), "under which it is logged"


def test_a_page_prints_without_its_frame(page, tmp_path):
    go(page, "evidence")
    page.emulate_media(media="print")
    assert not page.locator("[data-testid=stSidebar]").is_visible()
    data = page.pdf(format="A4")
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") != 1, "nothing is cut off"


@pytest.mark.parametrize("lang", ["en", "de"])
def test_every_page_can_be_read_on_a_telephone(page, lang):
    if lang == "de":
        in_german(page)
    for name in seeing.PAGES:
        page.set_viewport_size({"width": 1280, "height": 900})  # on a phone the menu is folded
        go(page, name)
        if name == "decide":
            answer_a_case(page, lang)
        page.set_viewport_size({"width": 390, "height": 800})
        _idle(page)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is wider than the screen"
        assert page.evaluate(BROKEN) == [], name
        hidden = page.locator(".scroll").evaluate_all(
            "all => all.filter(e => e.scrollWidth > e.clientWidth"
            " && !getComputedStyle(e).backgroundAttachment.includes('local')).length"
        )
        assert hidden == 0, f"{name}: columns beyond the edge and nothing that says so"


@pytest.mark.skipif(not AXE.is_file(), reason="needs axe-core under build/axe (see .ci/run)")
@pytest.mark.parametrize("name", seeing.PAGES)
def test_no_rule_of_access_is_broken_seriously(page, name):
    go(page, name)
    if name == "decide":
        answer_a_case(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        {
            "rule": one["id"],
            "says": one["help"],
            "where": [node["html"][:160] for node in one["nodes"]][:4],
        }
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], json.dumps(serious, indent=1)


def test_the_command_line_says_where_the_view_is_and_becomes_it(made, tmp_path):
    """``qua3ck app`` itself, as it is typed; it ends with the signal of Ctrl-C."""
    import signal

    command = [sys.executable, "-m", "qua3ck", "app", str(made.root), "--port", "0"]
    environment = {**os.environ, "QUA3CK_KEYS": str(made.keys), "HOME": str(tmp_path)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        first = process.stdout.readline()
        assert first.startswith("open: http://127.0.0.1:")
        port = first.split(":")[3].partition("/")[0]
        _wait(f"http://127.0.0.1:{port}/_stcore/health", process, tmp_path / "none")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
