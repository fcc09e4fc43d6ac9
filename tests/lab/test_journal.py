# SPDX-License-Identifier: Apache-2.0
"""Daemons under a real systemd-journald: what they log arrives as fields, not as lines.

Theory of operation. systemd-journald needs no systemd: it makes its sockets itself. Each host gets
its own, beside its agent; ferryd's has a mount namespace with a /run of its own, so that the
machine's journal is neither used nor in the way. The daemons run under systemd-cat, which makes
stderr the journal's stream as a unit of systemd has it."""
import json
import os
import shlex
import signal
import unittest.mock

from labtest import BUILD, LabTest
from ferrylab import ferry, proc

JOURNALD = "/lib/systemd/systemd-journald"
CONF = "[Journal]\nReadKMsg=no\nAudit=no\nStorage=volatile\n"
WRAPPER = "/usr/local/bin/ferry-agentd-journalled"
ABOUT = ("FERRY_MIGRATION", "FERRY_VM", "FERRY_NODE", "FERRY_TRACE")


class Journal(LabTest):
    HOSTS = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.lab.dir / "pids/journald.json"
        cls.start_journald_of_machine()
        for host in cls.lab.all_hosts():
            cls.start_journald(host)
        cls.restart_under_journal()

    @classmethod
    def start_journald_of_machine(cls):
        run = cls.lab.dir / "journal"
        conf = run / "systemd/journald.conf.d"
        conf.mkdir(parents=True)
        (conf / "lab.conf").write_text(CONF)
        proc.launch("exec", cls.record, cls.lab.dir / "log/journald.log", "--", "unshare", "--mount",
                    "sh", "-c", f"mount --bind {shlex.quote(str(run))} /run && exec {JOURNALD}")
        proc.wait_for("the machine's journald", (run / "systemd/journal/stdout").exists, 15)

    @classmethod
    def start_journald(cls, host):
        conf = "/run/systemd/journald.conf.d"
        host.exec("sh", "-c", f"mkdir -p {conf} && cat > {conf}/lab.conf", input=CONF)
        host.start_service("journald", ["unshare", "--mount", "sh", "-c", "mount -t cgroup2 none "
                                        f"/sys/fs/cgroup && exec {JOURNALD}"])

        def there():
            host.check_service("journald")
            return host.exec("test", "-S", "/run/systemd/journal/stdout").returncode == 0

        proc.wait_for(f"journald on {host.name}", there, 15)

    @classmethod
    def restart_under_journal(cls):
        for host in cls.lab.all_hosts():
            host.exec("sh", "-c", f"cat > {WRAPPER} && chmod +x {WRAPPER}",
                      input=f"#!/bin/sh\nexec systemd-cat -t cat {ferry.AGENT} \"$@\"\n")
            cls.lab.stop(host.name, "agent")
        cls.lab.stop("ferryd")
        for path in cls.log_paths():
            os.truncate(path, 0)
        wrapper = cls.lab.dir / "ferryd-journalled"
        wrapper.write_text(f"#!/bin/sh\nexec nsenter --mount=/proc/{proc.alive(cls.record)}/ns/mnt "
                           f"systemd-cat -t cat {shlex.quote(str(BUILD / 'ferryd'))} \"$@\"\n")
        wrapper.chmod(0o755)
        with unittest.mock.patch.object(ferry, "program", lambda name: wrapper), \
                unittest.mock.patch.object(ferry, "AGENT", WRAPPER):
            cls.lab.start("ferryd")
            for host in cls.lab.hosts():
                cls.lab.start(host, "agent")

    @classmethod
    def log_paths(cls):
        return [path for name in ("ferryd", *cls.lab.hosts()) for path in cls.lab.log_files(name)
                if path.name in ("ferryd.log", "agent.log")]

    def journal(self, where, *matches):
        """Entries of the journal of a host, or of ferryd's machine, as journalctl shows them."""
        find = "dir=$(echo /run/log/journal/*); exec journalctl --directory=\"$dir\" -o json \"$@\""
        argv = ["sh", "-c", find, "journalctl", *matches]
        if where == "ferryd":
            done = self.run_("nsenter", f"--mount=/proc/{proc.alive(self.record)}/ns/mnt", *argv)
        else:
            done = self.lab.exec(where, *argv)
            self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def complete(self, where, trace, words):
        """The entries of a trace, once they say all that."""
        entries = self.journal(where, f"FERRY_TRACE={trace}")
        text = "\n".join(entry["MESSAGE"] for entry in entries)
        return entries if all(word in text for word in words) else None

    def test_one_trace_through_both_journals(self):
        self.guest("logged", rate=5, working_set=16)
        given = "0af7651916cd43dd8448eb211c80319c"
        self.env = {**self.env, "TRACEPARENT": f"00-{given}-b7ad6b7169203331-01"}
        done = json.loads(self.ferry("migrate", "logged", "--to", "h2", "-o", "json").stdout)
        self.assertEqual(done["metadata"]["annotations"]["ferry.migration/trace"], given)
        about = {"FERRY_MIGRATION": "default/" + done["metadata"]["name"],
                 "FERRY_VM": "default/logged", "FERRY_NODE": "h1", "FERRY_TRACE": given}
        for where, program, words in (
                ("ferryd", "ferryd", ("created", "Scheduled", "Running", "Succeeded")),
                ("h1", "ferry-agentd", ("the pause is about", "returned"))):
            entries = self.wait(lambda w=where, all_=words: self.complete(w, given, all_), 10,
                                f"{where}'s journal says with the trace: {', '.join(words)}")
            self.assertEqual(entries, self.journal(
                where, f"FERRY_MIGRATION={about['FERRY_MIGRATION']}"))
            for entry in entries:
                self.assertEqual({name: entry.get(name) for name in ABOUT}, about, entry)
                self.assertEqual(entry["SYSLOG_IDENTIFIER"], program)
                self.assertEqual(entry["_COMM"], program)
                self.assertEqual(entry["_TRANSPORT"], "journal")
                self.assertIn(entry["PRIORITY"], ("4", "6"))
                self.assertNotRegex(entry["MESSAGE"], r"trace=|migration=|^\d{4}-\d\d-\d\dT")
        self.assertEqual(self.journal("h2", f"FERRY_TRACE={given}"), [])
        self.assertEqual({e["_HOSTNAME"] for e in self.journal("h1", "_COMM=ferry-agentd")}, {"h1"})
        for path in self.log_paths():
            self.assertEqual(path.read_text(), "", f"{path.name} has lines that the journal lacks")

    def test_priorities(self):
        """A failure is a warning, with the reason as a field; journalctl -p finds it."""
        self.guest("failing", rate=5, working_set=16)
        address = self.lab.host("h2").addresses["management"]
        done = self.ferry("migrate", "failing", "--to", "h2", "--listen-address", address,
                          check=False)
        self.assertEqual(done.returncode, 1)
        name = self.newest("failing")["metadata"]["name"]
        self.wait(lambda: [e for e in self.journal("ferryd", "-p", "warning",
                                                   f"FERRY_MIGRATION=default/{name}")
                           if "Failed" in e["MESSAGE"]], 10, "the failure is a warning")

    def test_lines_again_where_journald_is_gone(self):
        """Without a journal to take them entries are lines on stderr, which goes nowhere then; the
        daemon goes on, and once journald is back its entries are there."""
        host = self.lab.host("h1")
        host.signal_service("journald", signal.SIGKILL)
        self.guest("orphan", rate=5, working_set=16)
        self.ferry("migrate", "orphan", "--to", "h2")
        self.assert_on("orphan", "h2")
        self.assertTrue(host.service_runs("agent"))
        self.start_journald(host)
        self.ferry("migrate", "orphan", "--to", "h1")
        self.ferry("migrate", "orphan", "--to", "h2")
        name = self.newest("orphan")["metadata"]["name"]
        self.wait(lambda: self.journal("h1", f"FERRY_MIGRATION=default/{name}"), 10,
                  "the journal has entries of the agent again")
