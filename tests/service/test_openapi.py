"""The description is true: schemathesis asks the server for what it says, and for what it does not."""
import os
import subprocess
import sys
import tempfile
import unittest

import server
from server import Server, request_bytes

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(os.path.dirname(os.environ.get("VERSO_PYTHON", sys.executable)),
                       "schemathesis")
LONG = os.environ.get("VERSO_LONG") == "1"
LIMITS = ("--characters", 2000, "--beam", 4, "--alternatives", 3, "--deadline", 50000)


class Description(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr", "fr-en", "en-de"], *LIMITS)
        cls.document = cls.server.get("/v1/openapi.json").json

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, code

    def schema(self, name):
        return self.document["components"]["schemas"][name]

    def test_it_says_what_this_server_can(self):
        self.assertEqual(self.schema("Language")["enum"], ["de", "en", "fr"])
        self.assertEqual(self.schema("ModelName")["enum"], ["en-de", "en-fr", "fr-en"])
        self.assertEqual(self.schema("Beam")["maximum"], 4)
        self.assertEqual(self.schema("NBest")["maximum"], 4)
        self.assertEqual(self.schema("Text")["maxLength"], 2000)
        self.assertEqual(self.schema("Deadline")["maximum"], 50000)
        self.assertEqual(self.server.get("/spec").body, self.server.get("/v1/openapi.json").body)

    def test_paths_of_v1_declare_their_problems(self):
        for path, item in self.document["paths"].items():
            for operation in item.values():
                self.assertNotIn("x-problems", operation)
                if path.startswith("/v1/"):
                    self.assertLessEqual({"401", "403", "405", "429", "503"},
                                         set(operation["responses"]))

    def test_what_is_refused_before_anybody_is_asked_is_declared(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                for header, status in (("Content-Encoding: gzip", 415), ("Expect: 200-ok", 417),
                                       ("Content-Length: 100000000", 413), ("Content-Length: x", 400),
                                       ("X: " + "a" * 20000, 431)):
                    with self.subTest(path=path, method=method, status=status):
                        reply = self.server.ask(request_bytes(method.upper(), path, headers=[header]))
                        self.assertEqual(reply.status, status)
                        responses = operation["responses"]
                        declared = responses.get(str(status)) or responses["default"]
                        self.assertEqual(list(declared["content"]), [reply.headers["content-type"]])

    def test_every_path_is_there(self):
        for path, item in self.document["paths"].items():
            for method in item:
                target = path.replace("{name}", "none").replace("{", "").replace("}", "")
                reply = self.server.ask(request_bytes(method.upper(), target))
                self.assertNotIn("there is nothing at this path", reply.body.decode("utf-8", "replace"))
                self.assertNotEqual(reply.status, 405, path)

    def run_schemathesis(self, *words):
        with tempfile.TemporaryDirectory(prefix="verso-test-") as folder:
            return subprocess.run(
                [PROGRAM, "--config-file", os.path.join(HERE, "schemathesis.toml"), "run",
                 "http://127.0.0.1:%d/v1/openapi.json" % self.server.port, "--no-color", *words],
                cwd=folder, capture_output=True, text=True, check=False)

    @unittest.skipUnless(os.path.exists(PROGRAM), "there is no schemathesis")
    def test_v1_does_what_it_says(self):
        phases = ("--phases", "coverage,fuzzing,stateful", "--max-time", "300") if LONG else (
            "--phases", "coverage,fuzzing", "--max-examples", "8")
        done = self.run_schemathesis("--include-path-regex", "^/v1/", "--exclude-path",
                                     "/v1/translate/stream", "--continue-on-failure", *phases)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr)

    @unittest.skipUnless(os.path.exists(PROGRAM), "there is no schemathesis")
    def test_libretranslates_part_never_breaks(self):
        done = self.run_schemathesis(
            "--exclude-path-regex", "^/v1/", "--phases", "coverage,fuzzing" if LONG else "fuzzing",
            "--max-examples", "50" if LONG else "5", "--checks",
            "not_a_server_error,status_code_conformance,response_schema_conformance")
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr)


if __name__ == "__main__":
    server.main()
