# SPDX-License-Identifier: Apache-2.0
"""One lab host: what is in its filesystem, its init and its libvirtd.

The host is its init (ferry-lab-init): killing that ends all of it. Its root is
an overlay of, from the top: the host's scratch directory, its seed (files that
make it this host, written before it starts), the warm QEMU capability cache,
and the base. Services are started by the init over its control socket; their
logs are in the lab directory, so they outlive the host."""

import os
import platform
import shutil
import socket
import subprocess
import uuid
from pathlib import Path

from . import base, certs, kvm, net, paths, proc
from .errors import LabError

LIBVIRT_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + paths.IN_BUILD,
    "HOME": "/root",
    "LANG": "C.UTF-8",
}

LIBVIRTD_CONF = """\
listen_tls = 1
listen_tcp = 0
listen_addr = "0.0.0.0"
auth_unix_ro = "none"
auth_unix_rw = "none"
auth_tls = "none"
host_uuid = "{uuid}"
log_outputs = "3:stderr"
"""

QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
default_tls_x509_cert_dir = "/etc/pki/qemu"
default_tls_x509_verify = 1
migrate_tls_x509_cert_dir = "/etc/pki/qemu"
migrate_tls_x509_verify = 1
shared_filesystems = [ "{shared}" ]
"""


class Host:
    """A host of a lab; lab_dir and data (from lab.json) say all there is to know."""

    def __init__(self, lab_dir, data):
        self.dir = lab_dir / "hosts" / data["name"]
        self.lab_dir = lab_dir
        self.name = data["name"]
        self.uuid = data["uuid"]
        self.suite = data.get("suite", base.SUITE)
        self.addresses = {"management": data["management"], "migration": data["migration"]}
        self.record = lab_dir / "pids" / f"host-{self.name}.json"
        self.log_dir = lab_dir / "log" / self.name
        self.control = lab_dir / "run" / f"init-{self.name}.sock"

    # -- start

    def prepare(self, all_hosts):
        """Writes the seed: what distinguishes this host from the others."""
        seed = self.dir / "seed"
        for directory in (seed / "etc/libvirt", self.dir / "scratch", self.dir / "root",
                          self.dir / "local", self.log_dir):
            directory.mkdir(parents=True, exist_ok=True)
        lines = ["127.0.0.1 localhost"]
        for other in all_hosts:
            lines.append(f"{other.addresses['management']} {other.name}")
            lines.append(f"{other.addresses['migration']} {other.name}-migration")
        (seed / "etc/hosts").write_text("\n".join(lines) + "\n")
        (seed / "etc/hostname").write_text(self.name + "\n")
        (seed / "etc/machine-id").write_text(uuid.UUID(self.uuid).hex + "\n")
        (seed / "etc/libvirt/libvirtd.conf").write_text(LIBVIRTD_CONF.format(uuid=self.uuid))
        (seed / "etc/libvirt/qemu.conf").write_text(QEMU_CONF.format(shared=paths.IN_SHARED))
        directory = self.lab_dir / "certs"
        certs.make_host(directory, self.name, self.addresses.values(),
                        rsa=any(other.suite == "bookworm" for other in all_hosts))
        certs.install(directory, self.name, seed)

    def start_init(self):
        """Starts the host's init; the base of its suite must be there."""
        layers = [str(path) for path in (self.dir / "seed", warm_layer(self.suite),
                                         base.base_path(self.suite)) if path.is_dir()]
        if any(set(layer) & set(":,\\") for layer in layers):
            raise LabError(f"a path of {layers} has one of : , \\ in it, which overlayfs can't "
                           "take: choose another FERRY_LAB_CACHE")
        binds = [f"{self.lab_dir}/shared:{paths.IN_SHARED}", f"{self.dir}/local:{paths.IN_LOCAL}",
                 f"{self.lab_dir}/run:{paths.IN_RUN}", f"{self.log_dir}:{paths.IN_LOG}"]
        if paths.build_dir().is_dir():
            binds.append(f"{paths.build_dir()}:{paths.IN_BUILD}:ro")
        if kvm.usable():
            binds.append("/dev/kvm:/dev/kvm")
        proc.launch("host", self.record, self.log_dir / "init.log",
                    f"--hostname={self.name}", f"--control={self.control}",
                    f"--lower={':'.join(layers)}", f"--scratch={self.dir}/scratch",
                    f"--root={self.dir}/root", *[f"--bind={bind}" for bind in binds])

    def start_libvirtd(self):
        self.start_service("libvirtd", ["libvirtd", "--listen"])

    def wait_libvirtd(self):
        """Waits until libvirtd answers and has probed QEMU, so that the first
        migration doesn't pay for that."""
        path = self.path("/run/libvirt/libvirt-sock")

        def there():
            self.check_service("libvirtd")
            # Connecting tells more than the file: a killed libvirtd leaves that behind.
            with socket.socket(socket.AF_UNIX) as client:
                return client.connect_ex(str(path)) == 0

        proc.wait_for(f"libvirtd on {self.name} (log: {self.log_dir}/libvirtd.log)", there,
                      LIBVIRT_TIMEOUT)
        result = self.exec("virsh", "-c", "qemu:///system", "domcapabilities", "--virttype",
                           "kvm" if kvm.usable() else "qemu", timeout=LIBVIRT_TIMEOUT)
        if result.returncode != 0:
            raise LabError(f"libvirtd on {self.name} does not answer: {result.stderr.strip()} "
                           f"(log: {self.log_dir}/libvirtd.log)")

    # -- services

    def pid(self):
        """Pid of the init; LabError if the host isn't up."""
        pid = proc.alive(self.record)
        if not pid:
            raise LabError(f"host {self.name} is not up; see `ferry-lab status`")
        return pid

    def runs(self):
        return proc.alive(self.record) is not None

    def path(self, inside):
        """Where the machine sees a file of the host's, as a Path; LabError if the host isn't up."""
        return Path(f"/proc/{self.pid()}/root/{inside.lstrip('/')}")

    def _request(self, *strings):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(10)
            try:
                client.connect(str(self.control))
                client.send("\0".join(strings).encode() + b"\0")
                reply = client.recv(65536).decode()
            except OSError as error:
                raise LabError(f"the init of {self.name} does not answer: {error}") from None
        if reply.startswith("error"):
            raise LabError(f"{self.name}: {reply[6:]}")
        return reply

    def start_service(self, name, argv, env=None):
        """Starts argv as service name, logging to NAME.log; its pid in the host."""
        variables = [f"{key}={value}" for key, value in {**ENVIRONMENT, **(env or {})}.items()]
        reply = self._request("start", name, f"{paths.IN_LOG}/{name}.log", "/usr/bin/env", "-i",
                              *variables, *argv)
        return int(reply.split()[1])

    def services(self):
        """{name: (pid in the host, "running" | "exited N" | "killed N")}; {} if down."""
        if not proc.alive(self.record):
            return {}
        rows = [line.split(" ", 2) for line in self._request("list").splitlines()]
        return {name: (int(pid), state) for name, pid, state in rows}

    def service_runs(self, name):
        return self.services().get(name, (0, ""))[1] == "running"

    def check_service(self, name):
        """LabError with the end of its log if the service has ended."""
        _, state = self.services().get(name, (0, "not started"))
        if state != "running":
            raise LabError(f"{name} on {self.name} is gone ({state}); its log "
                           f"{self.log_dir}/{name}.log ends:\n{tail(self.log_dir / f'{name}.log')}")

    def signal_service(self, name, sig):
        """Signals a service and waits for its end."""
        self._request("signal", name, str(int(sig)))
        proc.wait_for(f"end of {name} on {self.name}", lambda: not self.service_runs(name),
                      STOP_TIMEOUT)

    # -- commands

    def argv(self, *command, term=None):
        """The machine's command line that runs command inside the host."""
        env = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
        if term:
            env.append(f"TERM={term}")
        return ["nsenter", f"--target={self.pid()}", "--mount", "--uts", "--ipc", "--net", "--pid",
                "--", "/usr/bin/env", "-i", *env, *command]

    def exec(self, *command, input=None, timeout=None):  # pylint: disable=redefined-builtin
        """Runs command inside the host; CompletedProcess with text output."""
        extra = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        return subprocess.run(self.argv(*map(str, command)), capture_output=True, text=True,
                              timeout=timeout, check=False, **extra)


def tail(path, lines=15):
    """The last lines of a log, for error messages."""
    try:
        return "\n".join(Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def warm_layer(suite):
    """Where the suite's QEMU capability cache for this machine's kernel and KVM is kept."""
    kind = "kvm" if kvm.usable() else "tcg"
    return Path(f"{base.base_path(suite)}.warm-{platform.release()}-{kind}")


def save_warm_layer(host):
    """Keeps a host's capability cache for the labs to come."""
    target = warm_layer(host.suite)
    if target.is_dir():
        return
    with base.locked(paths.cache_dir() / ".lock-warm"):
        if target.is_dir():
            return
        temporary = Path(f"{target}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        inside = "var/cache/libvirt/qemu/capabilities"
        (temporary / inside).mkdir(parents=True)
        listing = host.exec("sh", "-c", f"ls /{inside}/*.xml")
        for name in listing.stdout.split():
            text = host.exec("cat", name).stdout
            (temporary / inside / Path(name).name).write_text(text)
        if listing.returncode == 0:
            os.rename(temporary, target)


def plug(switch_pid, host):
    net.plug(switch_pid, host.pid(), host.name, host.addresses)
