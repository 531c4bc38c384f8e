"""What is stored of translations when the server is killed, the disk is full or the file is locked."""
import ctypes
import functools
import os
import random
import re
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

import server
from server import PATIENCE_S, Server, request_bytes

IS_LONG = "VERSO_LONG" in os.environ
KILLS = 200 if IS_LONG else 10
LOCK_S = 10 if IS_LONG else 1.5
CLIENTS = 4
DISK = "size=6m"            # of the file system that becomes full
IMAGE_BYTES = 24 << 20      # of the file system that becomes read-only
CLONE_NEWNS = 0x20000       # sched.h
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def number_of(text):
    """The id in the database."""
    number = 0
    for letter in text.split("-")[1]:
        number = number * 32 + LETTERS.index(letter)
    return number


def translate(connection, text="the ant in it", **more):
    connection.send(request_bytes(target="/v1/translate",
                                  body={"text": text, "source": "en", "target": "fr", **more}))
    return connection.reply()


def id_of(reply):
    """None where it was not stored; then the reply says so."""
    assert reply.status == 200, reply
    translation = reply.json["translations"][0]
    kinds = [w["kind"] for w in translation["warnings"]]
    assert (translation["id"] is None) == ("not_stored" in kinds), translation
    return translation["id"]


def ran(*words):
    """Whether a program could do it."""
    try:
        return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


@functools.lru_cache(None)
def has_mounts_of_its_own():
    """What is mounted from here on is seen by this process and those it starts, and goes with them."""
    return ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0 and ran("mount", "--make-rprivate", "/")


class Stored:
    """The database file, looked at by another process than the server."""

    def __init__(self, path):
        self.path = path

    def ask(self, sql, *values):
        db = sqlite3.connect(self.path)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def ids(self):
        return {row[0] for row in self.ask("SELECT id FROM translations")}

    def assert_sound(self, case):
        case.assertEqual(self.ask("PRAGMA integrity_check"), [("ok",)])
        case.assertEqual(self.ask("PRAGMA foreign_key_check"), [])
        case.assertEqual(
            self.ask("SELECT p.id FROM word_pairs p LEFT JOIN (SELECT pair_id, count(*) AS n FROM "
                     "links GROUP BY pair_id) l ON l.pair_id = p.id "
                     "WHERE p.count <> coalesce(l.n, 0)"), [])


