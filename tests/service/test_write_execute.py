"""The service works where no memory may be written and executed: its kernels generate no code."""
import os
import subprocess
import sys
import tempfile
import unittest

import server
from server import Server

LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "forbid_write_execute.py")
UNKNOWN = 77

# Maps a page to write and to execute, as a code generator would.
GENERATOR = ("import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | "
             "mmap.PROT_EXEC)")


def launcher(how):
    return [sys.executable, LAUNCHER, how]


def is_known(how):
    done = subprocess.run([*launcher(how), "/bin/true"], check=False)
    return done.returncode != UNKNOWN


class WriteExecute(unittest.TestCase):
    def methods(self):
        known = [how for how in ("mdwe", "seccomp") if is_known(how)]
        self.assertTrue(known, "this machine can forbid it in neither way")
        return known

    def test_a_code_generator_is_stopped(self):
        for how in self.methods():
            done = subprocess.run([*launcher(how), sys.executable, "-c", GENERATOR], check=False,
                                  capture_output=True)
            self.assertNotEqual(done.returncode, 0, how)

    def test_every_precision_translates(self):
        with Server(["en-fr"]) as plain:
            wanted = plain.translate("the thin ant in it").json
        for how in self.methods():
            for precision in ("f32", "bf16", "int8"):
                with Server(["en-fr"], "--precision", precision, launcher=launcher(how)) as s:
                    reply = s.translate("the thin ant in it")
                    self.assertEqual(reply.status, 200, reply)
                    if precision == "f32":
                        self.assertEqual(reply.json, wanted)

    def test_a_picture_is_drawn(self):
        program = [os.path.join(server.BUILD, "verso"), "translate"]
        with tempfile.TemporaryDirectory() as folder:
            for how in self.methods():
                picture = os.path.join(folder, how + ".png")
                subprocess.run([*launcher(how), *program, "--model", server.MODELS["en-fr"],
                                "--draw", picture], input=b"the thin ant in it\n", check=True,
                               capture_output=True)
                with open(picture, "rb") as file:
                    self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n", how)


if __name__ == "__main__":
    server.main()
