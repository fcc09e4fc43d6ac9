# SPDX-License-Identifier: Apache-2.0
"""Flags that only older hosts have: QEMU's own multi-threaded compression, gone in 9.1."""
from flagstest import FlagsTest


class Older(FlagsTest):
    OPTIONS = {"suites": ["bookworm"]}
    SLOW = ("--bandwidth", "2Mi")  # of what is left after compression

    def threads(self, host, name):
        """How many threads of the host's QEMU have that name."""
        return self.lab.exec(host, "ps", "-eLo", "comm=").stdout.splitlines().count(name)

    def test_compression_mt(self):
        self.guest("packed", rate=5, working_set=48)
        options = ("--compressed", "--comp-methods", "mt")
        with self.moving("packed", *options, "--comp-mt-level", "3", "--comp-mt-threads", "5",
                         "--comp-mt-dthreads", "4"):
            self.assertIn("COMPRESSED", self.calls()[0])
            self.assertIn("compress", self.capabilities("packed"))
            self.assertEqual(self.parameters("packed")["compress-level"], 3)
            self.assertEqual(self.parameters("packed")["compress-threads"], 5)
            self.assertEqual(self.threads("h1", "compress"), 5)
            # By the threads: QEMU 7.2 answers on the target only when all has come.
            self.assertEqual(self.threads("h2", "decompress"), 4)
        with self.moving("packed"):
            self.assertNotIn("compress", self.capabilities("packed"))
        # Without KVM, QEMU 7.2 loses writes of a guest that runs while it is moved.
        self.move("packed", "h2", *options, "--no-live")
        self.assert_on("packed", "h2")
