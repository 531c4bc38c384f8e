"""What is stored of real translations, asked in SQL and by the commands, while the service goes on."""
import itertools
import json
import os
import re
import sqlite3
import subprocess
import threading
import unittest

import server
from server import Server, request_bytes

TEXT = "the thin reindeer.\n\nan ant in it"
HOSTILE = "the \x1b]0;mine\x07 ant\x7f \u009b2J <b>&\""     # what a terminal or a page would obey


class Database(unittest.TestCase):
    def setUp(self):
        self.folder = server.folder()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "verso.db")

    def start(self, *words):
        return Server(["en-fr", "fr-en"], "--database", self.path, "--beam", 2, *words)

    def store(self, s, text=TEXT, headers=(), **more):
        body = {"text": text, "source": "en", "target": "fr", "durable": True, **more}
        reply = s.ask(request_bytes(target="/v1/translate", body=body, headers=headers))
        self.assertEqual(reply.status, 200, reply)
        return reply.json["translations"][0]

    def sql(self, query, *values, path=None):
        db = sqlite3.connect(path or self.path)
        try:
            return db.execute(query, values).fetchall()
        finally:
            db.close()

    def verso(self, *words, code=0):
        done = subprocess.run([os.path.join(server.BUILD, "verso"), *words, "--database", self.path],
                              capture_output=True, timeout=server.PATIENCE_S)
        self.assertEqual(done.returncode, code, done.stderr)
        return (done.stderr if code else done.stdout).decode("utf-8")

    # ---- the views ----

    def test_a_view_has_a_row_for_each_link_that_was_answered(self):
        with self.start() as s:
            said = self.store(s)
            linked, left_out = [], []
            for number, sentence in enumerate(said["sentences"]):
                words = [t["text"] for t in sentence["source_tokens"]]
                for t, token in enumerate(sentence["tokens"]):
                    linked += [(number, source, t, words[source], token["text"]) for source in token["links"]]
            for warning in said["warnings"]:
                if warning["kind"] == "uncovered":
                    start, end = warning["source"]
                    left_out.append(TEXT.encode()[start:end].decode())
            self.assertEqual(self.sql("SELECT sentence, source_number, target_number, source_word, target_word "
                                      "FROM aligned_words ORDER BY sentence, target_number, source_number"), linked)
            self.assertEqual([w for w, in self.sql("SELECT source_word FROM uncovered_words "
                                                   "ORDER BY sentence, source_number")], left_out)
            self.assertTrue(linked)
            for weight, source, target in self.sql("SELECT weight, source_language, target_language FROM aligned_words"):
                self.assertTrue(0 <= weight <= 1)
                self.assertEqual((source, target), ("en", "fr"))
            counted = {}
            for link in linked:
                counted[link[3:]] = counted.get(link[3:], 0) + 1
            self.assertEqual({row[:2]: row[2] for row in
                              self.sql("SELECT source_word, target_word, count FROM lexicon")}, counted)

    def lexicon(self):
        return self.sql("SELECT source_word, target_word, count FROM lexicon ORDER BY 1, 2")

    def assert_sound(self):
        self.assertEqual(self.verso("db", "check"), "ok\n")

    def test_the_lexicon_counts_down_with_what_goes(self):
        with self.start() as s:
            self.store(s)
            one = self.lexicon()
            second, third = (self.store(s)["id"] for _ in range(2))
            self.assertEqual(self.lexicon(), [(a, b, 3 * count) for a, b, count in one])
            self.assertEqual(self.verso("db", "delete", second), "1 translations deleted\n")
            self.assertEqual(s.ask(request_bytes("DELETE", "/v1/translations/" + third)).status, 204)
            self.assertEqual(self.lexicon(), one)
            self.assert_sound()
            self.assertEqual(self.verso("db", "prune", "--keep-bytes", "1"), "1 translations deleted\n")
            self.assertEqual(self.lexicon(), [])
            self.assertEqual(self.sql("SELECT count(*) FROM word_pairs")[0][0], 0)
            self.assert_sound()
            self.store(s)
            self.assertEqual(self.lexicon(), one)

    def test_all_rows_of_a_key_go_at_once(self):
        key = self.verso("keys", "add", "--name", "anna", "--scopes", "translate").strip()
        with self.start() as s:
            kept = self.store(s)["id"]
            for _ in range(3):
                self.store(s, headers=("Authorization: Bearer " + key,))
            self.assertEqual(self.verso("db", "delete", "--key", "anna"), "3 translations deleted\n")
            self.assertEqual([line.split("\t")[0] for line in self.verso("history").splitlines()], [kept])
            self.assert_sound()

    def test_without_text_there_are_no_pieces_words_or_links(self):
        with self.start("--journal", "without-text") as s:
            said = self.store(s)
            one = s.get("/v1/translations/" + said["id"])
            self.assertEqual(one.status, 200, one)
            self.assertIsNone(one.json["source_text"])
        self.assertEqual(self.sql("SELECT source_text, target_text, model_source, model_target FROM translations"),
                         [(None,) * 4])
        self.assertEqual(self.sql("SELECT count(*) FROM hypotheses WHERE source IS NOT NULL OR target IS NOT NULL"),
                         [(0,)])
        for table in ("word_pairs", "links", "aligned_words", "uncovered_words", "lexicon"):
            self.assertEqual(self.sql("SELECT count(*) FROM " + table), [(0,)], table)
        self.assertIn("keeps no text", self.verso("show", said["id"]))

    # ---- the commands ----

    def test_commands_say_what_the_service_says(self):
        with self.start() as s:
            said = self.store(s, n_best=2)
            self.store(s, "an ant")
            rows = [line.split("\t") for line in self.verso("history", "--query", "reindeer").splitlines()]
            self.assertEqual([(r[0], r[2], r[3]) for r in rows], [(said["id"], "en-fr", TEXT.replace("\n", " "))])
            shown = json.loads(self.verso("show", "--json", said["id"]))
            self.assertEqual((shown["source_text"], shown["target_text"]), (TEXT, said["text"]))
            self.assertEqual(len(shown["answer"]["sentences"][0]["n_best"]), 1)
            matrix = self.verso("show", said["id"])
            for sentence in said["sentences"]:
                self.assertIn(sentence["tokens"][0]["text"][:8], matrix)
            listed = s.get("/v1/links?source=ant&limit=1000").json["links"]
            self.assertTrue(listed)
            lines = [line.split("\t") for line in self.verso("links", "ant", "--limit", "1000").splitlines()]
            self.assertEqual([(int(l[0]), l[1], l[2]) for l in lines],
                             [(l["count"], l["source"], l["target"]) for l in listed])
            back = self.verso("links", "--reverse", lines[0][2], "--limit", "1000")
            self.assertIn("\t".join(lines[0][:3]), back)
        self.assertIn("no id", self.verso("show", "nonsense", code=2))

    def test_a_backup_is_taken_while_it_serves(self):
        copy = os.path.join(self.folder.name, "copy.db")
        with self.start() as s:
            first, stop = self.store(s)["id"], threading.Event()

            def load():
                with s.connect() as c:
                    for i in itertools.count():
                        c.send(request_bytes(target="/v1/translate",
                                             body={"text": "the ant %d" % i, "source": "en", "target": "fr"}))
                        assert c.reply().status == 200
                        if stop.is_set():
                            return
            client = threading.Thread(target=load)
            client.start()
            try:
                s.wait_until(lambda: self.sql("SELECT count(*) FROM translations")[0][0] > 20, "load in the file")
                self.verso("db", "backup", copy)
                self.assertIn("already", self.verso("db", "backup", copy, code=2))
            finally:
                stop.set()
                client.join()
            self.assertEqual(self.sql("PRAGMA integrity_check", path=copy), [("ok",)])
            there = [i for i, in self.sql("SELECT id FROM translations ORDER BY id", path=copy)]
            now = [i for i, in self.sql("SELECT id FROM translations ORDER BY id")]
            self.assertEqual(there, now[:len(there)])       # of one moment: no gaps
            self.assertGreater(len(there), 20)
            self.assertEqual(self.sql("SELECT sum(count) FROM word_pairs", path=copy),
                             self.sql("SELECT count(*) FROM links", path=copy))
        with Server(["en-fr"], "--database", copy) as s:
            self.assertEqual(s.get("/v1/translations/" + first).status, 200)

    def test_what_users_write_does_nothing_on_a_terminal(self):
        with self.start() as s:
            said = self.store(s, HOSTILE)
            body = {"q": "the ant", "s": HOSTILE, "source": "en", "target": "fr"}
            self.assertEqual(s.ask(request_bytes(target="/suggest", body=body)).status, 200)
        out = [self.verso("show", said["id"]), self.verso("history"), self.verso("suggestions", "list")]
        out += [self.verso("links", word) for word, in self.sql("SELECT DISTINCT source_word FROM lexicon")]
        for text in out:
            self.assertIsNone(re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), repr(text))
        self.assertIn("\u241b]0;mine\u2407 ant\u2421 \ufffd2J <b>&\"", out[1])
        self.assertIn("\\x1b]0;mine\\x07 ant\\x7f \\u009b2J <b>&\"", out[2])


if __name__ == "__main__":
    server.main()
