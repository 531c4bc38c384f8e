#!/usr/bin/env python3
"""Training by several processes that a real mpirun starts: on this machine, and in two network
namespaces with addresses of their own.

    python3 test_mpi.py BUILD_FOLDER [TEST...]

"skipped" where the build has no MPI, or there is no mpirun. What is sent stays on the loopback
interface, or between the two namespaces.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77                # exit code that ctest shows as skipped
PATIENCE_S = 120            # before a test gives up on a program
LOSS_TOLERANCE = 1e-4       # between sums in another order
PAIRS, BATCH = 400, 16
UPDATES_AN_EPOCH = 25

BUILD = ""

TINY = ("--source", "en", "--target", "fr", "--vocab-size", 300, "--embedding", 16, "--hidden", 24,
        "--attention-width", 16, "--batch-sentences", BATCH, "--bleu-sentences", 0, "--warmup", 10,
        "--rate", 0.01, "--patience", 0)


def main():
    global BUILD
    if len(sys.argv) < 2:
        sys.exit("usage: %s BUILD_FOLDER [TEST...]" % sys.argv[0])
    BUILD = os.path.abspath(sys.argv.pop(1))
    for program in (os.path.join(BUILD, "tests/mpi_rank"), shutil.which("mpirun") or "mpirun"):
        if not os.path.exists(program):
            print("skipped: there is no", program)
            sys.exit(SKIPPED)
    unittest.main(verbosity=2)


def write_pairs(path, count, seed):
    """The target is the source backwards, word by word: small models learn it."""
    rng = random.Random(seed)
    source = "ba ko li mu ne po ra si tu ve".split()
    target = "la no mi xu ze qo ya wi gu he".split()
    with open(path, "w") as file:
        for _ in range(count):
            words = [rng.randrange(10) for _ in range(rng.randrange(2, 9))]
            print(" ".join(source[w] for w in words),
                  " ".join(target[w] for w in reversed(words)), sep="\t", file=file)


def mpi_environment(folder, **settings):
    """Of mpirun and its ranks; settings are Open MPI's own."""
    settings = {"oob_tcp_if_include": "lo", "btl_tcp_if_include": "lo",
                "rmaps_base_oversubscribe": "1", "hwloc_base_binding_policy": "none",
                "odls_base_sigkill_timeout": "2", **settings}
    return {**os.environ, **{"OMPI_MCA_" + name: value for name, value in settings.items()},
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "TMPDIR": folder, "ASAN_OPTIONS": "detect_leaks=0"}


class Run:
    """A program under way, and what it said and left."""

    def __init__(self, command, folder, environment=None):
        self.errors = tempfile.TemporaryFile("w+", dir=folder)
        self.out = tempfile.TemporaryFile("w+", dir=folder)
        self.process = subprocess.Popen([str(word) for word in command], cwd=folder,
                                        env=environment or os.environ, stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.errors)

    def wait(self):
        """(exit code, what it said)"""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        said = []
        for file in (self.out, self.errors):
            file.seek(0)
            said.append(file.read())
            file.close()
        return code, "".join(said)