class Load:
    """Clients that ask without a pause and remember what they were told."""

    def __init__(self, s):
        self.told, self.durable = [], []        # numbers of ids
        self.threads = [threading.Thread(target=self.run, args=(s, i)) for i in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def run(self, s, i):
        try:
            with s.connect() as c:
                while True:
                    is_durable = i == 0
                    reply = translate(c, "the ant %d" % i, durable=is_durable)
                    if reply.status != 200:
                        return
                    number = number_of(reply.json["translations"][0]["id"])
                    (self.durable if is_durable else self.told).append(number)
        except (OSError, EOFError, TypeError):
            pass

    def join(self):
        for t in self.threads:
            t.join()


class Journal(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="verso-test-")
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "verso.db")
        self.stored = Stored(self.path)

    def start(self, *words, path=None):
        return Server(["en-fr"], "--database", path or self.path, "--beam", 1, *words)

    def kill(self, s):
        s.process.kill()
        s.wait()
        s.folder.cleanup()

    def test_killed_at_any_moment_it_loses_only_the_last(self):
        stored = told = 0
        for i in range(KILLS):
            s = self.start()
            load = Load(s)
            time.sleep(random.uniform(0.01, 0.5))
            if i == KILLS - 1:
                s.wait_until(lambda: load.told and load.durable, "answers")
            self.kill(s)
            load.join()
            there = self.stored.ids()
            self.stored.assert_sound(self)
            self.assertLessEqual(set(load.durable), there, "kill %d" % i)
            missing = set(load.told) - there
            if missing and there:
                self.assertGreater(min(missing), max(there), "kill %d" % i)
            stored, told = len(there), told + len(load.told) + len(load.durable)
        self.assertGreater(stored, 0)
        self.assertGreater(told, 0)

    def test_sigterm_stores_all_that_was_told(self):
        with self.start() as s:
            with s.connect() as c:
                told = {number_of(id_of(translate(c))) for _ in range(50)}
            self.assertEqual(s.stop(), 0)
        self.assertEqual(told, self.stored.ids())

    def wait_until(self, c, is_stored):
        end = time.monotonic() + PATIENCE_S
        while (id_of(translate(c)) is not None) != is_stored:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def assert_goes_on_without(self, s, c):
        """It translates, says that it cannot store, and refuses what must be stored."""
        self.assertTrue(translate(c).json["translations"][0]["text"])
        self.assertEqual(translate(c, durable=True).status, 503)
        self.assertEqual(s.get("/health").status, 200)
        self.assertFalse(s.get("/health/ready").json["storing"])
        metrics = s.get("/metrics").body.decode()
        not_stored = re.search(r"^verso_journal_not_stored_total (\d+)$", metrics, re.MULTILINE)
        self.assertGreater(int(not_stored[1]), 0)

    def test_a_locked_file_holds_up_nobody(self):
        with self.start() as s, s.connect() as c:
            self.assertIsNotNone(id_of(translate(c, durable=True)))
            other = sqlite3.connect(self.path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            end = time.monotonic() + LOCK_S
            self.wait_until(c, False)
            self.assert_goes_on_without(s, c)
            while time.monotonic() < end:
                self.assertIsNone(id_of(translate(c)))
                time.sleep(0.05)
            other.execute("COMMIT")
            other.close()
            self.wait_until(c, True)
            last = number_of(id_of(translate(c, durable=True)))
            self.assertIn(last, self.stored.ids())
        self.stored.assert_sound(self)

    def mount(self, *words):
        """A folder on a file system of its own; skipped where none can be mounted."""
        disk = os.path.join(self.folder.name, "disk")
        os.makedirs(disk, exist_ok=True)
        if not has_mounts_of_its_own() or not ran("mount", *words, disk):
            self.skipTest("no file system can be mounted here")
        self.addCleanup(ran, "umount", "-l", disk)
        return disk

    def on_small_disk(self):
        return self.mount("-t", "tmpfs", "-o", DISK, "verso-test")

    def test_a_full_disk_stops_the_storing_until_there_is_room(self):
        disk = self.on_small_disk()
        path, filler = os.path.join(disk, "verso.db"), os.path.join(disk, "filler")
        stored = Stored(path)
        with self.start(path=path) as s, s.connect() as c:
            self.assertIsNotNone(id_of(translate(c, durable=True)))
            with open(filler, "wb", 0) as f:
                try:
                    while True:
                        f.write(b"x" * 65536)
                except OSError:
                    pass
            self.wait_until(c, False)
            self.assert_goes_on_without(s, c)
            before = stored.ids()
            os.unlink(filler)
            self.wait_until(c, True)
            last = number_of(id_of(translate(c, durable=True)))
            after = stored.ids()
            self.assertIn(last, after)
            self.assertLess(before, after)
        stored.assert_sound(self)

    def test_a_read_only_file_system_is_refused_with_advice(self):
        disk = self.on_small_disk()
        path = os.path.join(disk, "verso.db")
        with self.start(path=path) as s, s.connect() as c:
            self.assertIsNotNone(id_of(translate(c)))
        self.assertTrue(ran("mount", "-o", "remount,ro", disk))
        with self.assertRaisesRegex(RuntimeError, "check that .* you may write there"):
            self.start(path=path)

    def break_disk(self, disk):
        """What ext4 does by itself when its disk fails: it is read-only under those who write."""
        device = os.path.basename(subprocess.run(["findmnt", "-n", "-o", "SOURCE", disk], check=True,
                                                 capture_output=True, text=True).stdout.strip())
        try:
            with open("/sys/fs/ext4/%s/trigger_fs_error" % device, "w") as trigger:
                trigger.write("verso-test")
        except OSError:
            self.skipTest("no file system can be made to fail here")
        with self.assertRaises(OSError):
            open(os.path.join(disk, "another"), "wb")

    def test_a_file_system_that_turns_read_only_holds_up_nobody(self):
        image = os.path.join(self.folder.name, "image")
        with open(image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        if not ran("mkfs.ext4", "-q", image):
            self.skipTest("there is no mkfs.ext4")
        words = ("-o", "loop,errors=remount-ro", image)
        disk = self.mount(*words)
        path = os.path.join(disk, "verso.db")
        stored = Stored(path)
        with self.start(path=path) as s, s.connect() as c:
            kept = {number_of(id_of(translate(c, durable=True))) for _ in range(20)}
            self.assertTrue(ran("sync", "-f", disk))    # from here on each page that is changed asks it
            self.break_disk(disk)
            self.wait_until(c, False)
            self.assert_goes_on_without(s, c)
            self.assertEqual(s.get("/v1/translations?limit=1").status, 200)
        self.assertTrue(ran("umount", disk))
        ran("e2fsck", "-p", image)              # says by its status that it had something to mend
        self.mount(*words)
        stored.assert_sound(self)
        self.assertLessEqual(kept, stored.ids())
        with self.start(path=path) as s, s.connect() as c:
            self.assertIn(number_of(id_of(translate(c, durable=True))), stored.ids())
        stored.assert_sound(self)

    def test_switched_off_it_stores_nothing(self):
        with self.start("--journal", "off") as s, s.connect() as c:
            self.assertIsNone(translate(c).json["translations"][0]["id"])
            self.assertEqual(translate(c, durable=True).status, 503)
        self.assertEqual(self.stored.ids(), set())

    def test_a_request_that_says_so_is_not_stored(self):
        with self.start() as s, s.connect() as c:
            self.assertIsNone(translate(c, store=False).json["translations"][0]["id"])
            kept = number_of(id_of(translate(c)))
        self.assertEqual(self.stored.ids(), {kept})

    def test_without_text_there_is_none_in_the_file(self):
        with self.start("--journal", "without-text") as s, s.connect() as c:
            self.assertIsNotNone(id_of(translate(c, "unforgettable")))
        with open(self.path, "rb") as f:
            self.assertNotIn(b"unforgettable", f.read())
        self.assertEqual(len(self.stored.ids()), 1)

    def test_ids_begin_with_the_name_of_the_replica(self):
        with self.start("--replica", "b7") as s, s.connect() as c:
            self.assertTrue(id_of(translate(c)).startswith("b7-"))


if __name__ == "__main__":
    server.main()
