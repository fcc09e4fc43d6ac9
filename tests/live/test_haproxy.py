# SPDX-License-Identifier: Apache-2.0
"""deploy/haproxy.cfg in front of a real ferryd: whose connection it is arrives from a listed proxy,
and is refused from any other."""
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
# pylint: disable=wrong-import-position
from live.site import Connection, Site, VMIS, free_port

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"
DEADLINE_S = 60


class Through:
    """What Connection needs to know of where to connect."""

    def __init__(self, port):
        self.port = port


class Haproxy(unittest.TestCase):
    def begin(self, *options):
        folder = tempfile.TemporaryDirectory(prefix="ferry-haproxy-")
        self.addCleanup(folder.cleanup)
        self.audit = Path(folder.name) / "audit.log"
        self.site = Site(folder.name, options=("--audit-log", self.audit, *options))
        self.site.start()
        self.addCleanup(self.site.stop)
        self.proxy = Through(free_port())
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["/usr/sbin/haproxy", "-db", "-q", "-f", str(CONFIGURATION)],
            env={**os.environ, "FERRYD_LISTEN": f"127.0.0.1:{self.proxy.port}",
                 "FERRYD_SERVER": f"127.0.0.1:{self.site.port}"})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.until(lambda: socket.create_connection(("127.0.0.1", self.proxy.port), 1).close()
                   or True)

    def until(self, what):
        deadline = time.monotonic() + DEADLINE_S
        while True:
            with contextlib.suppress(OSError):
                value = what()
                if value:
                    return value
            self.assertLess(time.monotonic(), deadline, "it did not come about")
            time.sleep(0.05)

    def connect(self, credential, source):
        connection = Connection(self.proxy, credential, source=source)
        self.addCleanup(connection.close)
        return connection

    def written_from(self, name):
        def search():
            for line in map(json.loads, self.audit.read_text().splitlines()):
                if line.get("object", {}).get("name") == name and line.get("code") == 201:
                    return line["from"]
            return None
        return self.until(search)

    def test_the_real_address_arrives(self):
        self.begin("--proxy", "127.0.0.1")
        for n, source in enumerate(("127.0.0.21", "127.0.0.22")):
            connection = self.connect(self.site.admin, source)
            status, _, text = connection.call("POST", "/api/v1/namespaces",
                                              {"metadata": {"name": f"team-{n}"}})
            self.assertEqual(status, 201, text)
            port = connection.http.sock.getsockname()[1]
            self.assertEqual(self.written_from(f"team-{n}"), f"{source}:{port}")

    def test_a_proxy_that_is_not_listed_is_refused(self):
        self.begin("--proxy", "127.0.0.7")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.connect(self.site.admin, "127.0.0.21").call("GET", VMIS)
        straight = Connection(self.site, self.site.admin)
        self.addCleanup(straight.close)
        self.assertEqual(straight.call("GET", VMIS)[0], 200)


if __name__ == "__main__":
    unittest.main()
