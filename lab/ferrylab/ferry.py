# SPDX-License-Identifier: Apache-2.0
"""Ferry inside the lab: ferryd on the machine, an agent in every host.

ferryd runs in the machine's network namespace and listens on a free loopback
port, for people. Agents reach it at the switch's management address: that
listening socket is made inside the switch namespace and passed on by systemd
socket activation; a socket stays in the namespace it was made in."""

import contextlib
import ctypes
import json
import os
import shlex
import socket
import subprocess
import time

from . import paths, proc
from .errors import LabError
from .host import tail

START_TIMEOUT = 30.0
READY_TIMEOUT = 60.0
CLONE_NEWNET = 0x40000000
AGENT = f"{paths.IN_BUILD}/ferry-agentd"
AGENT_STATE = "/var/lib/ferry-agent"
AGENT_TOKEN = "/var/lib/ferry-agent-token"


def program(name):
    return paths.build_dir() / name


def check_programs():
    missing = [name for name in ("ferryd", "ferry", "ferry-agentd") if not program(name).exists()]
    if missing:
        raise LabError(f"not built: {', '.join(missing)} (looked in {paths.build_dir()}, from "
                       "FERRY_BUILD); build first, or use --no-ferry for hosts only")


def _state_dir(lab):
    return lab.dir / "ferryd"


def kubeconfig(lab):
    return _state_dir(lab) / "admin.kubeconfig"


def _record(lab):
    return lab.dir / "pids/ferryd.json"


def _log(lab):
    return lab.dir / "log/ferryd.log"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listen_in(pid, address, port):
    """A listening TCP socket made in the network namespace of pid."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", encoding="ascii") as here, \
            open(f"/proc/{pid}/ns/net", encoding="ascii") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise LabError(f"cannot enter the switch's network: {os.strerror(ctypes.get_errno())}")
        try:
            return socket.create_server((address, port), backlog=128)
        finally:
            if libc.setns(here.fileno(), CLONE_NEWNET) != 0:
                os.abort()  # never go on in the wrong network


class _Notify:
    """Receives sd_notify messages on a socket below the lab's run directory."""

    def __init__(self, lab, name):
        self.path = lab.dir / "run" / f"notify-{name}.sock"
        self.inside = f"{paths.IN_RUN}/{self.path.name}"

    def __enter__(self):
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(0.05)
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.path.unlink(missing_ok=True)

    def wait_ready(self, what, log, check):
        """Until READY=1; check() raises when the sender has died."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in self.socket.recv(4096).split(b"\n"):
                    return
            check()
        raise LabError(f"{what} was not ready within {START_TIMEOUT:g} s; {log} ends:\n{tail(log)}")


def start_ferryd(lab, port=None):
    """Starts ferryd and waits until it serves. The port stays the same over restarts."""
    state = lab.state()
    port = port or (state.get("ferry") or {}).get("port") or _free_port()
    if proc.alive(_record(lab)):
        raise LabError("ferryd already runs")
    _state_dir(lab).mkdir(parents=True, exist_ok=True, mode=0o700)
    with _Notify(lab, "ferryd") as notify, \
            _listen_in(lab.switch_pid(), state["server"], paths.FERRYD_AGENT_PORT) as listener:
        env = dict(os.environ, NOTIFY_SOCKET=str(notify.path), LISTEN_FDNAMES="agents")
        command = [str(program("ferryd")), "--state-dir", str(_state_dir(lab)),
                   "--listen", f"127.0.0.1:{port}", "--tls-san", state["server"]]
        fd = listener.fileno()
        proc.launch("exec", _record(lab), _log(lab), f"--listen-fd={fd}", "--", *command,
                    env=env, pass_fds=[fd])

        def check():
            if not proc.alive(_record(lab)):
                raise LabError(f"ferryd has ended; {_log(lab)} ends:\n{tail(_log(lab))}")

        notify.wait_ready("ferryd", _log(lab), check)
    return port


def signal_ferryd(lab, sig):
    if not proc.alive(_record(lab)):
        raise LabError("ferryd does not run")
    if not proc.end(_record(lab), sig):
        raise LabError(f"ferryd did not end on signal {int(sig)}")


def ferryd_runs(lab):
    return proc.alive(_record(lab))


def start_agent(lab, host):
    """Starts a host's agent and waits for its word, which it gives once it has heard ferryd; not where
    that is away. It joins with a token once and keeps what it got in its state directory."""
    state = lab.state()
    log = host.log_dir / "agent.log"
    with _Notify(lab, f"agent-{host.name}") as notify:
        host.start_service("agent", [
            AGENT, "--server", f"https://{state['server']}:{paths.FERRYD_AGENT_PORT}",
            "--node", host.name, "--state-dir", AGENT_STATE, "--token-file", AGENT_TOKEN,
            "--libvirt-uri", "qemu:///system", "--peer-uri", f"qemu+tls://{host.name}/system",
        ], env={"NOTIFY_SOCKET": notify.inside})
        if ferryd_runs(lab):
            notify.wait_ready(f"the agent of {host.name}", log,
                              lambda: host.check_service("agent"))


def _run(argv, what, text=None):
    extra = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
    result = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True,
                            timeout=START_TIMEOUT, check=False, **extra)
    if result.returncode != 0:
        raise LabError(f"{what} failed: {(result.stderr or result.stdout).strip()}\n"
                       f"(command: {shlex.join(map(str, argv))})")
    return result.stdout


def join(lab, host):
    """Gives a host's agent a token of its own, and starts it."""
    token = _run([program("ferryd"), "token", "create", "--node", host.name,
                  "--state-dir", _state_dir(lab)], f"making a join token for {host.name}")
    result = host.exec("sh", "-c", f"umask 077; mkdir -p {AGENT_STATE}; cat >{AGENT_TOKEN}",
                       input=token)
    if result.returncode != 0:
        raise LabError(f"cannot hand {host.name} its token: {result.stderr.strip()}")
    start_agent(lab, host)


