"""libverso-client as its users have it: installed, by pkg-config, from C and C++; and its manual."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import server

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADER = os.path.join(ROOT, "server/client/verso_client.h")
EXAMPLE = os.path.join(ROOT, "server/client/example.c")
MANUAL = os.path.join(ROOT, "deploy/man/verso_client.3")
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")

# The installed libraries are checked with those of the build: not with a sanitizer's in them.
NEEDED = ("libverso-client.a", "libverso-client.so", "tests/client_example")


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def functions():
    """The names of all functions in the header."""
    with open(HEADER) as file:
        text = re.sub(r"/\*.*?\*/|//[^\n]*|^#[^\n]*", "", file.read(), flags=re.DOTALL | re.MULTILINE)
    return set(re.findall(r"VERSO_(?:API|CALL) [^;(]*?(\w+)\(", text))


class Header(unittest.TestCase):
    def compiles(self, compiler, language, standard):
        if not shutil.which(compiler):
            self.skipTest("there is no " + compiler)
        run(compiler, "-x", language, "-std=" + standard, *WARNINGS, "-fsyntax-only", HEADER)

    def test_it_compiles_alone_as_c(self):
        self.compiles("cc", "c", "c11")

    def test_it_compiles_alone_as_cpp(self):
        self.compiles("g++", "c++", "c++11")

    def test_it_compiles_alone_as_cpp_with_clang(self):
        self.compiles("clang++", "c++", "c++11")


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="verso-test-")
        run("cmake", "--install", server.BUILD, "--component", "client", "--prefix", cls.folder.name)
        cls.environment = {**os.environ, "PKG_CONFIG_PATH": cls.path("lib/pkgconfig"),
                           "LD_LIBRARY_PATH": cls.path("lib")}
        cls.server = server.Server()

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls.folder.cleanup()
        assert code == 0, code

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def flags(self, *words):
        return run("pkg-config", *words, "verso-client", env=self.environment).split()

    def assert_translates(self, program):
        said = run(program, "127.0.0.1", str(self.server.port), "en", "fr", "the thin ant",
                   env=self.environment)
        expected = self.server.translate("the thin ant").text
        self.assertEqual(said.splitlines()[0], expected)
        self.assertGreater(len(said.splitlines()), 1)

    def test_the_example_of_the_build_translates(self):
        self.assert_translates(os.path.join(server.BUILD, "tests/client_example"))

    def test_the_example_says_why_it_cannot(self):
        done = subprocess.run([os.path.join(server.BUILD, "tests/client_example"), "127.0.0.1",
                               str(self.server.port), "en", "zz", "a"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn('refused: target is "zz"', done.stderr)

    def build(self, *words):
        if server.is_sanitized():
            self.skipTest("the libraries need the sanitizer that they were built with")
        program = self.path("example")
        run("cc", "-std=c11", *WARNINGS, EXAMPLE, "-o", program, *words)
        return program

    def test_the_example_is_built_with_the_shared_library(self):
        program = self.build(*self.flags("--cflags", "--libs"))
        self.assertIn("libverso-client.so.0", run("readelf", "-d", program))
        self.assert_translates(program)

    def test_the_example_is_built_with_the_static_library(self):
        flags = [self.path("lib/libverso-client.a") if f == "-lverso-client" else f
                 for f in self.flags("--static", "--cflags", "--libs")]
        program = self.build(*flags)
        self.assertNotIn("libverso-client", run("readelf", "-d", program))
        self.assert_translates(program)

    def test_the_shared_library_exports_what_is_in_the_header_and_no_more(self):
        symbols = run("nm", "-D", "--defined-only", self.path("lib/libverso-client.so"))
        exported = {line.split()[-1] for line in symbols.splitlines()}
        if server.is_sanitized():
            exported = {name for name in exported if name.startswith("verso_")}
        self.assertGreater(len(exported), 10)
        self.assertEqual(exported, functions())

    def test_the_manual_is_installed_and_has_every_function_and_status(self):
        with open(self.path("share/man/man3/verso_client.3")) as file:
            text = file.read()
        with open(HEADER) as file:
            statuses = set(re.findall(r"^    (VERSO_\w+)[,;]? *(?://.*)?$", file.read().split("enum verso_status {")[1]
                                      .split("}")[0], flags=re.MULTILINE))
        self.assertGreater(len(statuses), 10)
        for name in functions() | statuses:
            self.assertIn(name, text)

    def test_the_manual_is_sound(self):
        if not shutil.which("groff"):
            self.skipTest("there is no groff")
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", MANUAL], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    if len(sys.argv) > 1 and not all(os.path.exists(os.path.join(sys.argv[1], name)) for name in NEEDED):
        print("skipped: the client library is not built")
        sys.exit(server.SKIPPED)
    server.main()
