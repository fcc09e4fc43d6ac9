# SPDX-License-Identifier: Apache-2.0
"""Where a guest's viewers go: a real SPICE client beside the hosts follows the VM."""
import contextlib
import json
import subprocess
import threading
import unittest.mock
from pathlib import Path

from flagstest import FlagsTest
from ferrylab import guest, guest_domain

CLIENT = Path(__file__).with_name("spice_client.py")
PYTHON = "/usr/bin/python3"  # Debian's, which has python3-gi
PORT, FORWARDED = 5900, 5999
DISPLAY = (f"\n    <graphics type='spice' port='{PORT}' autoport='no' listen='0.0.0.0'/>"
           "\n    <video><model type='none'/></video>")


class Graphics(FlagsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = subprocess.run([PYTHON, CLIENT, "--help"], capture_output=True, text=True,
                              check=False)
        if "ValueError" in done.stderr or "ModuleNotFound" in done.stderr:
            raise RuntimeError("gir1.2-spiceclientglib-2.0 or python3-gi is missing: make deps")

    def display_guest(self, name):
        asked = {"name": name, "kernel": "bare", "memory": 64, "vcpus": 1, "rate": 5.0,
                 "working_set": 16, "pattern": "uniform", "disk": "none", "labels": {},
                 "namespace": "default", "persistent": False}
        with unittest.mock.patch.object(guest_domain, "_disk", lambda _: DISPLAY):
            self.guests = [*getattr(self, "guests", []), name]
            guest.create(self.lab, asked, "h1")
        self.wait(lambda: self.vmi(name) and self.vmi(name)["status"]["phase"] == "Running", 10,
                  f"ferryd shows {name} as Running")

    def address(self, host):
        return self.lab.host(host).addresses["management"]

    @contextlib.contextmanager
    def viewer(self, host, port):
        """A viewer on the hosts' network: the states it tells, as they come."""
        process = subprocess.Popen(
            ["nsenter", f"--target={self.lab.switch_pid()}", "--net", PYTHON, CLIENT, host,
             str(port)], text=True, stdout=subprocess.PIPE)
        states = []

        def read():
            for line in process.stdout:
                states.append(json.loads(line))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield states
        finally:
            process.kill()
            process.wait()
            thread.join()
            process.stdout.close()

    def clients(self, host):
        """Addresses from which somebody looks at a display on the host."""
        text = self.lab.exec(host, "ss", "-tnH", "state", "established",
                             f"( sport = :{PORT} )").stdout
        return [line.split()[-1] for line in text.splitlines()]

    def test_graphicsuri(self):
        """To the very host and port of the URI: one that only passes on to the display."""
        self.display_guest("seen")
        self.lab.host("h2").start_service(
            "forward", ["socat", f"TCP-LISTEN:{FORWARDED},fork,reuseaddr",
                        f"TCP:127.0.0.1:{PORT}"])
        uri = f"spice://{self.address('h2')}:{FORWARDED}"
        with self.viewer(self.address("h1"), PORT) as states:
            self.wait(lambda: states and states[-1]["event"] == "opened", 15, "the viewer is there")
            self.assertEqual((states[-1]["host"], states[-1]["port"]),
                             (self.address("h1"), str(PORT)))
            self.assertTrue(self.clients("h1"))
            self.move("seen", "h2", "--graphicsuri", uri)
            self.assertEqual(self.calls()[1]["graphics_uri"], uri)
            self.wait(lambda: states[-1]["host"] == self.address("h2")
                      and states[-1]["migration"] == "none", 15, f"it has followed: {states}")
            self.assertEqual(states[-1]["port"], str(FORWARDED))
            self.assertIn("migrating", [s["migration"] for s in states])
            self.assertTrue(self.clients("h2"))
        self.assert_on("seen", "h2")

    def test_without_graphicsuri(self):
        """libvirt itself sends viewers to the target's host name; this one, to which the name says
        nothing, loses the display."""
        self.display_guest("lost")
        with self.viewer(self.address("h1"), PORT) as states:
            self.wait(lambda: states and states[-1]["event"] == "opened", 15, "the viewer is there")
            self.move("lost", "h2")
            self.assertNotIn("graphics_uri", self.calls()[1])
            self.wait(lambda: states[-1]["host"] == "h2", 15, f"it was told a name: {states}")
            self.assertNotIn(self.address("h2"), [s["host"] for s in states])
            self.assertEqual(self.clients("h2"), [])
        self.assert_on("lost", "h2")
