"""What is in deploy/ fits the program: units, proxy, manifests, dashboard."""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import unittest
import urllib.request

import server
from server import Server

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy")


def read(*path):
    with open(os.path.join(DEPLOY, *path), encoding="utf-8") as file:
        return file.read()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def run(*words, **kind):
    return subprocess.run(words, capture_output=True, text=True, **kind)


def settings_of(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class Systemd(unittest.TestCase):
    def test_units_are_valid_and_leave_no_right_behind(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        with server.folder() as folder:
            for unit in ("verso.socket", "verso.service"):
                text = read("systemd", unit).replace("/usr/bin/verso", "/bin/true")
                text = text.replace("Documentation=man:verso(1)\n", "")     # not installed here
                with open(os.path.join(folder, unit), "w") as file:
                    file.write(text)
            units = [os.path.join(folder, unit) for unit in ("verso.socket", "verso.service")]
            done = run("systemd-analyze", "verify", *units)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", units[1])
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)

    def test_its_command_and_settings_are_ones_the_program_has(self):
        command = re.search(r"^ExecStart=/usr/bin/verso (.*)$", read("systemd", "verso.service"),
                            re.MULTILINE).group(1)
        text = run(os.path.join(server.BUILD, "verso"), "serve", "--help").stdout
        for name in re.findall(r"--[a-z-]+", command):
            self.assertIn(name + " ", text)
        # what is there for people to take the mark away from must be right too
        lines = re.sub(r"(?m)^# (?=[a-z-]+ = )", "", read("systemd", "verso.conf"))
        self.assertGreater(len(settings_of(lines)), 5)
        with server.folder() as folder:
            path = os.path.join(folder, "verso.conf")
            with open(path, "w") as file:
                file.write(lines)
            with Server(["en-fr"], "--config", path) as s:
                self.assertEqual(s.translate("12").text, "12")


class Kubernetes(unittest.TestCase):
    def manifests(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("there is no PyYAML")
        return {m["kind"] + "/" + m["metadata"]["name"]: m
                for m in yaml.safe_load_all(read("kubernetes", "verso.yaml"))}

    def test_its_settings_and_probes_are_ones_the_program_has(self):
        manifests = self.manifests()
        settings = manifests["ConfigMap/verso"]["data"]["verso.conf"]
        pod = manifests["StatefulSet/verso"]["spec"]["template"]["spec"]
        container, = pod["containers"]
        with server.folder() as folder:
            path = os.path.join(folder, "verso.conf")
            with open(path, "w") as file:
                file.write(settings)
            with Server(["en-fr"], "--config", path, "--replica", "r0", "--host", "127.0.0.1") as s:
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    self.assertEqual(s.get(container[probe]["httpGet"]["path"]).status, 200, probe)
        drain_s = int(re.search(r"drain-time = (\d+)", settings).group(1)) / 1000
        pause_s = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
        self.assertGreater(pod["terminationGracePeriodSeconds"], drain_s + pause_s + 2)

    def test_volumes_services_and_labels_fit_together(self):
        manifests = self.manifests()
        state = manifests["StatefulSet/verso"]["spec"]
        pod = state["template"]["spec"]
        container, = pod["containers"]
        volumes = {v["name"] for v in pod["volumes"]}
        volumes |= {v["metadata"]["name"] for v in state["volumeClaimTemplates"]}
        self.assertEqual({m["name"] for m in container["volumeMounts"]}, volumes)
        self.assertIn("Service/" + state["serviceName"], manifests)
        labels = state["template"]["metadata"]["labels"]
        for manifest in manifests.values():
            selector = manifest.get("spec", {}).get("selector", labels)
            self.assertEqual(selector.get("matchLabels", selector), labels)


class Grafana(unittest.TestCase):
    def test_every_name_it_asks_for_is_one_that_the_server_has(self):
        dashboard = json.loads(read("grafana", "verso.json"))
        asked = set()
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                asked |= set(re.findall(r"\b(?:verso|process)_[a-z_]+", target["expr"]))
        with Server(["en-fr"]) as s:
            s.translate("the ant")
            text = s.get("/metrics").body.decode()
        names = {}
        for name, kind in re.findall(r"# TYPE (\S+) (\S+)", text):
            names[name] = kind
            if kind == "histogram":
                names.update({name + end: kind for end in ("_bucket", "_sum", "_count")})
        self.assertGreater(len(asked), 15)
        self.assertEqual(sorted(asked - set(names)), [])
        self.assertEqual(len({p["id"] for p in dashboard["panels"]}), len(dashboard["panels"]))


class Proxy:
    """haproxy with deploy's settings, but for the addresses, in front of two servers."""

    def __init__(self, folder, first, second):
        certificate = os.path.join(folder, "certificate.pem")
        key = os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", certificate, "-days", "2", "-subj", "/CN=localhost"], check=True,
                       capture_output=True)
        with open(certificate, "a") as out, open(key) as file:
            out.write(file.read())
        self.port = free_port()
        text = read("haproxy", "haproxy.cfg").replace("/etc/haproxy/certs", certificate)
        text = text.replace("maxconn 20000", "maxconn 200")         # fewer file descriptors
        text = text.replace("bind :443", "bind 127.0.0.1:%d" % self.port)
        text = text.replace("10.0.0.11:5000", "127.0.0.1:%d" % first)
        text = text.replace("10.0.0.12:5000", "127.0.0.1:%d" % second)
        self.path = os.path.join(folder, "haproxy.cfg")
        with open(self.path, "w") as file:
            file.write(text)
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def __enter__(self):
        self.process = subprocess.Popen(["haproxy", "-db", "-f", self.path],
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + server.PATIENCE_S
        while self.get("/health/live")[0] != 200:
            if time.monotonic() > end or self.process.poll() is not None:
                self.__exit__()
                raise RuntimeError("haproxy does not answer")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(server.PATIENCE_S)

    def get(self, target, body=None):
        """(status, body); status 0: no connection."""
        request = urllib.request.Request("https://127.0.0.1:%d%s" % (self.port, target), body,
                                         {"Content-Type": "application/json", "Host": "localhost"})
        try:
            with urllib.request.urlopen(request, context=self.context,
                                        timeout=server.PATIENCE_S) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()
        except OSError:
            return 0, b""


@unittest.skipUnless(shutil.which("haproxy"), "there is no haproxy")
class Haproxy(unittest.TestCase):
    def test_an_id_goes_to_the_replica_that_has_it(self):
        ask = json.dumps({"text": "the ant", "source": "en", "target": "fr"}).encode()
        with server.folder() as folder, Server(["en-fr"], "--replica", "a1") as first, \
                Server(["en-fr"], "--replica", "a2") as second:
            proxy = Proxy(folder, first.port, second.port)
            done = run("haproxy", "-c", "-f", proxy.path)
            self.assertEqual(done.returncode, 0, done.stderr)
            with proxy:
                tags = set()
                for _ in range(8):
                    status, body = proxy.get("/v1/translate", ask)
                    self.assertEqual(status, 200, body)
                    stored = json.loads(body)["translations"][0].get("id")
                    if stored:
                        tags.add(stored.split("-")[0])
                self.assertTrue(tags <= {"a1", "a2"}, tags)

                def asked_of(s):
                    return len([e for e in s.events("request")
                                if e["path"] not in ("/health/ready", "/v1/translate")])
                for s, other, tag in ((first, second, "a1"), (second, first, "a2")):
                    before = asked_of(s), asked_of(other)
                    for _ in range(3):
                        proxy.get("/v1/translations/%s-0000000000000" % tag)
                    s.wait_until(lambda: asked_of(s) >= before[0] + 3, "requests of " + tag)
                    self.assertEqual((asked_of(s), asked_of(other)), (before[0] + 3, before[1]))
                self.assertEqual(proxy.get("/metrics")[0], 404)     # what is for operators

    def test_each_client_behind_it_has_its_own_rate(self):
        ask = json.dumps({"q": "the ant", "source": "en", "target": "fr"})
        with server.folder() as folder, \
                Server(["en-fr"], "--rate", 2, "--trusted-proxy", "127.0.0.1") as s, \
                Proxy(folder, s.port, s.port) as proxy:
            def status(source, **headers):
                connection = http.client.HTTPSConnection(
                    "127.0.0.1", proxy.port, timeout=server.PATIENCE_S, context=proxy.context,
                    source_address=(source, 0))
                connection.request("POST", "/translate", ask, {
                    "Content-Type": "application/json", "Host": "localhost", **headers})
                reply = connection.getresponse()
                reply.read()
                connection.close()
                return reply.status
            self.assertEqual([status("127.0.0.2") for _ in range(3)], [200, 200, 429])
            self.assertEqual(status("127.0.0.2", **{"X-Forwarded-For": "192.0.2.1"}), 429)
            self.assertEqual(status("127.0.0.3"), 200)

    def test_a_replica_that_stops_gets_no_more_and_nobody_notices(self):
        ask = json.dumps({"q": "the ant", "source": "en", "target": "fr"}).encode()
        with server.folder() as folder, Server(["en-fr"]) as first, Server(["en-fr"]) as second, \
                Proxy(folder, first.port, second.port) as proxy:
            for i in range(30):
                if i == 5:
                    first.terminate()
                self.assertEqual(proxy.get("/translate", ask)[0], 200)
            first.wait()
            self.assertGreater(len([e for e in second.events("request")
                                    if e["path"] == "/translate"]), 10)


if __name__ == "__main__":
    server.main()