def _ferry(lab, *args, text=None):
    return _run([program("ferry"), "--kubeconfig", kubeconfig(lab), *args],
                f"ferry {' '.join(args)}", text)


def _node_ready(node):
    conditions = node.get("status", {}).get("conditions", [])
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def start_all(lab, say):
    """ferryd, the agents and the migration network; what lab.json keeps of it."""
    say("starting ferryd and the agents")
    port = start_ferryd(lab)
    hosts = lab.all_hosts()
    lab._parallel(lambda host: join(lab, host), hosts)  # pylint: disable=protected-access
    network = {
        "apiVersion": "ferry.migration/v1", "kind": "Network", "metadata": {"name": "migration"},
        "spec": {"roles": ["migration"], "subnets": [lab.state()["subnets"]["migration"]]},
    }
    _ferry(lab, "apply", "-f", "-", text=json.dumps(network))

    def all_ready():
        nodes = json.loads(_ferry(lab, "get", "nodes", "-o", "json")).get("items", [])
        ready = {n["metadata"]["name"] for n in nodes if _node_ready(n)}
        return {host.name for host in hosts} <= ready

    proc.wait_for("all nodes Ready in ferryd (see `ferry-lab log ferryd` and `log HOST`)",
                  all_ready, READY_TIMEOUT, interval=0.1)
    return {"port": port}


def status(lab, state):
    if not state.get("ferry"):
        return None
    return {"port": state["ferry"]["port"], "up": proc.alive(_record(lab)) is not None,
            "kubeconfig": str(kubeconfig(lab))}


def env(lab, state):
    """Variables for people; without Ferry in the lab there are none."""
    if not state.get("ferry"):
        return {}
    return {"KUBECONFIG": str(kubeconfig(lab)),
            "FERRY_SERVER": f"https://127.0.0.1:{state['ferry']['port']}"}


