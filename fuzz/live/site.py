# SPDX-License-Identifier: Apache-2.0
"""A real ferryd in a directory of its own, with credentials of every role and agents that speak only
HTTP: what fuzz/live/fuzz.py and bench/hostile drive. Ended on every way out.
A Site makes the state directory and the certificates, starts ferryd and waits until it answers; a
Connection is one TLS connection of one credential; an Agent joins, begins a session and reports
domains that are nowhere."""
import hashlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
NODES = "/apis/ferry.migration/v1/nodes"
MIGRATIONS = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations"
VMIS = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
VERSION = re.search(r"^  version: '([\d.]+)'", (ROOT / "meson.build").read_text(), re.M)[1]
TIMEOUT_S = 20
STREAM_S = 1  # what has no length is a stream


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Credential:
    """Who asks: a client certificate (PEM files), a bearer token, both, or nothing."""

    def __init__(self, name, ca, certificate=None, key=None, token=None):
        self.name, self.token = name, token
        self.certificate, self.key = certificate, key
        self.context = ssl.create_default_context(cafile=str(ca))
        if certificate:
            self.context.load_cert_chain(str(certificate), str(key))

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Connection:
    """One kept connection of a credential; an answer is (status, headers, body)."""

    def __init__(self, site, credential, timeout=TIMEOUT_S, source=None):
        self.site, self.credential, self.timeout, self.source = site, credential, timeout, source
        self.http = None

    def open(self):
        self.http = http.client.HTTPSConnection(
            "127.0.0.1", self.site.port, context=self.credential.context, timeout=self.timeout,
            source_address=(self.source, 0) if self.source else None)
        self.http.connect()
        self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        if self.http:
            self.http.close()
        self.http = None

    def call(self, method, path, body=None, headers=None):
        """`body` bytes as they are, anything else as JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        said = {"Content-Type": "application/json"} if raw is not None else {}
        said |= self.credential.headers() | (headers or {})
        for again in (True, False):
            kept = self.http is not None
            try:
                if not kept:
                    self.open()
                self.http.request(method, path, raw, said)
                answer = self.http.getresponse()
                return answer.status, answer.headers, self.read(answer)
            except OSError as failed:
                self.close()
                # The server may have closed an idle one; what it has begun to answer it has done.
                if not (kept and again) or isinstance(failed, TimeoutError):
                    raise
            except http.client.HTTPException:
                self.close()
                raise
        raise AssertionError("not reached")

    def read(self, answer):
        """The whole body, or what there is of a stream after a while, however it was asked for:
        heartbeats would keep a reader for ever."""
        if not answer.chunked:
            return answer.read()
        until, parts = time.monotonic() + STREAM_S, []
        while True:
            part = answer.read1(1 << 20)
            parts.append(part)
            if not part:
                return b"".join(parts)
            if time.monotonic() > until:
                self.close()
                return b"".join(parts)

    def json(self, method, path, body=None, headers=None):
        status, _, text = self.call(method, path, body, headers)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {text[:500]!r}")
        return json.loads(text or b"{}")


class Agent:
    """What ferryd sees of a host: a joined node that reports domains over HTTP."""

    def __init__(self, site, name):
        self.name = name
        token = site.run("ferryd", "token", "create", "--node", name, "--state-dir",
                         site.state).strip()
        key, request = site.key_and_request(f"system:node:{name}", ["system:nodes"])
        stranger = Connection(site, site.anonymous)
        answer = stranger.json("POST", "/apis/ferry.migration/v1/join",
                               {"token": token, "nodeName": name, "csr": request.read_text()})
        stranger.close()
        certificate = site.dir / f"{name}.crt"
        certificate.write_text(answer["certificate"])
        self.credential = Credential(f"node {name}", site.ca, certificate, key)
        self.connection = Connection(site, self.credential)
        self.epoch = self.connection.json("POST", f"{NODES}/{name}/session",
                                          {"version": VERSION, "mode": "local"})["epoch"]
        self.domains = {}

    def domain(self, name, **more):
        record = {"uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}.{name}")), "name": name,
                  "state": "running", "id": len(self.domains) + 1, "active": True,
                  "persistent": True, "memoryBytes": 1 << 28, "vcpus": 1, "disks": [],
                  "interfaces": [], "hostDevices": [], **more}
        self.domains[name] = record
        return record

    def node_fields(self):
        last = int(self.name[1:]) if self.name[1:].isdigit() else 99
        return {"connected": True, "capacity": {"cpu": "64", "memory": "4Ti"},
                "addresses": [{"type": "InternalIP", "address": f"10.66.0.{last}"}],
                "hypervisor": {"libvirtVersion": "11.3.0", "qemuVersion": "10.0.0",
                               "libvirtURI": "qemu:///system", "cpuArch": "x86_64",
                               "features": ["live", "tls", "tcp", "postcopy", "auto-converge"]}}

    def report(self, full=True, domains=None):
        body = {"epoch": self.epoch, "full": full, "node": self.node_fields(), "removed": [],
                "domains": list(self.domains.values()) if domains is None else domains}
        return self.connection.json("POST", f"{NODES}/{self.name}/report", body)


class Site:
    def __init__(self, directory, build=None, env=None, options=()):
        self.dir, self.build = Path(directory), Path(build or BUILD)
        self.state, self.ca = self.dir / "ferryd", self.dir / "ferryd" / "ca.crt"
        self.port, self.env, self.options = free_port(), {**os.environ, **(env or {})}, options
        self.process = self.anonymous = self.admin = None
        self.tokens = {}
        self.log = self.dir / "ferryd.log"

    def token(self, user, groups):
        """A static bearer token; to be asked for before start()."""
        self.tokens[user] = (secrets.token_hex(24), groups)
        return self.tokens[user][0]

    def start(self):
        self.state.mkdir(mode=0o700, exist_ok=True)
        if self.tokens:
            path = self.state / "tokens.json"
            path.write_text(json.dumps({"tokens": [
                {"hash": hashlib.sha256(t.encode()).hexdigest(), "user": u, "groups": g}
                for u, (t, g) in self.tokens.items()]}))
            path.chmod(0o600)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(self.build / "ferryd"), "--state-dir", str(self.state), "--listen",
                 f"127.0.0.1:{self.port}", *map(str, self.options)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.env)
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"ferryd did not start: {self.log.read_text()[-2000:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    pass
                if (self.state / "admin.key").exists():
                    break
            except OSError:
                pass
            time.sleep(0.05)
        self.anonymous = Credential("anonymous", self.ca)
        self.admin = Credential("admin", self.ca, self.state / "admin.crt", self.state / "admin.key")

    def stop(self):
        """The exit status; a sanitizer that found something makes it other than 0."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        status, self.process = self.process.returncode, None
        return status

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def run(self, program, *args):
        done = subprocess.run([str(self.build / program), *map(str, args)], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env)
        if done.returncode:
            raise RuntimeError(f"{program} {args}: {done.stderr.strip()}")
        return done.stdout

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, cwd=self.dir)

    def key_and_request(self, name, groups):
        stem = hashlib.sha256(name.encode()).hexdigest()[:12]
        key, request = self.dir / f"{stem}.key", self.dir / f"{stem}.csr"
        subject = "".join(f"/O={g}" for g in groups) + f"/CN={name}"
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", key, "-out", request, "-subj", subject)
        return key, request

    def certificate(self, name, groups):
        """A user's certificate, signed with the site's own CA key."""
        key, request = self.key_and_request(name, groups)
        certificate, extension = request.with_suffix(".crt"), self.dir / "client.ext"
        extension.write_text("extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n"
                             "basicConstraints=critical,CA:FALSE\n")
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey",
                     self.state / "ca.key", "-set_serial", f"0x{secrets.token_hex(15)}", "-days", 2,
                     "-sha256", "-extfile", extension, "-out", certificate)
        return Credential(name, self.ca, certificate, key)

    def rss_mib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