class Training(Run):
    """verso-train in a folder: alone, or by so many ranks. `around` mpirun and around each rank
    are words of other programs."""

    def __init__(self, folder, name, *options, ranks=0, around=(), each=(), environment=None,
                 **settings):
        self.path = os.path.join(folder, name)
        words = ["mpirun", "-n", ranks, *each] if ranks else []
        super().__init__([*around, *words, os.path.join(BUILD, "verso-train"), "train", *TINY,
                          "--train", "train.tsv", "--valid", "valid.tsv", "--out", self.path,
                          "--log", self.path + ".jsonl", *options], folder,
                         environment or mpi_environment(folder, **settings))

    def log(self):
        """Its lines; the last may still be half a line."""
        if not os.path.exists(self.path + ".jsonl"):
            return []
        with open(self.path + ".jsonl") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def losses(self):
        """((update, loss), ...) and ((update, validation loss), ...)"""
        log = self.log()
        return ([(line["update"], line["loss"]) for line in log if "loss" in line],
                [(line["update"], line["validation_loss"]) for line in log
                 if "validation_loss" in line])

    def tensors(self):
        """The model's tensors as bytes, without what is said of them."""
        with open(self.path, "rb") as file:
            data = file.read()
        return data[8 + int.from_bytes(data[:8], "little"):]

    def wait_for_update(self, update):
        deadline = time.monotonic() + PATIENCE_S
        while not any(line["update"] >= update for line in self.log()):
            if self.process.poll() is not None:
                raise AssertionError("it ended: %s" % self.wait()[1])
            if time.monotonic() > deadline:
                raise AssertionError("there was no update %d" % update)
            time.sleep(0.02)

    def pid_of_rank(self, rank):
        """Of the process that has this rank and writes this model."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    words = file.read().split(b"\0")
                with open("/proc/%s/environ" % pid, "rb") as file:
                    environment = file.read().split(b"\0")
            except OSError:
                continue
            if (os.path.basename(words[0]) == b"verso-train" and self.path.encode() in words and
                    b"OMPI_COMM_WORLD_RANK=%d" % rank in environment):
                return int(pid)
        raise AssertionError("no process has rank %d" % rank)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="verso-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        write_pairs(os.path.join(self.folder, "train.tsv"), PAIRS, 1)
        write_pairs(os.path.join(self.folder, "valid.tsv"), 40, 2)

    def start(self, name, *options, **more):
        training = Training(self.folder, name, *options, **more)
        self.addCleanup(lambda: training.process.poll() is None and training.process.kill())
        return training

    def train(self, name, *options, **more):
        """A training that comes to its end."""
        training = self.start(name, *options, **more)
        code, said = training.wait()
        self.assertEqual(code, 0, said)
        return training

    def assert_same_curve(self, one, other, tolerance):
        for a, b in zip(one.losses(), other.losses()):
            self.assertEqual([update for update, _ in a], [update for update, _ in b])
            for (update, x), (_, y) in zip(a, b):
                self.assertAlmostEqual(x, y, delta=tolerance, msg="update %d" % update)


class Ranks(Case):
    """tests/service/mpi_rank.c: what the trainer stands on."""

    def ranks(self, count, what, **settings):
        run = Run(["mpirun", "-n", count, os.path.join(BUILD, "tests/mpi_rank"), what],
                  self.folder, mpi_environment(self.folder, **settings))
        return run.wait()

    def test_sums_have_the_bits_of_a_loop_over_the_ranks(self):
        for count, transport in ((2, "vader,self"), (2, "tcp,self"), (3, "tcp,self"),
                                 (4, "vader,self")):
            with self.subTest(ranks=count, transport=transport):
                code, said = self.ranks(count, "sum", btl=transport)
                self.assertEqual(code, 0, said)
                self.assertEqual(said.count(": OK: "), count, said)

    def test_a_rank_that_says_nothing_is_given_up_by_name(self):
        code, said = self.ranks(2, "silent")
        self.assertNotEqual(code, 0)
        self.assertIn("0: CANCELLED: rank 1 was silent for 0.5 s", said)

    def test_a_stop_ends_a_wait(self):
        code, said = self.ranks(2, "stop")
        self.assertNotEqual(code, 0)
        self.assertIn("0: CANCELLED: training was stopped", said)

    def test_ranks_that_differ_say_in_what(self):
        code, said = self.ranks(3, "differ")
        self.assertNotEqual(code, 0)
        self.assertIn("0: BAD_INPUT: rank 2 differs from rank 0 in the seed", said)


class SameTraining(Case):
    OPTIONS = ("--threads", 1, "--epochs", 3, "--validate-every", 10)

    def test_two_and_four_ranks_learn_as_one_process_does(self):
        alone = self.train("alone", *self.OPTIONS, "--dropout", 0)
        losses, validations = alone.losses()
        self.assertEqual(len(losses), 3 * UPDATES_AN_EPOCH)
        self.assertLess(validations[-1][1], validations[0][1] - 0.5)
        for ranks in (2, 4):
            with self.subTest(ranks=ranks):
                together = self.train("by%d" % ranks, *self.OPTIONS, "--dropout", 0, ranks=ranks)
                self.assert_same_curve(alone, together, LOSS_TOLERANCE)

    def test_two_ranks_are_two_threads_to_the_bit(self):
        threads = self.train("threads", *self.OPTIONS, "--threads", 2)
        ranks = self.train("ranks", *self.OPTIONS, ranks=2)
        self.assertEqual(threads.losses(), ranks.losses())
        self.assertEqual(threads.tensors(), ranks.tensors())

    def test_two_runs_of_the_same_ranks_have_the_same_bits(self):
        for ranks, transports in ((2, ("vader,self", "tcp,self")), (4, ("tcp,self", "vader,self"))):
            with self.subTest(ranks=ranks):
                one, two = (self.train("%s-%d" % (transport[:3], ranks), *self.OPTIONS, ranks=ranks,
                                       btl=transport) for transport in transports)
                self.assertEqual(one.losses(), two.losses())
                self.assertEqual(one.tensors(), two.tensors())


class Stopped(Case):
    """However ranks end, what is left goes on to the bits of a training that did not stop."""
    OPTIONS = ("--threads", 1, "--validate-every", 100)
    ENDLESS = (*OPTIONS, "--epochs", 100000)

    def assert_goes_on(self, name, updates):
        """From its checkpoint, for an epoch or two more than so many updates are."""
        options = (*self.OPTIONS, "--epochs", updates // UPDATES_AN_EPOCH + 2)
        resumed = self.train(name, *options, "--resume", ranks=2)
        straight = self.train(name + "-straight", *options, ranks=2)
        self.assertGreater(len(resumed.losses()[0]), updates)
        self.assertEqual(resumed.losses(), straight.losses())
        self.assertEqual(resumed.tensors(), straight.tensors())

    def assert_saved_all(self, training):
        """It ended, said so, and its checkpoint has every update of its log; how many."""
        code, said = training.wait()
        updates = training.losses()[0][-1][0]
        self.assertNotEqual(code, 0)
        self.assertIn("stopped after update %d;" % updates, said)
        return updates


class Stops(Stopped):
    def test_a_killed_rank_ends_the_run_and_loses_no_update(self):
        for transport in ("tcp,self", "vader,self"):
            with self.subTest(transport=transport):
                name = transport.split(",")[0]
                training = self.start(name, *self.ENDLESS, ranks=2, btl=transport)
                training.wait_for_update(20)
                os.kill(training.pid_of_rank(1), signal.SIGKILL)
                self.assert_goes_on(name, self.assert_saved_all(training))

    def test_one_process_goes_on_where_ranks_ended(self):
        training = self.start("killed", *self.ENDLESS, ranks=4)
        training.wait_for_update(20)
        os.kill(training.pid_of_rank(3), signal.SIGKILL)
        updates = self.assert_saved_all(training)
        alone = self.train("killed", *self.OPTIONS, "--resume", "--threads", 2, "--epochs",
                           updates // UPDATES_AN_EPOCH + 2)
        self.assertGreater(len(alone.losses()[0]), updates)

    def test_without_rank_0_the_last_checkpoint_is_there(self):
        training = self.start("headless", *self.ENDLESS, "--checkpoint-every", 10, ranks=2)
        training.wait_for_update(25)
        os.kill(training.pid_of_rank(0), signal.SIGKILL)
        code, said = training.wait()
        self.assertNotEqual(code, 0)
        self.assertIn("rank 0", said)
        self.assert_goes_on("headless", training.losses()[0][-1][0])

    def test_sigterm_to_mpirun_stops_and_saves(self):
        training = self.start("term", *self.ENDLESS, ranks=2)
        training.wait_for_update(20)
        training.process.send_signal(signal.SIGTERM)
        self.assert_goes_on("term", self.assert_saved_all(training))

    def test_a_rank_with_other_options_is_refused(self):
        wrapper = os.path.join(self.folder, "rank.sh")
        with open(wrapper, "w") as file:
            file.write('#!/bin/sh\nexec "$@" --threads $((OMPI_COMM_WORLD_RANK + 1))\n')
        os.chmod(wrapper, 0o755)
        code, said = self.start("differ", *self.ENDLESS, ranks=2, each=[wrapper]).wait()
        self.assertNotEqual(code, 0)
        self.assertIn("rank 1 differs from rank 0 in --threads", said)


class Machines(Stopped):
    """Two network namespaces, a cable between them, and mpirun in the first."""
    NETWORK, ADDRESSES = "198.18.73.0/30", ("198.18.73.1", "198.18.73.2")

    def setUp(self):
        super().setUp()
        self.names = ["verso-%d-%s" % (os.getpid(), letter) for letter in "ab"]
        if os.geteuid() != 0 or not shutil.which("ip"):
            self.skipTest("network namespaces need root and iproute2")
        try:
            self.lay_cable()
        except subprocess.CalledProcessError as error:
            self.skipTest("no network namespaces here: %s" % error.stderr.decode().strip())
        self.write_agent()

    def lay_cable(self):
        def ip(*words):
            subprocess.run(["ip", *words], check=True, capture_output=True)

        for name in self.names:
            ip("netns", "add", name)
            self.addCleanup(subprocess.run, ["ip", "netns", "delete", name])
        ip("link", "add", "cable", "netns", self.names[0], "type", "veth", "peer", "name", "cable",
           "netns", self.names[1])
        for name, address in zip(self.names, self.ADDRESSES):
            ip("-n", name, "address", "add", address + "/30", "dev", "cable")
            for device in ("lo", "cable"):
                ip("-n", name, "link", "set", device, "up")

    def inside(self, i):
        """The words that run what follows them on a machine, with a name of its own."""
        return ["ip", "netns", "exec", self.names[i], "unshare", "--uts", "sh", "-c",
                "hostname %s; exec \"$@\"" % self.names[i], "sh"]

    def write_agent(self):
        """In place of ssh: HOST COMMAND..."""
        self.agent = os.path.join(self.folder, "agent")
        with open(self.agent, "w") as file:
            file.write('#!/bin/sh\nshift\nexec ip netns exec {0} unshare --uts '
                       'sh -c "hostname {0}; $*"\n'.format(self.names[1]))
        os.chmod(self.agent, 0o755)
        with open(os.path.join(self.folder, "hosts"), "w") as file:
            for address in self.ADDRESSES:
                print(address, "slots=1", file=file)

    def cable_bytes(self):
        """That came into the second machine."""
        said = subprocess.run(["ip", "-n", self.names[1], "-s", "-j", "link", "show", "cable"],
                              check=True, capture_output=True).stdout
        return json.loads(said)[0]["stats64"]["rx"]["bytes"]

    def machines(self, name, *options):
        environment = mpi_environment(
            self.folder, btl="tcp,self", btl_tcp_if_include=self.NETWORK,
            oob_tcp_if_include=self.NETWORK, plm_rsh_agent=self.agent,
            orte_default_hostfile=os.path.join(self.folder, "hosts"),
            rmaps_base_mapping_policy="ppr:1:node")
        del environment["OMPI_MCA_rmaps_base_oversubscribe"]
        return self.start(name, *options, ranks=2, around=self.inside(0), environment=environment)

    def test_two_machines_train_as_two_ranks_on_one(self):
        before = self.cable_bytes()
        apart = self.machines("apart", *SameTraining.OPTIONS)
        code, said = apart.wait()
        self.assertEqual(code, 0, said)
        together = self.train("together", *SameTraining.OPTIONS, ranks=2)
        self.assertEqual(apart.losses(), together.losses())
        self.assertEqual(apart.tensors(), together.tensors())
        self.assertGreater(self.cable_bytes() - before,
                           len(apart.tensors()) * len(apart.losses()[0]))

    def test_a_rank_killed_on_the_other_machine_loses_no_update(self):
        training = self.machines("killed", *self.ENDLESS)
        training.wait_for_update(20)
        os.kill(training.pid_of_rank(1), signal.SIGKILL)
        self.assert_goes_on("killed", self.assert_saved_all(training))


if __name__ == "__main__":
    main()
