"""test_file_python.py - our .safetensors files against Python's safetensors, both ways.

    python3 test_file_python.py BUILD_FOLDER

Python writes tensors, copy_tensors reads them and writes them in another dtype,
Python reads those. VERSO_PYTHON names a Python that has tests/requirements.txt;
without one the test is skipped.
"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77                # exit code that ctest shows as skipped
BUILD = ""

if __name__ == "__main__":
    wanted = os.environ.get("VERSO_PYTHON")
    if wanted and os.path.abspath(sys.executable) != os.path.abspath(wanted):
        os.execv(wanted, [wanted] + sys.argv)
    try:
        import numpy as np
        from safetensors import safe_open
        from safetensors.numpy import load_file, save_file
    except ImportError as missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)

NOTE = 'a "quoted" text,\nwith a tab\t, é, 字 and "digest":"' + "1" * 64 + '"'


def example():
    rng = np.random.default_rng(1)
    wide = rng.standard_normal((31, 17)) * 10.0 ** rng.integers(-9, 4, (31, 1))
    special = np.array([0.0, -0.0, 1e-45, -1e-40, 6e-8, 65504.0, 2.0**-14, -(2.0**-24), 2.0**-25])
    return {"wide": wide.astype(np.float32), "special": special.astype(np.float32),
            "one": np.array([[3.5]], dtype=np.float32)}


def bfloat16(values):
    """To the nearest, ties to even, as float32."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.plain = os.path.join(self.folder.name, "plain.safetensors")
        self.ours = os.path.join(self.folder.name, "ours.safetensors")

    def tearDown(self):
        self.folder.cleanup()

    def copy(self, tensors, dtype):
        save_file(tensors, self.plain, metadata={"note": NOTE})
        subprocess.run([os.path.join(BUILD, "tests", "copy_tensors"), self.plain, self.ours, dtype],
                       check=True)

    def assert_same_bits(self, got, wanted):
        self.assertEqual(got.dtype, wanted.dtype)
        self.assertEqual(got.tobytes(), wanted.tobytes())

    def test_float32_comes_back_to_the_bit(self):
        self.copy(example(), "F32")
        got = load_file(self.ours)
        self.assertEqual(sorted(got), sorted(example()))
        for name, values in example().items():
            self.assert_same_bits(got[name].reshape(values.shape), values)

    def test_float16_is_rounded_as_numpy_rounds(self):
        self.copy(example(), "F16")
        for name, values in load_file(self.ours).items():
            self.assert_same_bits(values.ravel(), example()[name].astype(np.float16).ravel())

    def test_float16_and_int8_of_python_are_read(self):
        every = np.arange(65536, dtype=np.uint16).view(np.float16)
        every = every[np.isfinite(every)]
        self.copy({"every": every}, "F32")
        self.assert_same_bits(load_file(self.ours)["every"], every.astype(np.float32))

        scale = np.array([0.5, 3.0], dtype=np.float32)
        steps = np.arange(-128, 128, dtype=np.int8).reshape(2, 128)
        save_file({"x": steps, "x.scale": scale}, self.plain)
        refused = subprocess.run([os.path.join(BUILD, "tests", "copy_tensors"), self.plain,
                                  self.ours, "F32"], capture_output=True, text=True)
        self.assertIn("x.scale", refused.stderr)         # it would be taken for another tensor's

    def test_bfloat16_is_rounded_to_nearest_even(self):
        values = example()["wide"]
        self.copy({"wide": values}, "BF16")
        with safe_open(self.ours, framework="np") as file:
            self.assertEqual(file.get_slice("wide").get_dtype(), "BF16")
        with open(self.ours, "rb") as file:
            stored = np.frombuffer(file.read()[-2 * values.size:], dtype=np.uint16)
        got = (stored.astype(np.uint32) << 16).view(np.float32)
        self.assert_same_bits(got, bfloat16(values).ravel())

    def test_int8_times_its_scale_is_within_half_a_step(self):
        values = example()["wide"]
        self.copy({"wide": values}, "I8")
        got = load_file(self.ours)
        self.assertEqual(got["wide"].dtype, np.int8)
        self.assertEqual(got["wide.scale"].shape, (len(values),))
        scale = got["wide.scale"][:, None]
        error = np.abs(got["wide"] * scale - values)
        self.assertTrue((error <= scale * 0.50001).all())
        self.assertTrue((np.abs(got["wide"]).max(axis=1) == 127).all())

    def test_integers_come_back_to_the_bit(self):
        integers = np.array([0, -1, 2**31 - 1, -2**31, 7999], dtype=np.int32)
        self.copy({"shortlist.pieces": integers, **example()}, "BF16")
        with safe_open(self.ours, framework="np") as file:
            self.assert_same_bits(file.get_tensor("shortlist.pieces"), integers)

    def test_texts_and_the_digest_are_metadata(self):
        self.copy(example(), "F32")
        with safe_open(self.ours, framework="np") as file:
            metadata = file.metadata()
        self.assertEqual(metadata["note"], NOTE)
        self.assertEqual(metadata["format"], "verso-1")
        with open(self.ours, "rb") as file:
            whole = file.read()
        digest = metadata["digest"].encode()
        self.assertRegex(digest, b"^[0-9a-f]{64}$")
        self.assertEqual(len(re.findall(b'"digest":"' + digest, whole)), 1)
        zeroed = whole.replace(b'"digest":"' + digest, b'"digest":"' + b"0" * 64)
        self.assertEqual(hashlib.sha256(zeroed).hexdigest().encode(), digest)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: test_file_python.py BUILD_FOLDER")
    BUILD = sys.argv.pop()
    unittest.main()
