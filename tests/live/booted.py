# SPDX-License-Identifier: Apache-2.0
"""A machine whose first process is systemd: a Debian of the lab in namespaces of its own, with cgroup2 in it.
What it writes stays over a reboot, in memory, and is gone with the machine."""
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from ferrylab import base  # noqa: E402  pylint: disable=wrong-import-position

# Holds the machine's disk between two boots.
DISK = r"""
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/tree"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/tree"
echo "127.0.1.1 $3" >>"$2/tree/etc/hosts"
tr -d - </proc/sys/kernel/random/uuid >"$2/tree/etc/machine-id"
echo "host_uuid = \"$(cat /proc/sys/kernel/random/uuid)\"" >>"$2/tree/etc/libvirt/libvirtd.conf"
ln -sf /dev/null "$2/tree/etc/systemd/system/systemd-firstboot.service"
rm -f "$2"/tree/etc/systemd/system/sockets.target.wants/libvirtd-t{ls,cp}.socket  # there are no certificates
rm -f "$2"/tree/etc/systemd/system/multi-user.target.wants/ssh.service  # nor host keys
echo 'cgroup_controllers = []' >>"$2/tree/etc/libvirt/qemu.conf"  # there are none below
echo mounted
exec sleep infinity
"""
# The machine's control groups are below one of its own: systemd would take over all that it sees.
BOOT = r"""
echo 0 >"$3/cgroup.procs"
exec unshare -m -p -n -u -i -C --fork bash -euc "$4" boot "$1" "$2"
"""
FIRST = r"""
cd "$1"
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
ln -s /proc/self/fd dev/fd
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
hostname "$2"
pivot_root . mnt  # no chroot: in one nobody may have user namespaces
umount -l /mnt
cd /
exec env -i container=ferry-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""
DEADLINE = 120


def cgroup2():
    """Where the machine that runs this has cgroup2."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    raise OSError("no cgroup2 is mounted here")


class Booted:
    """Use it as a context. `run` runs a command in it as root."""

    def __init__(self, name, suite, folder):
        self.name = name
        self.root = Path(folder) / "tree"
        self.disk = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unshare", "-m", "bash", "-euc", DISK, "disk", str(base.ensure(suite=suite)), folder, name],
            stdout=subprocess.PIPE, text=True)
        assert self.disk.stdout.readline() == "mounted\n"
        self.parent = self.pid = None
        self.groups = cgroup2() / f"ferry-{name}-{os.getpid()}"
        self.groups.mkdir()
        self.boot()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.power_off()
        self.disk.kill()
        self.disk.wait()
        self.disk.stdout.close()
        for group in sorted((Path(p) for p, _, _ in os.walk(self.groups)), reverse=True):
            group.rmdir()

    def boot(self):
        self.parent = subprocess.Popen(  # pylint: disable=consider-using-with
            ["nsenter", "-t", str(self.disk.pid), "-m", "bash", "-euc", BOOT, "boot", str(self.root), self.name,
             str(self.groups), FIRST],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + DEADLINE
        children = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children")
        while not (self.pid and Path(f"/proc/{self.pid}/comm").read_text() == "systemd\n"):
            assert time.monotonic() < until and self.parent.poll() is None, "it does not boot"
            self.pid = int((children.read_text().split() or ["0"])[0])
            time.sleep(0.05)
        # systemctl itself has no bus yet in the first moments
        while self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip() not in (
                "running", "degraded"):
            assert time.monotonic() < until, self.run("systemctl", "list-jobs", check=False).stdout
            time.sleep(0.1)

    def argv(self, *argv):
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w", *argv]

    def run(self, *argv, check=True, text=None):
        done = subprocess.run(self.argv(*argv), text=True, capture_output=True, check=False, input=text,
                              timeout=DEADLINE,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"})
        assert done.returncode == 0 or not check, \
            f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def put(self, path, data):
        """A file in the machine."""
        subprocess.run(self.argv("sh", "-c", 'cat >"$1"', "put", path), input=data, check=True)

    def wait(self, probe, what):
        until = time.monotonic() + DEADLINE
        while not (value := probe()):
            assert time.monotonic() < until, what() if callable(what) else what
            time.sleep(0.2)
        return value

    def lets_in(self, other):
        """root of `other` may log in here by its key."""
        other.run("sh", "-c", "umask 077; mkdir -p /root/.ssh; "
                  "ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; "
                  "echo 'StrictHostKeyChecking accept-new' >/root/.ssh/config")
        self.run("sh", "-c", "umask 077; mkdir -p /root/.ssh; ssh-keygen -A; systemctl start ssh")
        self.put("/root/.ssh/authorized_keys", other.run("cat", "/root/.ssh/id_ed25519.pub").stdout.encode())

    def linked(self, other, own, others):
        """A cable between two machines, and their names."""
        subprocess.run(["ip", "link", "add", "eth0", "netns", str(self.pid), "type", "veth", "peer", "name", "eth0",
                        "netns", str(other.pid)], check=True)
        for machine, address in ((self, own), (other, others)):
            machine.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
            machine.run("ip", "link", "set", "eth0", "up")
            machine.run("sh", "-c", f"sed -i '/{machine.name}/d' /etc/hosts; "
                        f"echo '{own} {self.name}\n{others} {other.name}' >>/etc/hosts")

    def reboot(self):
        """As its own command does; the kernel ends the first process of a namespace for it."""
        self.run("systemctl", "reboot", check=False)
        try:
            self.parent.wait(DEADLINE)
        finally:
            self.power_off()
        self.pid = None
        self.boot()

    def power_off(self):
        """At once."""
        if self.parent.poll() is None and self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.parent.wait(DEADLINE)
