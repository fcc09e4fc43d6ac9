# SPDX-License-Identifier: Apache-2.0
"""Seen from outside: a real Prometheus, the alerts and the dashboard, events, logs and traces. Prometheus,
promtool and a client of the events run beside a lab with two hosts, and a migration must show in each
of them."""
import http.client
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from labtest import KUBECTLS, ROOT, LabTest

DEPLOY = ROOT / "deploy"
NAME = re.compile(r"\b(?:kubevirt|ferry|process)_[a-z0-9_]+\b")
VARIABLES = {"$namespace": ".*", "$vm": ".*", "$job": ".*", "$__rate_interval": "1m"}
# Families that have samples only while a migration runs, or never where all is well.
SELDOM = re.compile(r"kubevirt_vmi_migration_(data|dirty|memory)|ferry_migration_(progress|iteration|"
                    r"remaining|disk)|changes\(process|ferry_evacuation_remaining")
HEX32 = re.compile(r"[0-9a-f]{32}")


def substituted(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def dashboard_expressions():
    """(where, PromQL) of everything the dashboard asks for."""
    board = json.loads((DEPLOY / "grafana/ferry.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
        if panel["type"] != "row":
            assert panel.get("targets"), f"panel {panel['title']} asks for nothing"
    for note in board["annotations"]["list"]:
        yield note["name"], note["expr"]
    for variable in board["templating"]["list"]:
        found = re.fullmatch(r"label_values\((.+), \w+\)", variable.get("definition", ""))
        if found:
            yield variable["name"], found.group(1)


class Stream:
    """Reads /api/v1/events/stream in a thread; `events` are (type, data, id of the stream so far)."""

    def __init__(self, connection, path, last_id=None):
        self.events, self.last_id, self.connection = [], last_id, connection
        headers = {"Last-Event-ID": last_id} if last_id else {}
        connection.request("GET", path, headers=headers)
        self.answer = connection.getresponse()
        self.type = self.answer.getheader("Content-Type")
        self.socket = connection.sock or self.answer.fp.raw._sock  # pylint: disable=protected-access
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        kind = data = None
        try:
            for line in self.answer:
                word, _, value = line.decode().rstrip("\n").partition(": ")
                if word == "event":
                    kind = value
                elif word == "data":
                    data = json.loads(value)
                elif word == "id":
                    self.last_id = value
                elif word == "" and kind:
                    self.events.append((kind, data, self.last_id))
                    kind = data = None
        except (OSError, ValueError, http.client.HTTPException):
            pass  # closed

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.connection.close()

    def of(self, kind, vmi):
        return [d for k, d, _ in self.events if k == kind and d.get("vmi") == vmi]


class Observed(LabTest):
    HOSTS = 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        missing = [p for p in ("prometheus", "promtool", "certtool") if not shutil.which(p)]
        if missing:
            raise RuntimeError(f"not installed: {', '.join(missing)}; run `make deps`")
        cls.dir = Path(tempfile.mkdtemp(prefix="ferry-prometheus-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.port = cls.lab.state()["ferry"]["port"]
        cls.make_certificate()
        cls.start_prometheus()

    @classmethod
    def make_certificate(cls):
        """As the comment of deploy/prometheus/prometheus.yml says."""
        state = cls.lab.dir / "ferryd"
        for name in ("ca.crt", "ca-bundle.crt"):
            shutil.copy(state / name, cls.dir)
        (cls.dir / "template").write_text("cn = prometheus\norganization = ferry:viewers\n"
                                          "tls_www_client\nsigning_key\nexpiration_days = 1\n")
        for argv in (["--generate-privkey", "--outfile", "prometheus.key"],
                     ["--generate-certificate", "--load-privkey", "prometheus.key", "--template",
                      "template", "--load-ca-certificate", "ca.crt", "--load-ca-privkey",
                      str(state / "ca.key"), "--outfile", "prometheus.crt"]):
            subprocess.run(["certtool", *argv], cwd=cls.dir, check=True, capture_output=True)

    @classmethod
    def start_prometheus(cls):
        """The configuration that is shipped, with this lab's port and a quicker pace."""
        config = (DEPLOY / "prometheus/prometheus.yml").read_text()
        config = config.replace("127.0.0.1:6443", f"127.0.0.1:{cls.port}").replace("15s", "1s")
        (cls.dir / "prometheus.yml").write_text(config)
        shutil.copy(DEPLOY / "prometheus/alerts.yml", cls.dir)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            cls.web = f"127.0.0.1:{probe.getsockname()[1]}"
        log = open(cls.dir / "log", "wb")  # pylint: disable=consider-using-with
        cls.addClassCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             f"--web.listen-address={cls.web}", "--log.level=warn"],
            cwd=cls.dir, stdout=log, stderr=subprocess.STDOUT)

        def stop():
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        cls.addClassCleanup(stop)

    # -- asking

    def prometheus(self, path, **query):
        url = f"http://{self.web}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return {"status": "away"}

    def query(self, expression):
        """Label sets and values of an instant query."""
        answer = self.prometheus("query", query=expression)
        if answer["status"] == "away":
            return []
        self.assertEqual(answer["status"], "success", (expression, answer))
        return [(r["metric"], float(r["value"][1])) for r in answer["data"]["result"]]

    def value(self, expression):
        found = self.query(expression)
        return found[0][1] if found else None

    def connect(self, certificate=True):
        context = ssl.create_default_context(cafile=self.dir / "ca.crt")
        if certificate:
            context.load_cert_chain(self.dir / "prometheus.crt", self.dir / "prometheus.key")
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30)

    def scrape(self):
        connection = self.connect()
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        self.assertEqual(answer.status, 200, text)
        return text

    def log_lines(self, name, file):
        path = next(p for p in self.lab.log_files(name) if p.name == file)
        return path.read_text(errors="replace").splitlines()

    # -- tests

    def test_what_is_scraped_is_valid(self):
        checked = self.run_("promtool", "check", "metrics", text=self.scrape(), check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_a_viewer_only_reads(self):
        connection = self.connect()
        connection.request("DELETE", "/api/v1/nodes/h1")
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.status, 403)
        stranger = self.connect(certificate=False)
        stranger.request("GET", "/metrics")
        self.assertEqual(stranger.getresponse().status, 401)
        stranger.close()
        connection.close()

    def test_alerts_as_promtool_sees_them(self):
        rules = DEPLOY / "prometheus"
        self.run_("promtool", "check", "rules", rules / "alerts.yml")
        self.run_("promtool", "test", "rules", rules / "alerts_test.yml")
        alerts = set(re.findall(r"- alert: (\w+)", (rules / "alerts.yml").read_text()))
        tested = (rules / "alerts_test.yml").read_text()
        fires = {m.group(1) for m in re.finditer(r"alertname: (\w+)\n\s+exp_alerts:\n", tested)}
        self.assertEqual(alerts, fires, "each alert has a test in which it fires")
        self.assertGreater(len(alerts), 8)

    def test_every_expression_of_dashboard_and_alerts(self):
        self.guest("busy", memory=64, rate=5, working_set=8)
        self.ferry("migrate", "busy", "--to", "h2")
        text = self.scrape()
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        known = set(types)
        for name, kind in types.items():
            if kind == "histogram":
                known |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
        expressions = [(w, e) for w, e in dashboard_expressions()]
        loaded = self.wait(lambda: self.prometheus("rules").get("data"), 30, "Prometheus is up")
        rules = [r for g in loaded["groups"] for r in g["rules"]]
        self.assertGreater(len(rules), 8)
        expressions += [(r["name"], r["query"]) for r in rules]
        self.assertGreater(len(expressions), 50)
        names = set()
        for where, expression in expressions:
            used = set(NAME.findall(re.sub(r'"[^"]*"', '""', substituted(expression))))
            self.assertTrue(used or "up{" in expression, (where, expression))
            self.assertEqual(used - known, set(), f"{where} asks for what does not exist")
            names |= used
        self.assertGreater(len(names), 35)
        self.wait(lambda: (self.value('count_over_time(up{job="ferry"}[1m])') or 0) > 3, 30, "scraped")
        board = list(dashboard_expressions())
        for where, expression in expressions:
            self.query(substituted(expression))  # PromQL that Prometheus takes
            if (where, expression) in board and not SELDOM.search(expression):
                self.wait(lambda e=substituted(expression): self.query(e), 20,
                          f"{where} shows something: {expression}")

    def test_prometheus_follows_a_migration(self):
        self.guest("tracked", memory=512, rate=0, pattern="idle", working_set=400)
        self.wait(lambda: self.value('up{job="ferry"}') == 1, 30, "the first scrape over TLS")
        self.ferry("migrate", "tracked", "--to", "h3")
        where = '{namespace="default", name="tracked", node="h1"}'
        for metric in ("data_bytes_total", "data_processed_bytes", "data_remaining_bytes",
                       "memory_transfer_rate_bytes", "dirty_memory_rate_bytes"):
            name = f"kubevirt_vmi_migration_{metric}"
            self.wait(lambda n=name: self.query(f"max_over_time({n}{where}[5m])"), 15, name)
        self.assertGreater(self.value("max_over_time(kubevirt_vmi_migration_data_processed_bytes"
                                      f"{where}[5m])"), 50e6)
        rate = self.value(f"max_over_time(kubevirt_vmi_migration_memory_transfer_rate_bytes{where}"
                          "[5m])")
        self.assertTrue(30e6 < rate < 160e6, rate)  # a link of 1 Gbit/s
        m = self.newest("tracked")
        ended = ('kubevirt_vmi_migration_succeeded{vmi="tracked", namespace="default", '
                 f'vmim="{m["metadata"]["name"]}"}}')
        self.wait(lambda: self.value(ended) == 1, 15, ended)
        end = ('kubevirt_vmi_migration_end_time_seconds{name="tracked", status="succeeded", '
               f'migration_name="{m["metadata"]["name"]}"}}')
        begin = end.replace("end_time", "start_time").replace('status="succeeded", ', "")
        took = self.value(end) - self.value(begin)
        self.assertLess(abs(took * 1000 - m["status"]["summary"]["totalMs"]), 1500)
        self.assertGreaterEqual(self.value(
            'ferry_migrations_total{result="Succeeded", reason="Completed"}'), 1)
        phase = "kubevirt_vmi_migration_phase_transition_time_from_creation_seconds"
        for name in ("Pending", "Scheduled", "TargetReady", "Running", "Succeeded"):
            self.assertGreaterEqual(self.value(f'{phase}_count{{phase="{name}"}}'), 1, name)
        self.assertGreaterEqual(self.value(
            'ferry_convergence_decisions_total{action="SetDowntime"}'), 1)
        self.assertEqual(self.value('ferry_nodes{state="Ready"}'), 3)
        targets = self.prometheus("targets")["data"]["activeTargets"]
        self.assertEqual([(t["health"], t["lastError"]) for t in targets], [("up", "")])
        for group in self.prometheus("rules")["data"]["groups"]:
            for rule in group["rules"]:
                self.assertEqual((rule["name"], rule["health"]), (rule["name"], "ok"))

    def test_events_are_streamed_and_resumed(self):
        self.guest("streamed", memory=512, rate=0, pattern="idle", working_set=400)
        path = "/api/v1/events/stream?vmi=default/streamed"
        stream = Stream(self.connect(), path)
        other = Stream(self.connect(), "/api/v1/events/stream?vmi=somebody")
        self.assertTrue(stream.type.startswith("text/event-stream"))
        self.ferry("migrate", "streamed", "--to", "h2")
        self.wait(lambda: any(d["phase"] == "Succeeded"
                              for d in stream.of("transition", "streamed")), 10, "the end is told")
        stream.close()
        other.close()
        self.assertEqual(other.events, [])
        phases = [d["phase"] for d in stream.of("transition", "streamed")]
        order = ["Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running",
                 "Succeeded"]
        self.assertEqual(phases, sorted(set(phases), key=order.index))
        self.assertLessEqual({"Scheduled", "Running", "Succeeded"}, set(phases))
        percents = [d["progress"]["percent"] for d in stream.of("progress", "streamed")]
        self.assertGreater(len(percents), 4)
        self.assertEqual(percents, sorted(percents))
        self.assertEqual(percents[-1], 100)
        decisions = [d["decision"] for d in stream.of("decision", "streamed")]
        recorded = self.newest("streamed")["status"]["decisions"]
        self.assertEqual(decisions, recorded)
        ids = [int(i) for _, _, i in stream.events if i]
        self.assertEqual(ids, sorted(ids))
        # From the middle on: exactly what the first stream said later.
        middle = stream.events[len(stream.events) // 2][2]
        rest = [(k, d) for k, d, _ in stream.events if d["revision"] > int(middle)]
        again = Stream(self.connect(), path, last_id=middle)
        self.wait(lambda: len(again.events) >= len(rest), 10, "the rest is told again")
        again.close()
        self.assertEqual([(k, d) for k, d, _ in again.events], rest)

    def test_one_trace_from_the_command_line_to_the_agent(self):
        self.guest("traced", rate=5, working_set=8)
        given = "4bf92f3577b34da6a3ce929d0e0e4736"
        done = json.loads(self.ferry("migrate", "traced", "--to", "h2", "-o", "json").stdout)
        trace = done["metadata"]["annotations"]["ferry.migration/trace"]
        self.assertRegex(trace, HEX32)
        name = done["metadata"]["name"]
        fields = (f"migration=default/{name}", "vm=default/traced", "node=h1", f"trace={trace}")

        def about(where, file):
            return [line for line in self.log_lines(where, file) if name in line or trace in line]

        for log, words in ((("ferryd", "ferryd.log"), ("created", "Scheduled", "Running", "Succeeded")),
                           (("h1", "agent.log"), ("decision=", "returned"))):
            for word in words:
                self.wait(lambda w=word, of=log: [line for line in about(*of) if w in line], 5,
                          lambda w=word, of=log: f"{w} is in the log: {about(*of)}")
            for line in about(*log):
                if line.endswith(" audit=1"):  # JSON with fields of its own
                    self.assertIn(name, line)
                    continue
                for field in fields:
                    self.assertIn(f" {field}", line)
        self.assertFalse([line for line in self.log_lines("h2", "agent.log") if trace in line])
        # A drain is one trace, too.
        self.ferry("drain", "h2")
        evacuation = self.ferry_json("get", "evacuations")["items"][-1]
        trace = evacuation["metadata"]["annotations"]["ferry.migration/trace"]
        moved = self.newest("traced")["metadata"]
        self.assertEqual(moved["annotations"]["ferry.migration/trace"], trace)
        self.wait(lambda: [line for line in self.log_lines("h2", "agent.log")
                           if trace in line and f"migration=default/{moved['name']}" in line], 5,
                  "the drain's trace is in h2's log")
        self.ferry("undrain", "h2")
        self.ferry("migrate", "traced", "--to", "h2")
        # A trace that the caller is in goes on; kubectl, which sends none, gets a new one.
        self.env = {**self.env, "TRACEPARENT": f"00-{given}-00f067aa0ba902b7-01"}
        back = json.loads(self.ferry("migrate", "traced", "--to", "h1", "-o", "json").stdout)
        self.assertEqual(back["metadata"]["annotations"]["ferry.migration/trace"], given)
        self.wait(lambda: [line for line in self.log_lines("h2", "agent.log") if given in line], 5,
                  "the caller's trace is in h2's log")
        manifest = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                    "metadata": {"name": "by-kubectl"}, "spec": {"vmiName": "traced"}}
        made = json.loads(self.kubectl(KUBECTLS[-1], "create", "-f", "-", "-o", "json",
                                       text=json.dumps(manifest)).stdout)
        third = made["metadata"]["annotations"]["ferry.migration/trace"]
        self.assertRegex(third, HEX32)
        self.assertNotIn(third, (given, trace))
        self.wait(lambda: self.newest("traced")["status"]["phase"] == "Succeeded", 30, "moved")
