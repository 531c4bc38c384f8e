"""test_access.py - who may do what: keys, scopes, names of the host, pages of others, rates."""
import json
import os
import subprocess
import time
import unittest

import server
from server import PATIENCE_S, Server, request_bytes

GOOD = {"q": "the ant", "source": "en", "target": "fr"}
STORED = "/v1/suggestions"          # needs the scope admin, and what is asked of all stored text


def verso(served, *words, code=0):
    """A command on the database of a server that runs; what it printed."""
    done = subprocess.run([os.path.join(server.BUILD, "verso"), *words, "--database",
                           os.path.join(served.folder.name, "verso.db")],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)
    assert done.returncode == code, done
    return done.stdout.decode()


def add_key(served, name, scopes="translate", *words):
    return verso(served, "keys", "add", "--name", name, "--scopes", scopes, *words).strip()


def bearer(key):
    return ["Authorization: Bearer " + key]


def becomes(is_so):
    """Whether it becomes so: two seconds are promised, and a busy machine takes its time."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return False


class Base(unittest.TestCase):
    def assert_error(self, reply, status, text):
        self.assertEqual((reply.status, reply.json), (status, {"error": text}))

    def assert_problem(self, reply, status, text=""):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers["content-type"], "application/problem+json")
        self.assertEqual(reply.json["status"], status)
        self.assertIn(text, reply.json["detail"])


class Required(Base):
    """verso serve --keys required"""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr", "fr-en"], "--keys", "required")
        cls.addClassCleanup(cls.server.stop)
        cls.key = add_key(cls.server, "anna")
        cls.reader = add_key(cls.server, "bert", "read")
        cls.admin = add_key(cls.server, "carl", "admin")
        assert becomes(
            lambda: cls.server.ask(request_bytes("GET", STORED, headers=bearer(cls.admin))).status
            == 200)

    def post(self, body, target="/translate", headers=(), **kind):
        return self.server.ask(request_bytes("POST", target, body, headers=headers, **kind))

    def test_without_a_key_libretranslates_texts(self):
        text = "Please contact the server operator to get an API key"
        self.assert_error(self.post(GOOD), 400, text)
        self.assert_error(self.post({**GOOD, "api_key": ""}), 400, text)
        self.assert_error(self.post({"q": "a"}, "/detect"), 400, text)
        self.assert_error(self.post({**GOOD, "s": "b"}, "/suggest"), 400, text)

    def test_a_key_that_is_not_known_has_libretranslates_text(self):
        for key in ("nonsense", self.key[:-1] + "!", "verso_1_", self.key + "x"):
            self.assert_error(self.post({**GOOD, "api_key": key}), 403, "Invalid API key")
            self.assert_error(self.post(GOOD, headers=bearer(key)), 403, "Invalid API key")

    def test_a_key_may_come_in_json_form_query_multipart_or_header(self):
        self.assertEqual(self.post({**GOOD, "api_key": self.key}).status, 200)
        self.assertEqual(self.post(GOOD, headers=bearer(self.key)).status, 200)
        self.assertEqual(self.post(GOOD, headers=["authorization: bearer  " + self.key]).status, 200)
        form = "q=a&source=en&target=fr&api_key=" + self.key
        self.assertEqual(self.post(form.encode(), content_type="application/x-www-form-urlencoded")
                         .status, 200)
        self.assertEqual(self.post(b"", "/translate?" + form).status, 200)
        multipart = "".join('--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % field
                            for field in ({**GOOD, "api_key": self.key}).items()) + "--b--\r\n"
        self.assertEqual(self.post(multipart.encode(),
                                   content_type="multipart/form-data; boundary=b").status, 200)

    def test_v1_wants_it_in_the_header(self):
        body = {"text": "the ant", "source": "en", "target": "fr"}
        reply = self.post(body, "/v1/translate")
        self.assert_problem(reply, 401, "Authorization: Bearer")
        self.assertEqual(reply.headers["www-authenticate"], "Bearer")
        self.assert_problem(self.post(body, "/v1/translate", bearer("nonsense")), 401, "not known")
        self.assertEqual(self.post(body, "/v1/translate", bearer(self.key)).status, 200)

    def test_v1_without_the_scope_is_403(self):
        body = {"text": "the ant", "source": "en", "target": "fr"}
        self.assert_problem(self.post(body, "/v1/translate", bearer(self.reader)), 403, "translate")
        ask = request_bytes("GET", STORED, headers=bearer(self.key))
        self.assert_problem(self.server.ask(ask), 403, "admin")
        self.assert_problem(self.server.get(STORED), 401, "admin")

    def test_each_scope_opens_its_paths_and_no_others(self):
        nothing = "/v1/translations/a1-0000000000001"
        paths = {"translate": [("POST", "/v1/translate"), ("POST", "/v1/translate/stream"),
                               ("POST", "/v1/align"), ("POST", "/v1/detect")],
                 "read": [("GET", "/v1/translations"), ("GET", nothing), ("GET", "/v1/links"),
                          ("GET", nothing + "/alignment.svg")],
                 "admin": [("DELETE", nothing), ("POST", "/v1/models/none/reload"),
                           ("GET", "/v1/suggestions"), ("POST", "/v1/suggestions/9999/accept"),
                           ("POST", "/v1/suggestions/9999/reject"), ("GET", "/metrics")]}
        keys = {"translate": (self.key, ["translate"]), "read": (self.reader, ["read"]),
                "admin": (self.admin, ["read", "admin"])}
        for scope, routes in paths.items():
            for method, path in routes:
                with self.subTest(method=method, path=path):
                    self.assertEqual(self.server.ask(request_bytes(method, path)).status, 401)
                    for key, opens in keys.values():
                        reply = self.server.ask(request_bytes(method, path, headers=bearer(key)))
                        self.assertEqual(reply.status == 403, scope not in opens, reply)
                        self.assertNotEqual(reply.status, 401)

    def test_libretranslates_paths_without_the_scope(self):
        self.assert_error(self.post({**GOOD, "api_key": self.reader}), 403,
                          "Invalid API key: it is not for translation")

    def test_what_tells_nothing_needs_no_key(self):
        for target in ("/health", "/languages", "/frontend/settings"):
            self.assertEqual(self.server.get(target).status, 200)
        settings = self.server.get("/frontend/settings").json
        self.assertEqual((settings["keyRequired"], settings["apiKeys"]), (True, True))

    def test_wrong_methods_and_paths_need_no_key(self):
        self.assertEqual(self.server.get("/translate").status, 405)
        self.assertEqual(self.server.get("/nothing").status, 404)
        self.assertEqual(self.server.ask(request_bytes("OPTIONS", "/translate")).status, 204)

    def test_other_schemes_are_no_keys(self):
        reply = self.post({**GOOD, "api_key": self.key}, headers=["Authorization: Basic YTpi"])
        self.assertEqual(reply.status, 200)

    def test_lines_say_it_first(self):
        with self.server.connect() as c:
            c.send(b"#!pair en-fr\nthe ant\n#!key nonsense\nthe ant\n#!key %s\nthe ant\n"
                   % self.key.encode())
            self.assertEqual(c.line(), "#!error DENIED This server wants a key first: #!key KEY")
            self.assertEqual(c.line(), "#!error DENIED Invalid API key")
            self.assertEqual(c.line(), "#!error DENIED Invalid API key")
            self.assertEqual(c.line(), self.post({**GOOD, "api_key": self.key}).text)
            c.send(b'{"text":"the ant"}\n#!key %s\nthe ant\n' % self.reader.encode())
            self.assertIn("translations", json.loads(c.line()))
            self.assertEqual(c.line(), "#!error DENIED Invalid API key: it is not for translation")

    def test_a_revoked_key_stops_working(self):
        key = add_key(self.server, "dora")
        self.assertTrue(becomes(
            lambda: self.post({**GOOD, "api_key": key}).status == 200))
        verso(self.server, "keys", "revoke", "dora")
        self.assertTrue(becomes(
            lambda: self.post({**GOOD, "api_key": key}).status == 403))
        listed = [line.split("\t") for line in verso(self.server, "keys", "list").splitlines()]
        row = next(r for r in listed if r[1] == "dora")
        self.assertRegex(row[5], r"^20\d\d-")
        self.assertNotIn(key, str(listed))

    def test_the_log_has_no_keys(self):
        self.post({**GOOD, "api_key": self.key})
        self.post(GOOD, headers=bearer(self.key))
        self.server.wait_for("keys_read")
        self.assertNotIn(self.key[10:], json.dumps(self.server.log))


class Optional(Base):
    """As it is by default, on loopback."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr"])
        cls.addClassCleanup(cls.server.stop)

    def ask(self, method, target, *headers):
        data = request_bytes(method, target, headers=[h for h in headers])
        return self.server.ask(data)

    def ask_as(self, host, *headers):
        lines = ["GET %s HTTP/1.1" % STORED, "Host: " + host, *headers, "", ""]
        return self.server.ask("\r\n".join(lines).encode())

    def test_whoever_is_on_this_machine_needs_no_key(self):
        self.assertEqual(self.server.post(GOOD).status, 200)
        self.assertEqual(self.server.get(STORED).status, 200)
        settings = self.server.get("/frontend/settings").json
        self.assertEqual((settings["keyRequired"], settings["apiKeys"]), (False, False))

    def test_a_key_without_meaning_is_ignored_on_libretranslates_paths(self):
        self.assertEqual(self.server.post({**GOOD, "api_key": "x"}).status, 200)
        with self.server.connect() as c:
            c.send(b"#!key x\n")
            self.assertEqual(c.line(), "#!error DENIED Invalid API key")

    def test_host_must_be_loopback(self):
        for host in ("localhost", "localhost:5000", "127.0.0.1:1", "[::1]:5000", "LOCALHOST."):
            self.assertEqual(self.ask_as(host).status, 200, host)
        for host in ("evil.example", "localhost.evil.example", "192.0.2.7", ""):
            self.assert_problem(self.ask_as(host), 403, "--allowed-host")

    def test_the_host_of_an_absolute_target_counts(self):
        def ask(target, host):
            return self.server.ask(("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, host)).encode())
        self.assertEqual(ask("http://evil.example" + STORED, "localhost").status, 403)
        self.assertEqual(ask("http://localhost" + STORED, "evil.example").status, 200)

    def test_translating_is_for_every_host(self):
        data = request_bytes(body=GOOD).replace(b"Host: localhost", b"Host: evil.example")
        self.assertEqual(self.server.ask(data).status, 200)

    def test_what_was_stored_is_for_pages_of_this_server_only(self):
        self.assertEqual(self.ask_as("localhost:5000", "Origin: http://localhost:5000").status, 200)
        for origin in ("http://evil.example", "null", "http://localhost:5001"):
            self.assert_problem(self.ask_as("localhost:5000", "Origin: " + origin), 403, "pages")
        reply = self.ask("POST", STORED + "/1/accept", "Origin: http://evil.example")
        self.assert_problem(reply, 403, "pages")

    def test_only_these_paths_may_be_read_by_pages_of_others(self):
        open_to_all = [("POST", "/translate"), ("POST", "/detect"), ("GET", "/languages"),
                       ("POST", "/suggest"), ("GET", "/health"), ("GET", "/frontend/settings"),
                       ("GET", "/spec"), ("POST", "/v1/translate"),
                       ("POST", "/v1/translate/stream"), ("POST", "/v1/align"),
                       ("POST", "/v1/detect")]
        for method, path in open_to_all:
            for ask in (method, "OPTIONS"):
                reply = self.ask(ask, path)
                self.assertEqual(reply.headers.get("access-control-allow-origin"), "*", path)
        for method, path in (("GET", STORED), ("POST", STORED + "/1/accept"),
                             ("POST", STORED + "/1/reject"), ("GET", "/nothing"), ("GET", "/"),
                             ("GET", "/v1/translations"), ("GET", "/v1/links?source=a"),
                             ("GET", "/v1/translations/a1-0000000000001/alignment.json"),
                             ("DELETE", "/v1/translations/a1-0000000000001"),
                             ("GET", "/v1/models"), ("POST", "/v1/models/none/reload"),
                             ("GET", "/v1/openapi.json"), ("GET", "/metrics")):
            for ask in (method, "OPTIONS"):
                self.assertNotIn("access-control-allow-origin", self.ask(ask, path).headers, path)
        preflight = self.ask("OPTIONS", "/v1/translate")
        self.assertEqual(preflight.headers["access-control-allow-origin"], "*")
        self.assertIn("Authorization", preflight.headers["access-control-allow-headers"])


class BeyondLoopback(Base):
    """Bound to all networks, or known by another name."""

    def test_history_is_off_without_keys(self):
        with Server(["en-fr"], "--host", "0.0.0.0") as served:
            self.assertEqual(served.post(GOOD).status, 200)
            self.assert_problem(served.get(STORED), 401)
            key = add_key(served, "anna", "admin")
            ask = request_bytes("GET", STORED, headers=bearer(key))
            self.assertTrue(becomes(lambda: served.ask(ask).status == 200))

    def test_any_address_is_a_host_but_no_other_name(self):
        with Server(["en-fr"], "--host", "0.0.0.0", "--allowed-host", "verso.example") as served:
            key = add_key(served, "anna", "admin")

            def status(host):
                lines = ["GET %s HTTP/1.1" % STORED, "Host: " + host, *bearer(key), "", ""]
                return served.ask("\r\n".join(lines).encode()).status
            self.assertTrue(becomes(lambda: status("localhost") == 200))
            self.assertEqual(status("192.0.2.7:5000"), 200)
            self.assertEqual(status("verso.example"), 200)
            self.assertEqual(status("other.example"), 403)


class Rates(Base):
    def test_an_address_slows_down(self):
        with Server(["en-fr"], "--rate", 1) as served:
            self.assertEqual(served.post(GOOD).status, 200)
            reply = served.post(GOOD)
            self.assert_error(reply, 429, "Slowdown: 1 per 1 minute")
            self.assertTrue(1 <= int(reply.headers["retry-after"]) <= 60)
            self.assertEqual(served.get("/health").status, 200)
            with served.connect() as c:
                c.send(b"the ant\n")
                self.assertEqual(c.line(), "#!error BUSY Slowdown: 1 per 1 minute")

    def test_a_key_has_its_own_rate(self):
        with Server(["en-fr"], "--rate", 2) as served:
            key = add_key(served, "anna", "translate", "--rate", "5")
            other = add_key(served, "bert")
            served.wait_until(lambda: any(e["keys"] == 2 for e in served.events("keys_read")),
                              "second key")
            wrong = {**GOOD, "api_key": "x"}
            self.assert_error(served.post(wrong), 403, "Invalid API key")

            def assert_rate(rate, headers):
                """So many are served before one is refused, and those whose time came meanwhile."""
                started, served_count = time.monotonic(), 0
                ask = request_bytes("POST", "/translate", GOOD, headers=headers)
                while (reply := served.ask(ask)).status == 200:
                    served_count += 1
                meanwhile = int((time.monotonic() - started) * rate / 60)
                self.assertTrue(rate <= served_count <= rate + meanwhile, served_count)
                self.assert_error(reply, 429, "Slowdown: %d per 1 minute" % rate)
            assert_rate(5, bearer(key))
            assert_rate(2, bearer(other))
            assert_rate(2, [])

    def test_no_rate_by_default(self):
        with Server(["en-fr"]) as served:
            with served.connect() as c:
                c.send(b"12\n" * 500)
                self.assertEqual([c.line() for _ in range(500)], ["12"] * 500)


class Proxies(Base):
    """--trusted-proxy: its X-Forwarded-For is read, nobody else's."""

    def statuses(self, served, *forwarded):
        """Of one request for each that was forwarded; None: without the header."""
        return [served.ask(request_bytes(body=GOOD, headers=[] if f is None else
                                         ["X-Forwarded-For: " + f])).status for f in forwarded]

    def test_each_client_of_a_proxy_has_its_own_rate(self):
        with Server(["en-fr"], "--rate", 2, "--trusted-proxy", "127.0.0.1") as served:
            self.assertEqual(self.statuses(served, *["192.0.2.1"] * 3), [200, 200, 429])
            self.assertEqual(self.statuses(served, *["192.0.2.2:4711"] * 3), [200, 200, 429])
            self.assertEqual(self.statuses(served, "2001:db8:1:2::1", "[2001:db8:1:2::2]:80",
                                           "2001:db8:1:2::3", "2001:db8:1:3::1"),
                             [200, 200, 429, 200])

    def test_only_the_last_entry_counts_for_a_client_may_write_the_others(self):
        with Server(["en-fr"], "--rate", 2, "--trusted-proxy", "127.0.0.1") as served:
            self.assertEqual(self.statuses(served, "192.0.2.8, 192.0.2.1", "192.0.2.9,192.0.2.1 ",
                                           "192.0.2.10 , 192.0.2.1", "192.0.2.1, 192.0.2.10"),
                             [200, 200, 429, 200])
            twice = request_bytes(body=GOOD, headers=["X-Forwarded-For: 192.0.2.11",
                                                      "X-Forwarded-For: 192.0.2.1"])
            self.assertEqual(served.ask(twice).status, 429)

    def test_what_is_no_address_or_missing_is_the_proxy_itself(self):
        with Server(["en-fr"], "--rate", 2, "--trusted-proxy", "127.0.0.1") as served:
            self.assertEqual(self.statuses(served, None, "unknown", "", "192.0.2.1, x", None),
                             [200, 200, 429, 429, 429])
            with served.connect() as c:
                c.send(b"the ant\n")
                self.assertEqual(c.line(), "#!error BUSY Slowdown: 2 per 1 minute")

    def test_the_header_of_anybody_else_is_not_read(self):
        for words in ((), ("--trusted-proxy", "192.0.2.77", "--trusted-proxy", "2001:db8::1")):
            with Server(["en-fr"], "--rate", 2, *words) as served:
                self.assertEqual(self.statuses(served, "192.0.2.1", "192.0.2.2", "192.0.2.3"),
                                 [200, 200, 429])

    def test_behind_a_proxy_nobody_counts_as_being_on_this_machine(self):
        with Server(["en-fr"], "--trusted-proxy", "127.0.0.1") as served:
            def status(*headers, method="GET", target=STORED):
                return served.ask(request_bytes(method, target, headers=headers)).status
            for forwarded in ([], ["X-Forwarded-For: 127.0.0.1"], ["X-Forwarded-For: 192.0.2.1"]):
                self.assertEqual(status(*forwarded), 401)
                self.assertEqual(status(*forwarded, target="/v1/translations"), 401)
                self.assertEqual(status(*forwarded, target="/metrics"), 401)
                self.assertEqual(status(*forwarded, method="DELETE",
                                        target="/v1/translations/a1-01HF7YAT00W3S"), 401)
                self.assertEqual(status(*forwarded, method="POST",
                                        target="/v1/models/en-fr/reload"), 401)
            self.assertEqual(served.post(GOOD).status, 200)
            key = add_key(served, "anna", "admin")
            served.wait_for("keys_read")
            self.assertEqual(status(*bearer(key)), 200)

    def test_suggestions_of_a_proxys_clients_are_counted_for_each(self):
        with Server(["en-fr"], "--trusted-proxy", "127.0.0.1") as served:
            def suggest(i, client):
                body = {"q": "text %d" % i, "s": "texte", "source": "en", "target": "fr"}
                return served.ask(request_bytes("POST", "/suggest", body, headers=[
                    "X-Forwarded-For: " + client])).status
            self.assertEqual({suggest(i, "192.0.2.1") for i in range(100)}, {200})
            self.assertEqual(suggest(100, "192.0.2.1"), 503)
            self.assertEqual(suggest(100, "192.0.2.2"), 200)

    def test_an_address_that_is_none_is_refused_at_start(self):
        for address in ("proxy.example", "10.0.0.0/8", ""):
            with self.assertRaisesRegex(RuntimeError, "is no address of a proxy"):
                Server(["en-fr"], "--trusted-proxy", address)


class Commands(Base):
    def test_scopes_and_names_are_checked(self):
        with Server(["en-fr"]) as served:
            add_key(served, "anna", "translate,read,admin", "--rate", "10")
            verso(served, "keys", "add", "--name", "anna", code=3)
            verso(served, "keys", "add", code=2)
            verso(served, "keys", "add", "--name", "b", "--scopes", "write", code=2)
            verso(served, "keys", "add", "--name", "b", "--scopes", "", code=2)
            verso(served, "keys", "revoke", "nobody", code=5)
            verso(served, "keys", "lend", code=2)
            lines = verso(served, "keys", "list").splitlines()
            self.assertEqual(len(lines), 2)
            self.assertEqual(lines[1].split("\t")[:4], ["1", "anna", "translate,read,admin", "10"])


if __name__ == "__main__":
    server.main()
