# SPDX-License-Identifier: Apache-2.0
"""A lab as a whole: the Python interface that the command line and tests use.

Theory of operation. All state is files below the lab's directory: lab.json
(what was asked for), pids/ (a record per process that the lab started on the
machine), hosts/ and log/. Nothing else on the machine belongs to the lab but
those processes and what hangs on them: namespaces, mounts and links end with
their init. So `down` is: end the recorded processes, remove the directory. It
needs no success of anything before it and can be repeated."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import sys
import uuid
from pathlib import Path

from . import base, certs, ferry, host as hostmod, net, paths, proc
from .errors import LabError

DEFAULT_HOSTS = 3
DEFAULT_MIGRATION_RATE = "1gbit"
PARALLEL_STARTS = 4


def _quiet(_text):
    pass


class Lab:
    """The lab of this name (default: FERRY_LAB, else "ferry"), up or not."""

    def __init__(self, name=None):
        self.name = paths.lab_name(name)
        self.dir = paths.lab_dir(self.name)

    # -- state

    def _state(self):
        try:
            return json.loads((self.dir / "lab.json").read_text())
        except (OSError, ValueError):
            return None

    def _save(self, state):
        temporary = self.dir / "lab.json.tmp"
        temporary.write_text(json.dumps(state, indent=1) + "\n")
        temporary.rename(self.dir / "lab.json")

    def state(self):
        """What lab.json says; LabError if the lab isn't up."""
        state = self._state()
        if not state:
            raise LabError(f"lab {self.name} is not up; start it with `ferry-lab up`")
        return state

    def hosts(self):
        """Names of the hosts, in order."""
        return [data["name"] for data in self.state()["hosts"]]

    def host(self, name):
        """The Host of this name."""
        for data in self.state()["hosts"]:
            if data["name"] == name:
                return hostmod.Host(self.dir, data)
        raise LabError(f"lab {self.name} has no host {name!r}: expected one of "
                       f"{', '.join(self.hosts())}")

    def all_hosts(self):
        return [hostmod.Host(self.dir, data) for data in self.state()["hosts"]]

    def switch_pid(self):
        pid = proc.alive(self.dir / "pids/switch.json")
        if not pid:
            raise LabError(f"the switch of lab {self.name} is gone; `ferry-lab down` cleans up")
        return pid

    def _lock_file(self):
        return paths.labs_root() / f".{self.name}.lock"

    def locked(self):
        """Excludes other commands that change this lab. The lock lies beside the
        lab's directory, which comes and goes."""
        return base.locked(self._lock_file())

    def _running_records(self):
        return [record for record in (self.dir / "pids").glob("*.json") if proc.alive(record)]

    # -- up and down

    def up(self, hosts=DEFAULT_HOSTS, migration_rate=DEFAULT_MIGRATION_RATE, management_rate=None,
           with_ferry=True, say=_quiet, suites=(base.SUITE,)):
        """Brings the lab up, or leaves nothing of it behind and raises. suites: the Debian
        of h1, h2 and so on; the last one named is that of the hosts after it."""
        if os.geteuid() != 0:
            raise LabError("the lab needs root (namespaces, overlay mounts): use sudo")
        if not 1 <= hosts <= paths.MAX_HOSTS:
            raise LabError(f"--hosts {hosts}: expected 1 to {paths.MAX_HOSTS}")
        if not 1 <= len(suites) <= hosts:
            raise LabError(f"{len(suites)} suites for {hosts} hosts: expected one for each host, or "
                           "fewer, of which the last is that of the hosts after it")
        suites = [*suites, *[suites[-1]] * (hosts - len(suites))]
        for suite in suites:
            base.check_suite(suite)
        rates = {"management": management_rate or "none", "migration": migration_rate or "none"}
        for rate in rates.values():
            net.parse_rate(rate)
        if with_ferry:
            ferry.check_programs()
        for suite in sorted(set(suites)):
            base.ensure(say, suite)
        with self.locked():
            self._rerecord()
            if self._running_records():
                raise LabError(f"lab {self.name} is already up (or half up); `ferry-lab status` "
                               "shows it, `ferry-lab down` takes it down; another one can stand "
                               "beside it under another FERRY_LAB")
            self._remove_files()
            shutil.rmtree(self._failed_logs(), ignore_errors=True)
            try:
                self._up(suites, rates, with_ferry, say)
            except BaseException:
                self._keep_logs(say)
                self._down()
                raise

    def _failed_logs(self):
        return paths.labs_root() / f"{self.name}.failed-log"

    def _keep_logs(self, say):
        """Saves the logs of a failed start from being removed with the rest, until
        the next start of this lab."""
        kept = self._failed_logs()
        with contextlib.suppress(OSError):
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self.dir / "log", kept)
            say(f"the start failed; its logs are kept in {kept}")

    def _up(self, suites, rates, with_ferry, say):
        for directory in ("pids", "run", "log", "shared", "hosts"):
            (self.dir / directory).mkdir(parents=True, exist_ok=True)
        management, migration = paths.subnets(self.name)
        state = {
            "name": self.name,
            "subnets": {"management": f"{management}.0/24", "migration": f"{migration}.0/24"},
            "server": f"{management}.{paths.FERRYD_HOST_OCTET}",
            "rates": rates,
            "ferry": None,
            "hosts": [{"name": paths.host_name(i), "uuid": str(uuid.uuid4()),
                       "suite": suite, "management": f"{management}.{i}",
                       "migration": f"{migration}.{i}"} for i, suite in enumerate(suites, 1)],
        }
        self._save(state)
        say(f"starting {len(suites)} hosts")
        certs.make_ca(self.dir / "certs", self.name)
        proc.launch("host", self.dir / "pids/switch.json", self.dir / "log/switch.log",
                    f"--hostname={self.name}-switch")
        switch = self.switch_pid()
        net.make_switch(switch, management, paths.FERRYD_HOST_OCTET)
        hosts = self.all_hosts()

        def start(host):
            host.prepare(hosts)
            self._boot(host, switch, rates)

        self._parallel(start, hosts)
        for host in {host.suite: host for host in hosts}.values():
            hostmod.save_warm_layer(host)
        if with_ferry:
            state["ferry"] = ferry.start_all(self, say)
            self._save(state)
        say(f"lab {self.name} is up: {', '.join(self.hosts())}")

    def _boot(self, host, switch, rates):
        host.start_init()
        hostmod.plug(switch, host)
        for network, rate in rates.items():
            net.set_rate(switch, host.pid(), host.name, network, net.parse_rate(rate))
        host.start_libvirtd()
        host.wait_libvirtd()

    def _parallel(self, function, items):
        with concurrent.futures.ThreadPoolExecutor(PARALLEL_STARTS) as pool:
            return list(pool.map(function, items))

    def down(self):
        """Restores the machine, whatever state the lab is in."""
        with self.locked():
            self._down()
            shutil.rmtree(self._failed_logs(), ignore_errors=True)
            self._lock_file().unlink(missing_ok=True)

    def _rerecord(self):
        """Writes records for inits of this lab that have lost theirs."""
        pids = self.dir / "pids"
        recorded = {proc.alive(record) for record in pids.glob("*.json")}
        for pid in proc.unrecorded_inits(pids):
            if pid not in recorded:
                pids.mkdir(parents=True, exist_ok=True)
                proc.write_record(pids / f"host-lost-{pid}.json", pid)

    def _down(self):
        pids = self.dir / "pids"
        self._rerecord()
        # The control plane and its helpers first, so that they don't see hosts vanish.
        records = sorted(pids.glob("*.json"), key=lambda path: path.name.startswith("host-"))
        left = []
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for group in (False, True):
                chosen = [r for r in records if r.name.startswith("host-") == group]
                left += [r for r, ended in zip(chosen, pool.map(proc.end, chosen)) if not ended]
        if left:
            names = ", ".join(f"{r.stem} (pid {proc.alive(r)})" for r in left)
            raise LabError(f"still running after SIGKILL: {names}; run `ferry-lab down` again")
        self._remove_files()

    def _remove_files(self):
        if self.dir.exists():
            shutil.rmtree(self.dir, ignore_errors=True)
            if self.dir.exists():  # somebody wrote meanwhile: once more, aloud
                shutil.rmtree(self.dir)

    # -- looking

    def is_up(self):
        return bool(self._state()) and proc.alive(self.dir / "pids/switch.json") is not None

    def status(self):
        """A dictionary of all there is: for `status -o json`."""
        state = self._state()
        if not state:
            return {"name": self.name, "up": False, "dir": str(self.dir), "hosts": []}
        switch = proc.alive(self.dir / "pids/switch.json")
        links = net.links_up(switch) if switch else {}
        hosts = []
        for data in state["hosts"]:
            host = hostmod.Host(self.dir, data)
            try:
                services = host.services()
            except LabError as error:
                services = {"init": (0, str(error))}
            hosts.append({
                **data,
                "up": proc.alive(host.record) is not None,
                "pid": proc.alive(host.record),
                "services": {name: state_ for name, (_, state_) in services.items()},
                "links": {network: {
                    "up": links.get(net.port(host.name, network), False),
                    "rate": data.get("rates", {}).get(network, state["rates"][network]),
                } for network in net.NETWORKS},
            })
        return {
            "name": self.name, "dir": str(self.dir), "subnets": state["subnets"],
            "up": switch is not None and all(host["up"] for host in hosts),
            "hosts": hosts, "ferry": ferry.status(self, state),
        }

    def env(self):
        """The variables of `ferry-lab env`."""
        values = {"FERRY_LAB": self.name, "FERRY_LAB_DIR": str(self.dir)}
        values.update(ferry.env(self, self.state()))
        return values

    def log_files(self, name):
        """Log files of a host, or of ferryd."""
        if name == "ferryd":
            return [self.dir / "log/ferryd.log"]
        return sorted(self.host(name).log_dir.glob("*.log"))

    def crashed(self, service="agent"):
        """["h1: agent crashed: Segmentation fault", ...] of a service that nobody had ended so."""
        return [f"{log.parent.name}: {line}" for log in sorted(self.dir.glob("log/*/init.log"))
                for line in log.read_text(errors="replace").splitlines()
                if line.startswith(f"{service} crashed: ")]

    # -- acting on hosts

    def exec(self, name, *command, input=None, timeout=None):  # pylint: disable=redefined-builtin
        """Runs command inside a host; CompletedProcess, output as text."""
        return self.host(name).exec(*command, input=input, timeout=timeout)

    def virsh(self, name, *args, input=None, timeout=None):  # pylint: disable=redefined-builtin
        """virsh ARGS against the host's own libvirtd, run inside the host."""
        return self.exec(name, "virsh", "-c", "qemu:///system", *args, input=input,
                         timeout=timeout)

    def link(self, name, network, action, rate=None):
        """action: "up", "down" or "rate" (with rate, e.g. "400mbit" or "none")."""
        host = self.host(name)
        if network not in net.NETWORKS:
            raise LabError(f"no network {network!r}: expected {' or '.join(net.NETWORKS)}")
        if action in ("up", "down"):
            net.set_link(self.switch_pid(), host.name, network, action == "up")
            return
        if action != "rate" or rate is None:
            raise LabError(f"link action {action!r}: expected up, down or rate R")
        net.set_rate(self.switch_pid(), host.pid(), host.name, network, net.parse_rate(rate))
        with self.locked():
            state = self.state()
            for data in state["hosts"]:
                if data["name"] == name:
                    data.setdefault("rates", {})[network] = rate
            self._save(state)

    def guest_network(self):
        """Makes the guests' network (net.py), once; {host: its address there}."""
        return net.make_guest_network(self.switch_pid(),
                                      {host.name: host.pid() for host in self.all_hosts()})

    def learnt_at(self, mac):
        """The host behind whose port the switch has learnt a guest's MAC address; None: nowhere."""
        port = net.learnt_at(self.switch_pid(), mac)
        return port and port.removesuffix(net.guest_port(""))

    def filter(self, name, rules):
        """Gives a host's firewall these rules (nft(8)) instead of those it had."""
        net.filter_rules(self.host(name).pid(), rules)

    # -- faults

    def kill(self, name, what=None, sig=signal.SIGKILL):
        """kill("h1", "libvirtd" | "agent" | "qemu:GUEST" | "host") or kill("ferryd")."""
        if name == "ferryd":
            ferry.signal_ferryd(self, sig)
            return
        host = self.host(name)
        if what in ("libvirtd", "agent"):
            host.signal_service(what, sig)
        elif what == "host":
            proc.end(host.record, sig)
        elif what and what.startswith("qemu:"):
            self._kill_qemu(host, what[5:], sig)
        else:
            raise LabError(f"kill {name} {what!r}: expected libvirtd, agent, qemu:GUEST or host")

    def _kill_qemu(self, host, guest, sig):
        if "/" in guest:
            raise LabError(f"{guest!r} is no guest's name")
        pidfile = host.path(f"/run/libvirt/qemu/{guest}.pid")
        try:
            pid = int(pidfile.read_text())
        except (OSError, ValueError):
            raise LabError(f"no QEMU of guest {guest!r} on {host.name} (looked for "
                           f"{pidfile.name} in its /run/libvirt/qemu)") from None
        result = host.exec("kill", f"-{int(sig)}", str(pid))
        if result.returncode != 0:
            raise LabError(f"QEMU of {guest} on {host.name}: {result.stderr.strip()}")

    def stop(self, name, what=None):
        """Ends a service in an orderly way (SIGTERM)."""
        self.kill(name, what, signal.SIGTERM)

    def start(self, name, what=None):
        """start("h1", "libvirtd" | "agent" | "host") or start("ferryd"), after kill or stop. A host
        comes back as one that was installed anew, and joins."""
        if name == "ferryd":
            ferry.start_ferryd(self)
            return
        host = self.host(name)
        if what == "libvirtd":
            host.start_libvirtd()
            host.wait_libvirtd()
        elif what == "agent":
            ferry.start_agent(self, host)
        elif what == "host":
            state = self.state()
            self._boot(host, self.switch_pid(), state["rates"])
            # its network cards are others than before
            others = [other.pid() for other in self.all_hosts() if other.runs()]
            net.forget_neighbours([self.switch_pid(), *others])
            if state.get("ferry"):
                ferry.join(self, host)
        else:
            raise LabError(f"start {name} {what!r}: expected libvirtd, agent or host")


def say_to_stderr(text):
    print(text, file=sys.stderr, flush=True)
