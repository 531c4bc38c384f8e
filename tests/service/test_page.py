"""The page in a browser: Debian's Chromium, driven by Playwright; "skipped" where one is missing.

Playwright is that of the Python that VERSO_PYTHON names, or of .venv (tests/requirements.txt).
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import server
from server import SKIPPED, Server, request_bytes

try:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    beside = os.path.join(os.path.dirname(__file__), "../../.venv/bin/python")
    other = os.environ.get("VERSO_PYTHON") or beside
    if os.path.exists(other) and not os.path.samefile(sys.prefix, os.path.dirname(os.path.dirname(other))):
        os.execv(other, [other, *sys.argv])
    print("skipped: there is no Python with playwright and axe-playwright-python")
    sys.exit(SKIPPED)

CHROMIUM = shutil.which("chromium")
if not CHROMIUM:
    print("skipped: there is no chromium")
    sys.exit(SKIPPED)

DETECTOR = os.path.join(os.path.dirname(__file__), "../../deploy/models/detect.safetensors")
TEXT = "the thin reindeer"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
expect.set_options(timeout=server.PATIENCE_S * 1000)


def events(*pairs):
    return "".join("event: %s\ndata: %s\n\n" % (name, json.dumps(data)) for name, data in pairs)


def tokens(text, words, **more):
    """Words with their spans in the text."""
    found, at = [], 0
    for word in words:
        start = text.encode().index(word.encode(), at)
        at = start + len(word.encode())
        found.append({"text": word, "span": [start, at], **more})
    return found


def sentence(source, target, at, others=(), confidence=0.8):
    """A sentence of an answer whose words, as many on both sides, look at each other in turn; at: its two offsets."""
    def moved(text, by, **more):
        return [{**t, "span": [by + b for b in t["span"]]} for t in tokens(text, text.split(), **more)]

    count = len(source.split())
    return {"source": [at[0], at[0] + len(source.encode())], "target": [at[1], at[1] + len(target.encode())], "score": -0.1,
            "source_tokens": moved(source, at[0], coverage=1),
            "tokens": moved(target, at[1], log_prob=-0.1, confidence=confidence, links=[0]),
            "alignment": [[0.1] * k + [0.9 - 0.1 * (count - 1)] + [0.1] * (count - k) for k in range(len(target.split()))],
            "n_best": [{"text": text, "score": -0.2} for text in others]}


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr", "fr-en", "en-de"], "--beam", 4)
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--disable-gpu"] + ["--no-sandbox"] * (os.geteuid() == 0))

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()
        code = cls.server.stop()
        assert code == 0, code

    def open(self, s=None, viewport=WIDE, expected=(), then=lambda page: None, **more):
        """A page of its own; what goes wrong in it, beside what is `expected`, fails the test."""
        context = self.browser.new_context(viewport=viewport, locale="en-GB", **more)
        self.addCleanup(context.close)
        page = context.new_page()
        home = "http://127.0.0.1:%d/" % (s or self.server).port
        complaints = []

        def complain(text):
            if not any(word in text for word in expected):
                complaints.append(text)

        page.on("console", lambda m: complain(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complain(str(e)))
        page.on("request", lambda r: None if r.url.startswith((home, "blob:")) else complain(r.url))
        self.addCleanup(lambda: self.assertEqual(complaints, []))
        then(page)
        page.goto(home)
        expect(page.locator("#limit")).not_to_have_text("…")
        return page

    def choose(self, page, source="en", target="fr"):
        page.select_option("#from", source)
        page.select_option("#to", target)

    def write(self, page, text=TEXT):
        """Translated, and not yet stored."""
        self.choose(page)
        page.fill("#source", text)
        expect(page.locator("#made-by")).to_have_text(re.compile("^en-fr"))

    def keep(self, page, text=TEXT):
        """Translated and stored: its id."""
        self.choose(page)
        page.fill("#source", text)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#made-by")).to_have_text(re.compile(r"^en-fr · a1-\w{13}$"))
        return page.text_content("#made-by").split(" · ")[1]

    def stored_texts(self):
        reply = self.server.get("/v1/translations?limit=100")
        return [t["source_text"] for t in reply.json["translations"]]

    # ---- translating ----

    def test_what_is_typed_is_translated_and_kept_once_it_is_left_alone(self):
        page = self.open()
        self.choose(page)
        page.locator("#source").press_sequentially("the thin ant", delay=20)
        said = self.server.v1({"text": "the thin ant", "source": "en", "target": "fr", "store": False})
        expect(page.locator("#target")).to_have_text(said.json["translations"][0]["text"])
        expect(page.locator("#made-by")).to_have_text(re.compile("a1-"))
        self.assertEqual([t for t in self.stored_texts() if t.startswith("the thin a")], ["the thin ant"])
        page.fill("#source", "")
        expect(page.locator("#target")).to_be_empty()
        expect(page.locator("#alignment")).to_be_hidden()

    def test_words_appear_while_others_are_still_found(self):
        with Server(["en-fr"], *server.SLOWLY, "--journal", "off") as s:
            page = self.open(s)
            page.fill("#source", server.sentences(900))     # what is left of it is given up below
            page.locator(".book:has(.is-busy) .target .word").first.wait_for()
            expect(page.locator("#alignment")).to_be_visible()
            page.fill("#source", TEXT)              # what was under way is given up
            expect(page.locator("#made-by")).to_have_text("en-fr")
            expect(page.locator("#open-history")).to_be_hidden()

    def test_words_that_are_still_to_come_have_their_places(self):
        page = self.open()
        whole = sentence(TEXT + " in it", "un renne maigre y est", (0, 0))
        events_ = [("sentence", {"sentence": 0, "source_tokens": whole["source_tokens"]}),
                   ("token", {"sentence": 0, "text": "un", "token": whole["tokens"][0], "alignment": whole["alignment"][0]})]
        page.route("**/v1/translate/stream",
                   lambda route: route.fulfill(content_type="text/event-stream", body=events(*events_)))
        self.choose(page)
        page.fill("#source", TEXT + " in it")
        word, line = page.locator(".line-target .word").bounding_box(), page.locator(".line-target").bounding_box()
        self.assertLess(word["x"] + word["width"] - line["x"], line["width"] / 5 + 20)

    def test_another_reading_is_shown_with_its_own_alignment(self):
        page = self.open()
        self.keep(page)
        [said] = self.server.v1({"text": TEXT, "source": "en", "target": "fr", "n_best": 4, "store": False}).json["translations"]
        second = page.locator("#alternative-list button").nth(1)
        second.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#target")).to_have_text(said["alternatives"][0]["text"])
        expect(second).to_have_attribute("aria-pressed", "true")
        expect(second).to_be_focused()
        expect(page.locator("#ribbons .bands path").first).to_be_attached()

    def test_a_reading_of_several_sentences_is_another_of_each(self):
        page = self.open()
        self.keep(page, "the ant.\n\nin it!")
        [said] = self.server.v1({"text": "the ant.\n\nin it!", "source": "en", "target": "fr", "n_best": 4,
                                 "store": False}).json["translations"]
        readings = page.locator("#alternative-list button")
        expect(readings).to_have_count(1 + len(said["alternatives"]))
        readings.nth(2).click()
        expect(page.locator("#target")).to_have_text(said["alternatives"][1]["text"], use_inner_text=True)
        expect(readings.nth(2)).to_have_attribute("aria-pressed", "true")
        for number, source in enumerate(("the ant .", "in it !")):
            expect(page.locator("#sentence-number")).to_have_text("%d of 2" % (number + 1))
            expect(page.locator("#ribbons .line-source")).to_have_text(re.compile(re.escape(source)))
            other = said["sentences"][number]["n_best"][1]["text"]
            expect(page.locator("#ribbons .line-target .word")).not_to_have_count(0)
            shown = "".join(page.locator("#ribbons .line-target .word").all_inner_texts())
            self.assertTrue(other.replace(" ", "").startswith(shown.replace("</s>", "").replace(" ", "")), (other, shown))
            with page.expect_download() as download:
                page.click("#save-svg")
            self.assertEqual(download.value.failure(), None)
            if number == 0:
                page.click("#sentence-after")
        readings.nth(0).click()
        expect(page.locator("#target")).to_have_text(said["text"], use_inner_text=True)

    def test_sentences_are_drawn_one_by_one(self):
        page = self.open()
        self.write(page, "the ant.\n\nin it!")
        expect(page.locator("#sentence-number")).to_have_text("1 of 2")
        page.click("#sentence-after")
        expect(page.locator("#ribbons .line-source")).to_have_text(re.compile("in it !"))
        page.locator("#target .word").first.click()
        expect(page.locator("#sentence-number")).to_have_text("1 of 2")
        expect(page.locator("#ribbons .chosen")).to_have_count(1)

    def test_readings_mark_what_differs_in_each_sentence(self):
        first, others = "un chat dort sur le lit .", ("un chien dort sous le lit .", "un chat dort le lit .")
        long = "a b c d e f g h i j k l"
        page = self.open()
        self.answer(page, "1 2 3 4 5 6 .\n" + long, first + "\n" + long,
                    [sentence("1 2 3 4 5 6 .", first, (0, 0), others),
                     sentence(long, long, (14, len(first) + 1), (long + " m", long[2:]))])
        readings = page.locator("#alternative-list button")
        said = "all => all.map(e => [e.textContent, ...['mark', 'del'].map(n => [...e.querySelectorAll(n)].map(c => c.textContent))])"
        self.assertEqual(readings.evaluate_all(said), [
            [first + "\n" + long, [], []],
            ["un chien dort sous le lit .\na b c d … i j k l m", ["chien", "sous", "m"], []],
            ["un chat dort sur le lit .\na b c d e … i j k l", [], ["sur", "a"]]])

    def test_the_sentence_that_is_drawn_stays_while_what_is_before_it_stays(self):
        page = self.open()
        self.write(page, "the ant.\n\nin it!")
        page.click("#sentence-after")
        page.locator("#source").press("Control+End")
        page.keyboard.type("\nan ant!")
        expect(page.locator("#sentence-number")).to_have_text("2 of 3")
        expect(page.locator("#ribbons .line-source")).to_have_text(re.compile("^in it !"))
        page.keyboard.press("Control+Home")         # the sentence that the cursor goes to
        expect(page.locator("#sentence-number")).to_have_text("1 of 3")
        page.click("#sentence-after")
        page.fill("#source", "in it!\nthe thin ant!\nan ant!")
        expect(page.locator("#sentence-number")).to_have_text("1 of 3")

    def test_what_is_below_stays_where_it_is_until_the_next_answer(self):
        page = self.open(expected=["500"])
        self.write(page)

        def tops():
            return [page.locator(e).bounding_box()["y"] for e in ("#source", "#alternatives", "#alignment")]
        before, held = tops(), []
        page.route("**/v1/translate/stream", lambda route: held.append(route))
        page.fill("#source", TEXT + " in it")
        while not held:
            page.wait_for_timeout(20)
        self.assertEqual(tops(), before)
        held[0].fulfill(status=500, content_type="application/json", body='{"error":"it went wrong"}')
        expect(page.locator("#error")).to_have_text(re.compile("it went wrong"))
        self.assertEqual(tops(), before)
        expect(page.locator("#target")).to_have_class(re.compile("is-old"))     # of another text
        page.fill("#source", TEXT)
        expect(page.locator("#target")).not_to_have_class(re.compile("is-old"))

    def test_a_language_that_is_hardly_known_is_no_more_than_perhaps(self):
        with Server(["en-fr", "fr-en"], files=[DETECTOR]) as s:
            page = self.open(s)
            for text, said in (("Le chat dort sur la table.", "French, detected"), ("123 456", "English, perhaps")):
                page.fill("#source", text)
                expect(page.locator("#from option:checked")).to_have_text(said)

    # ---- light ----

    def test_a_word_lights_up_its_partners(self):
        page = self.open()
        self.write(page)
        page.locator("#target .word").first.hover()
        expect(page.locator("#target .chosen")).to_have_count(1)
        expect(page.locator("#mirror .lit").first).to_be_visible()
        expect(page.locator("#ribbons .bands .lit").first).to_be_attached()
        expect(page.locator("#word-note")).to_have_text(re.compile(r"%.*Confidence \d+ %"))
        page.locator("#source").hover(position={"x": 8, "y": 16})
        expect(page.locator("#mirror .chosen")).to_have_text("the")
        page.locator(".motto").hover()
        expect(page.locator(".chosen")).to_have_count(0)
        page.locator("#source").focus()
        page.keyboard.press("Control+Home")         # the cursor's word
        expect(page.locator("#mirror .chosen")).to_have_text("the")

    def test_a_cursor_in_words_that_are_not_drawn_yet_lights_nothing(self):
        page = self.open(then=lambda page: page.clock.install())
        expect(page.locator("#open-history")).to_be_visible()       # the page's beginning asks nothing any more
        self.choose(page)
        page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)    # what is drawn later waits for run_for
        page.fill("#source", TEXT)
        page.clock.run_for(300)
        expect(page.locator("#status")).to_have_text(re.compile("^Translation: "))
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".chosen")).to_have_count(0)
        page.clock.run_for(100)
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#mirror .chosen")).to_have_count(1)

    def test_the_matrix_is_a_table_that_can_be_read(self):
        page = self.open()
        self.write(page)
        page.keyboard.press("Alt+m")
        rows = page.locator("#target .word").count()
        expect(page.locator("#matrix tbody tr")).to_have_count(rows)
        expect(page.locator("#matrix thead th")).to_have_count(4)
        cell = page.locator("#matrix tbody td").first
        cell.hover()
        expect(page.locator("#word-note")).to_have_text(cell.get_attribute("title"))
        cells = page.locator("#matrix tbody tr").first.locator("td").all_inner_texts()
        self.assertAlmostEqual(sum(int(c.split()[0]) for c in cells), 100, delta=3)

    # ---- keys ----

    def test_everything_is_done_by_keys(self):
        page = self.open()
        self.keep(page)
        page.keyboard.press("Alt+t")
        expect(page.locator("#target .word").first).to_be_focused()
        expect(page.locator("#status")).to_have_text(re.compile(r"%.*Confidence \d+ %"))
        page.keyboard.press("ArrowRight")
        expect(page.locator("#target .word").nth(1)).to_be_focused()
        page.keyboard.press("Alt+k")
        expect(page.locator("#shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Alt+d")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.keyboard.press("Alt+h")
        expect(page.locator("#history-search")).to_be_focused()
        page.keyboard.press("Alt+s")
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.update(page.locator(":focus").evaluate_all("all => all.map(e => e.id)"))
        self.assertLessEqual({"open-history", "open-shortcuts", "theme", "from", "swap", "source", "clear", "to",
                              "copy", "show-ribbons", "show-matrix", "save-svg", "save-png", "save-json",
                              "history-search"}, reached)
        text = page.text_content("#target")
        page.keyboard.press("Alt+x")
        expect(page.locator("#source")).to_have_value(text)
        expect(page.locator("#from")).to_have_value("fr")

    # ---- files ----

    def test_the_alignment_is_saved(self):
        page = self.open()
        one = self.keep(page)
        for form, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("json", b"{")):
            with page.expect_download() as download:
                page.click("#save-" + form)
            self.assertEqual(download.value.suggested_filename, "%s.%s" % (one, form))
            with open(download.value.path(), "rb") as file:
                data = file.read()
            self.assertTrue(data.startswith(start), data[:40])
        saved = json.loads(data)
        self.assertEqual((saved["id"], saved["source_text"]), (one, TEXT))
        [sentence] = saved["sentences"]
        self.assertEqual([w["text"] for w in sentence["source"]], TEXT.split())
        self.assertEqual(len(sentence["alignment"]), len(sentence["target"]))

    # ---- history ----

    def test_what_was_stored_is_found_opened_and_deleted(self):
        page = self.open(expected=["404"])
        one = self.keep(page, "a reindeer in history")
        said = page.text_content("#target")
        self.keep(page, "an ant")
        page.click("#open-history")
        page.fill("#history-search", "in history")
        items = page.locator("#history-list li")
        expect(items).to_have_count(1)
        items.locator(".open").click()
        expect(page.locator("#source")).to_have_value("a reindeer in history")
        expect(page.locator("#target")).to_have_text(said)
        expect(page.locator("#made-by")).to_have_text(re.compile(one))
        expect(page.locator("#ribbons .word").first).to_be_visible()
        page.on("dialog", lambda dialog: dialog.accept())
        items.locator(".remove").click()
        expect(items).to_have_count(0)
        self.assertEqual(self.server.get("/v1/translations/" + one).status, 404)
        page.fill("#history-search", "never written")
        expect(page.locator("#history-note")).to_have_text("Nothing stored has this in it.")

    def test_what_was_deleted_does_not_come_back_with_a_list_that_was_asked_for_before(self):
        page = self.open()
        self.keep(page, "a reindeer that goes")
        page.click("#open-history")
        page.fill("#history-search", "that goes")
        items = page.locator("#history-list li")
        expect(items).to_have_count(1)
        held = []
        page.route(re.compile("/v1/translations[?]"), lambda route: held.append(route))
        page.evaluate("document.getElementById('history-search').dispatchEvent(new Event('input'))")
        while not held:
            page.wait_for_timeout(20)
        old = page.request.get(held[0].request.url).text()      # as it is before the deletion
        page.on("dialog", lambda dialog: dialog.accept())
        items.locator(".remove").click()
        expect(items).to_have_count(0)
        held[0].fulfill(content_type="application/json", body=old)
        expect(page.locator("#history-note")).to_have_text("Nothing stored has this in it.")
        expect(items).to_have_count(0)

    def test_a_stored_one_has_an_address(self):
        said = self.server.v1({"text": TEXT, "source": "en", "target": "fr", "durable": True}).json
        page = self.open()
        page.goto("http://127.0.0.1:%d/#%s" % (self.server.port, said["translations"][0]["id"]))
        expect(page.locator("#source")).to_have_value(TEXT)
        one = self.keep(page, "a thin reindeer")
        page.click("#made-by a")
        self.assertTrue(page.url.endswith("/#" + one), page.url)

    # ---- what goes wrong ----

    def test_without_a_connection_the_text_stays(self):
        page = self.open(expected=["ERR_INTERNET_DISCONNECTED"])
        self.choose(page)
        page.context.set_offline(True)
        page.fill("#source", TEXT)
        expect(page.locator("#error")).to_have_text(re.compile("no connection"))
        page.context.set_offline(False)
        expect(page.locator("#target .word").first).to_be_visible()
        expect(page.locator("#error")).to_be_hidden()

    def test_a_busy_server_is_asked_again(self):
        tries = []

        def refuse_once(route):
            tries.append(route.request.url)
            if len(tries) > 1:
                return route.continue_()
            return route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="application/problem+json",
                                 body='{"type":"about:blank","title":"","status":503,"detail":"busy"}')
        page = self.open(expected=["503"])
        page.route("**/v1/translate/stream", refuse_once)
        self.choose(page)
        page.fill("#source", TEXT)
        expect(page.locator("#error")).to_have_text(re.compile("again in 1 second"))
        expect(page.locator("#target .word").first).to_be_visible()
        expect(page.locator("#error")).to_be_hidden()

    def test_limits_are_said(self):
        with Server(["en-fr"], "--characters", 30, "--rate", 8) as s:
            page = self.open(s, expected=["429"])
            page.fill("#source", "the " * 10)
            expect(page.locator("#error")).to_have_text("The text is too long: 40 characters, and this server takes 30.")
            expect(page.locator("#count-note")).to_have_class("is-over")
            expect(page.locator("#source")).to_have_attribute("aria-invalid", "true")
            for _ in range(12):
                s.translate("an ant")
            page.fill("#source", "the ant")
            expect(page.locator("#error")).to_have_text(re.compile("more than this server answers in a minute"))

    def test_a_key_is_asked_for_and_forgotten_with_the_tab(self):
        with server.folder() as folder:
            database = os.path.join(folder, "verso.db")
            key = subprocess.run([os.path.join(server.BUILD, "verso"), "keys", "add", "--database", database,
                                  "--name", "anna", "--scopes", "translate,read"],
                                 check=True, capture_output=True).stdout.decode().strip()
            with Server(["en-fr"], "--database", database, "--keys", "required") as s:
                page = self.open(s, expected=["401"])
                expect(page.locator("#key-dialog")).to_be_visible()
                page.fill("#key", key)
                page.keyboard.press("Enter")
                page.fill("#source", TEXT)
                expect(page.locator("#target .word").first).to_be_visible()
                expect(page.locator("#open-history")).to_be_visible()
                kept = page.context.storage_state()
                self.assertNotIn(key, json.dumps(kept))         # neither cookies nor localStorage
                page.click("#open-key")
                page.click("text=Forget it")
                page.fill("#source", "the ant")
                expect(page.locator("#error")).to_have_text(re.compile("asks for a key"))

    # ---- how it looks ----

    def width(self, page):
        return page.evaluate("document.documentElement.scrollWidth")

    def test_it_fits_a_narrow_screen(self):
        page = self.open(viewport=NARROW, bypass_csp=True)
        self.write(page, " ".join([TEXT] * 12))
        page.click("#open-history")
        for picture in ("ribbons", "matrix"):
            page.click("#show-" + picture)
            expect(page.locator("#" + picture + " .word").first).to_be_visible()
            self.assertLessEqual(self.width(page), NARROW["width"])

    def test_a_word_of_any_length_makes_nothing_wider(self):
        page = self.open(viewport=NARROW)
        source, target = "a " + "x" * 300, "y" * 400 + " b"
        self.answer(page, source, target, [sentence(source, target, (0, 0), ("z" * 500,))],
                    [{"kind": "uncovered", "source": [2, 302]}])
        page.click("#open-history")
        for picture in ("ribbons", "matrix"):
            page.click("#show-" + picture)
            for word in page.locator("#" + picture + " .word").all():
                self.assertLess(word.bounding_box()["width"], NARROW["width"] / 2)
            self.assertLessEqual(self.width(page), NARROW["width"])

    def test_markup_that_is_written_is_text(self):
        page = self.open()
        text = "<img src=/x onerror=alert(1)> & <b>it</b>"
        self.answer(page, text, text, [sentence(text, text, (0, 0), ("<script>alert(2)</script>",))])
        expect(page.locator("#target")).to_have_text(text)
        for picture in ("ribbons", "matrix"):
            page.click("#show-" + picture)
            expect(page.locator("#" + picture + " .word").first).to_have_text("<img")
        expect(page.locator("main").locator("img, b, script")).to_have_count(0)

    def test_dark_is_the_systems_or_ones_own_choice(self):
        def ground(page):
            return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        light = ground(self.open(bypass_csp=True))
        page = self.open(bypass_csp=True, color_scheme="dark")
        self.assertNotEqual(ground(page), light)
        page.click("#theme")
        self.assertEqual(ground(page), light)
        page.reload()
        self.assertEqual(ground(page), light)

    def answer(self, page, source, target, sentences, warnings=()):
        """What is written, translated by a service that says so."""
        translation = {"id": None, "origin": "model", "text": target, "score": -0.1, "index": 0,
                       "sentences": sentences, "warnings": warnings}
        body = events(("translation", translation), ("done", {"model": "en-fr"}))
        page.route("**/v1/translate/stream",
                   lambda route: route.fulfill(content_type="text/event-stream", body=body))
        self.write(page, source)

    def arabic(self, page):
        """A server that translates into Arabic."""
        text, answer = "a cat", "\u0642\u0637\u0629 \u0643\u0628\u064a\u0631\u0629"
        self.answer(page, text, answer, [sentence(text, answer, (0, 0), confidence=0.4)], [
            {"kind": "uncovered", "source": [0, 1]}, {"kind": "repetition", "target": [0, 6]},
            {"kind": "split"}, {"kind": "truncated"}, {"kind": "not_stored"}])

    def test_right_to_left_runs_from_right_to_left_and_warnings_are_words(self):
        page = self.open(bypass_csp=True)
        self.arabic(page)
        for place in ("#target", ".line-target"):
            self.assertEqual(page.evaluate("getComputedStyle(document.querySelector('%s')).direction" % place), "rtl")
        boxes = [page.locator(".line-target .word").nth(i).bounding_box()["x"] for i in range(2)]
        self.assertGreater(boxes[0], boxes[1])
        page.locator("#target .word").first.focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#target .word").nth(1)).to_be_focused()
        warnings = page.locator("#warnings li")
        expect(warnings).to_have_text([re.compile(w) for w in (
            "“a” seems to be left out", "“\u0642\u0637\u0629” says again", "split", "length limit", "could not be stored")])
        expect(page.locator("#mirror .left-out")).to_have_text("a")

    # ---- for everybody ----

    def assert_accessible(self, page, state):
        found = Axe().run(page)
        self.assertEqual(found.violations_count, 0, "%s: %s" % (state, found.generate_report()))

    def test_axe_finds_nothing(self):
        page = self.open(bypass_csp=True)
        self.assert_accessible(page, "empty")
        self.arabic(page)
        self.assert_accessible(page, "right to left, with warnings")
        page.keyboard.press("Alt+k")
        self.assert_accessible(page, "shortcuts")
        page.keyboard.press("Escape")
        page.fill("#source", "a" * 60000)
        expect(page.locator("#error")).to_be_visible()
        self.assert_accessible(page, "an error")

    def test_axe_finds_nothing_on_a_translation(self):
        for viewport, scheme in ((WIDE, "light"), (NARROW, "dark")):
            page = self.open(viewport=viewport, color_scheme=scheme, bypass_csp=True)
            self.keep(page, "the ant.\n\nin it!")
            page.click("#open-history")
            expect(page.locator("#history-list li").first).to_be_visible()
            page.locator("#target .word").first.hover()
            self.assert_accessible(page, "ribbons and history, " + scheme)
            page.click("#show-matrix")
            page.locator("#matrix .word").first.hover()
            self.assert_accessible(page, "matrix, " + scheme)

    def test_files_are_served_to_be_kept_and_to_load_nothing_else(self):
        for target in ("/", "/web/page.js", "/web/page.css", "/web/icon.svg"):
            reply = self.server.get(target)
            self.assertEqual(reply.status, 200)
            policy = reply.headers["content-security-policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
            tag = reply.headers["etag"]
            again = self.server.ask(request_bytes("GET", target, headers=('If-None-Match: W/"x", ' + tag,)), to_head=True)
            self.assertEqual((again.status, again.headers["etag"]), (304, tag))
            self.assertNotIn("content-length", again.headers)
            other = self.server.ask(request_bytes("GET", target, headers=('If-None-Match: "x"',)))
            self.assertEqual((other.status, other.body), (200, reply.body))
        self.assertEqual(self.server.get("/web/nothing.js").status, 404)


if __name__ == "__main__":
    server.main()
