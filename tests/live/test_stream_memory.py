# SPDX-License-Identifier: Apache-2.0
"""What watches whose clients read nothing cost the server: a cursor, a bounded buffer and a
connection, however many objects there are to tell.

The allocator hides what is free: of the heap that readers took, much stays with the process, as
holes between what lives on. So that the memory falls shows only that connections end (the HTTP
library maps each one's pool by itself, and unmaps it). That the heap is used again is shown by more
readers, who must do with what the first ones had, but for their pools. A loss of some 10 KiB for
each reader isn't seen here; LeakSanitizer is there for it."""
import hashlib
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
# pylint: disable=wrong-import-position
from live.site import Credential

SERVER = Path(os.environ.get("FERRY_BUILD", ROOT / "build")) / "tests/api/api-test-server"
VMIS = "/apis/kubevirt.io/v1/virtualmachineinstances"
ALL, NEW = "resourceVersion=0", "sendInitialEvents=false"
VMS = 20000  # some 20 MB of JSON: ten watches that held it would cost 200 MB
WATCHES, READERS, AGAIN = 10, 500, 200
USERS = ("ann", "bob", "cyd")  # one may open 300
KIB, MIB = 1 / 1024, 1  # figures are in MiB
WATCHES_MOST = 30 * MIB
# Of one reader: some 36 KiB are of the HTTP library's pool of 64 KiB (listener.c), half of which it
# clears, and somewhat more is heap: TLS's and the stream's buffer. What the kernel holds for it is in
# tests/api/http/test-connections.c.
READER_MOST, READERS_MORE = 100 * KIB, 10 * MIB
LEFT_MOST, ALLOCATOR_SLACK = 20 * MIB, 25 * MIB
AGAIN_MOST = 52 * KIB  # of one: its pool, and little of the heap that is free
SMALL_BUFFER = 4096
DEADLINE_S = 10


class StreamMemory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-memory-")
        self.addCleanup(folder.cleanup)
        state = Path(folder.name) / "state"
        state.mkdir(mode=0o700)
        tokens = {user: secrets.token_hex(24) for user in USERS}
        path = state / "tokens.json"
        path.write_text(json.dumps({"tokens": [
            {"hash": hashlib.sha256(token.encode()).hexdigest(), "user": user,
             "groups": ["ferry:viewers"]} for user, token in tokens.items()]}))
        path.chmod(0o600)
        self.server = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(SERVER), str(state), f"--vms={VMS}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        url = self.server.stdout.readline().strip()
        self.assertTrue(url.startswith("https://"), url)
        self.port = int(url.rsplit(":", 1)[1])
        self.users = [Credential(user, state / "ca.crt", token=t) for user, t in tokens.items()]

    def stop(self):
        self.server.stdin.close()
        try:
            self.assertEqual(self.server.wait(30), 0)
        finally:
            self.server.kill()
            self.server.stdout.close()

    def rss(self):
        """Of the server, in MiB."""
        text = Path(f"/proc/{self.server.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * KIB

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))

    def settled(self):
        """The memory when it has not grown for some time."""
        most, since = self.rss(), time.monotonic()
        deadline = since + DEADLINE_S
        while time.monotonic() < min(since + 0.3, deadline):
            time.sleep(0.05)
            now = self.rss()
            if now > most + 0.1:
                most, since = now, time.monotonic()
        return self.rss()

    def watch(self, user, query):
        """A watch that was answered and of whose events nothing is read."""
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.settimeout(DEADLINE_S)
        plain.connect(("127.0.0.1", self.port))
        sock = user.context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.addCleanup(sock.close)
        head = "".join(f"{k}: {v}\r\n" for k, v in user.headers().items())
        sock.sendall(f"GET {VMIS}?watch=true&{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                     f"{head}\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            self.assertTrue(byte, answer)
            answer += byte
        self.assertIn(b" 200 ", answer.splitlines()[0])
        return sock

    def watches(self, count, query):
        before = self.descriptors()
        opened = [self.watch(self.users[i % len(self.users)], query) for i in range(count)]
        memory = self.settled()
        self.assertGreaterEqual(self.descriptors(), before + count, "some were sent away")
        return opened, memory

    def close(self, watches, descriptors, most):
        """The memory after they are gone: as soon as it is `most`, or when the time is over."""
        for sock in watches:
            sock.close()
        begun = poked = time.monotonic()
        while time.monotonic() < begun + DEADLINE_S and \
                (self.descriptors() > descriptors or self.rss() > most):
            time.sleep(0.05)
            if time.monotonic() > poked + 1:
                # Seen once: 128 connections, as many as the HTTP library takes events at a time,
                # ended only when something else happened on their thread.
                self.watch(self.users[0], ALL).close()
                poked = time.monotonic()
        self.assertLessEqual(self.descriptors(), descriptors, "connections that are gone are kept")
        return self.rss()

    def test_readers_that_read_nothing(self):
        descriptors = self.descriptors()
        first, _ = self.watches(len(USERS), ALL)  # what the first of all costs is not a watch's
        self.close(first, descriptors, float("inf"))
        start = self.settled()
        left_most = start + LEFT_MOST + ALLOCATOR_SLACK
        few, with_few = self.watches(WATCHES, ALL)
        self.assertLess(with_few - start, WATCHES_MOST)
        after_few = self.close(few, descriptors, left_most)
        many, with_many = self.watches(READERS, ALL)
        after_many = self.close(many, descriptors, left_most)
        _, with_again = self.watches(AGAIN, NEW)
        each = (with_many - after_few) / READERS / KIB
        again = (with_again - after_many) / AGAIN / KIB
        print(f"\n    MiB: {start:.1f} at the start, {with_few:.1f} with {WATCHES} watches of {VMS} "
              f"VMs, {after_few:.1f} after them;\n    {with_many:.1f} with {READERS} such readers "
              f"({each:.0f} KiB each), {after_many:.1f} after them; {with_again:.1f} with {AGAIN} "
              f"that have nothing to read ({again:.0f} KiB each)", flush=True)
        self.assertLess(with_many - after_few, READERS * READER_MOST + READERS_MORE)
        self.assertLess(after_many, left_most)
        self.assertLess(with_again - after_many, AGAIN * AGAIN_MOST)


if __name__ == "__main__":
    unittest.main()
