# SPDX-License-Identifier: Apache-2.0
"""A lab in which one cell after the other is played: a guest, its migration brought to a phase, the
faults, what is made good again. What really is, is asked of the hosts, never of Ferry."""
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
# pylint: disable=wrong-import-position
from ferrylab import guest as guests  # noqa: E402
from ferrylab.errors import LabError  # noqa: E402
from ferrylab.lab import Lab  # noqa: E402

FERRY_LAB = str(ROOT / "lab" / "ferry-lab")
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
LANE_HOSTS = 3  # the source, the target, and one for the migration before and the one after
FINAL = ("Succeeded", "Failed")
LINK = "1gbit"
PATIENT_S = 20


ONE_AT_A_TIME = {
    "apiVersion": "kubevirt.io/v1", "kind": "KubeVirt",
    "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
    "spec": {"configuration": {"migrations": {"parallelOutboundMigrationsPerNode": 1}}}}


class Unreached(Exception):
    """The cell's phase was not reached: nothing is said of the cell."""


class Broken(Exception):
    """What a cell left cannot be mended: the lab is to be made anew."""


class Lane(Lab):
    """Three hosts of a lab, in which cells are played while others are in other lanes."""

    def __init__(self, name, first=1):
        super().__init__(name)
        self.own = [f"h{first + i}" for i in range(LANE_HOSTS)]

    def hosts(self):
        return self.own


class Scene:
    """One lane of a lab, and the cell that is played in it."""

    def __init__(self, lane=0):
        self.lab = Lane(f"f{os.getpid()}", 1 + lane * LANE_HOSTS)
        self.sides = dict(zip(("source", "target", "third"), self.lab.own))
        self.name = None
        self.children = []
        self.count = 0
        self.asked, self.answers = {}, {}  # what a person asked for, by its name

    # -- the lab

    def up(self, lanes=1):
        """Brings the lab up, with the hosts of so many lanes."""
        os.environ["FERRY_LAB"] = self.lab.name
        self.lab.up(hosts=LANE_HOSTS * lanes)
        self.enter()
        self.run(BUILD / "ferry", "apply", "-f", "-", text=json.dumps(ONE_AT_A_TIME))

    def enter(self):
        """The lab is up."""
        self.env = {**os.environ, **self.lab.env()}

    def down(self):
        self.end_children()
        self.lab.down()

    def mend(self):
        """Whatever of the lane is down or stopped is up again; Broken where that fails."""
        try:
            self.boot_hosts()
            for host in self.lab.hosts():
                for network in ("management", "migration"):
                    self.lab.link(host, network, "up")
                self.lab.exec(host, "sh", "-c", "pkill -CONT -x libvirtd; pkill -CONT qemu-system",
                              timeout=10)
                for what in ("libvirtd", "agent"):
                    if not self.lab.host(host).service_runs(what):
                        self.lab.start(host, what)
            if self.ferry("get", "nodes", check=False).returncode != 0:
                self.lab.start("ferryd")
            self.until(self.all_ready, 40, "all hosts are Ready")
        except (LabError, Unreached, subprocess.SubprocessError) as error:
            raise Broken(str(error)) from error

    def boot_hosts(self):
        """Hosts of the lane that are dead come back, as installed anew."""
        for host in self.lab.hosts():
            if not self.lab.host(host).runs():
                self.lab.start(host, "host")

    def ready_hosts(self):
        """Those that Ferry says are there."""
        return {n["metadata"]["name"] for n in self.ferry_json("get", "nodes")["items"]
                if any(c["type"] == "Ready" and c["status"] == "True"
                       for c in n.get("status", {}).get("conditions", []))}

    def all_ready(self):
        return set(self.lab.hosts()) <= self.ready_hosts()

    # -- what the tables speak of

    def host(self, side):
        return self.sides[side]

    def side(self, host):
        """"source", "target" or "third"; None for no host."""
        return next((side for side, name in self.sides.items() if name == host), None)

    def hold(self, seconds):
        """A fault lasts for a time; nothing is to be waited for."""
        time.sleep(seconds)

    def until(self, probe, seconds, what):
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(LabError, subprocess.SubprocessError):
                value = probe()
                if value:
                    return value
            if time.monotonic() > end:
                said = {k: v for k, v in self.status().items() if isinstance(v, str)}
                raise Unreached(f"not within {seconds} s: {what}: {said}")
            time.sleep(0.03)

    def run(self, *argv, check=True, timeout=60, text=""):
        done = subprocess.run([str(a) for a in argv], text=True, capture_output=True, env=self.env,
                              timeout=timeout, check=False, input=text)
        if check and done.returncode:
            raise LabError(f"{argv}: exit {done.returncode}: {done.stderr.strip()}")
        return done

    def ferry(self, *args, **kw):
        return self.run(BUILD / "ferry", *args, **kw)

    def ferry_json(self, *args):
        return json.loads(self.ferry(*args, "-o", "json").stdout)

    def virsh(self, side, *args):
        return self.lab.virsh(self.host(side), *args, timeout=15)

    def reason(self, side):
        done = self.virsh(side, "domstate", self.name, "--reason")
        return done.stdout.strip() if done.returncode == 0 else ""

    def stat(self):
        return guests.stat(self.lab, self.name)

    # -- the cell

    def begin_cell(self, phase):
        self.count += 1
        self.asked, self.answers = {}, {}
        self.name = f"{phase.name}-{self.host('source')}-{self.count}"
        self.begin_guest(self.name, phase.guest)
        self.until(self.vmi, 15, f"ferryd shows {self.name}")
        self.options = phase.options

    def begin_guest(self, name, wanted):
        guest = {"kernel": "bare", "vcpus": 1, "pattern": "uniform", "disk": "none", "labels": {},
                 "namespace": "default", "persistent": False, "net": "", "machine": "pc",
                 **wanted, "name": name}
        guests.create(self.lab, guest, self.host("source"))

    def begin(self):
        """The cell's migration, by a program that a person would run."""
        self.spawn(BUILD / "ferry", "migrate", self.name, "--to", self.host("target"), *self.options)

    def begin_blocker(self):
        """Takes the one place that the source has, so that the next migration waits."""
        self.begin_guest(f"{self.name}-before", {"memory": 128, "working_set": 80, "rate": 1})
        self.until(lambda: self.vmi(f"{self.name}-before"), 15, "ferryd shows the one before")
        self.spawn(BUILD / "ferry", "migrate", f"{self.name}-before", "--to", self.host("third"),
                   "--bandwidth", "10Mi")
        self.until(lambda: self.status(f"{self.name}-before").get("phase") == "Running", 20,
                   "the one before runs")

    def slow_link(self):
        self.lab.link(self.host("source"), "migration", "rate", "60mbit")

    def spawn(self, *argv):
        child = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(a) for a in argv], env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.children.append(child)

    @contextlib.contextmanager
    def events(self, side):
        """Yields what the host's libvirt told of the guest's life so far, as a function."""
        path = self.lab.dir / f"events-{self.name}"
        with open(path, "w", encoding="utf-8") as out, subprocess.Popen(
                [FERRY_LAB, "virsh", self.host(side), "event", "--event", "lifecycle", "--loop",
                 "--timeout", "150"], env=self.env, stdin=subprocess.DEVNULL, stdout=out) as child:
            try:
                yield lambda: "\n".join(
                    line for line in path.read_text(encoding="utf-8").splitlines()
                    if f"'{self.name}'" in line)
            finally:
                child.kill()

    def lift(self):
        """What kept the migration in its phase is taken away."""
        with contextlib.suppress(LabError):
            self.lab.link(self.host("source"), "migration", "rate", LINK)
        for name in (self.name, f"{self.name}-before"):
            if self.status(name).get("phase") not in (None, *FINAL):
                self.ferry("change", name, "--bandwidth", "1000", "--downtime", "1000", "--no-wait",
                           check=False)

    def end_cell(self):
        self.end_children()
        for guest in (self.name, f"{self.name}-before"):
            with contextlib.suppress(LabError, OSError):
                guests.remove(self.lab, guest)

    def end_children(self):
        for child in self.children:
            child.kill()
            child.wait()
        self.children = []

    # -- what a person asks for

    def ask(self, what, *argv):
        """One of Ferry's commands, waited for as long as somebody would before looking elsewhere."""
        path = self.lab.dir / f"{what}-{self.name}"
        with open(path, "w", encoding="utf-8") as out:
            child = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(BUILD / "ferry"), *argv], env=self.env, stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT)
        self.children.append(child)
        self.asked[what] = (child, path)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(PATIENT_S)

    def ask_libvirt(self, what, side):
        """One of virsh's."""
        done = self.virsh(side, what, self.name)
        self.answers[what] = (done.returncode, done.stdout + done.stderr)

    def answer(self, what, seconds):
        """(exit code, words) of what was asked for; None: there is no answer within that time."""
        if what in self.asked:
            child, path = self.asked.pop(what)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
                self.answers[what] = (child.returncode, path.read_text(encoding="utf-8"))
        return self.answers.get(what)

    # -- what Ferry says

    def vmi(self, name=None):
        done = self.ferry("get", "vmi", name or self.name, "-o", "json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def migrations(self, name=None):
        done = self.ferry("get", "vmim", "-o", "json", check=False)
        if done.returncode:
            return []
        return [m for m in json.loads(done.stdout)["items"]
                if m["spec"]["vmiName"] == (name or self.name)]

    def status(self, name=None):
        all_of_it = self.migrations(name)
        return max(all_of_it, key=lambda m: m["metadata"]["creationTimestamp"]).get(
            "status", {}) if all_of_it else {}

    def migration_name(self):
        return self.migrations()[0]["metadata"]["name"]

    # -- what is

    def domains(self):
        """{host: state and reason} of the guest's domains, active or not, as libvirt has them; a
        host that does not answer is left out."""
        found = {}
        for host in self.lab.hosts():
            with contextlib.suppress(LabError, subprocess.SubprocessError):
                done = self.lab.virsh(host, "domstate", self.name, "--reason", timeout=15)
                if done.returncode == 0:
                    found[host] = done.stdout.strip()
        return found

    def qemus(self):
        """Hosts on which there is a QEMU of the guest, known to libvirt or not."""
        found = []
        for host in self.lab.hosts():
            with contextlib.suppress(LabError, subprocess.SubprocessError):
                done = self.lab.exec(host, "pgrep", "-f", f"guest={self.name},", timeout=10)
                if done.stdout.strip():
                    found.append(host)
        return found
