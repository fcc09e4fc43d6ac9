# SPDX-License-Identifier: Apache-2.0
"""The collectors: one process per guest that timestamps its heartbeats outside.

Its sockets are below the lab's run directory, which every host sees as
/run/ferry-lab: guest-NAME.sock for the guest's serial port, stat-NAME.sock for
requests."""

import contextlib
import json
import os
import signal
import socket

from . import paths, proc
from .errors import LabError

REPLY_LIMIT = 1 << 16


def _record(lab, name):
    return lab.dir / "pids" / f"collector-{name}.json"


def _run_dir(lab):
    return lab.dir / "run"


def serial_path(name):
    """The guest's serial socket as its host sees it."""
    return f"{paths.IN_RUN}/guest-{name}.sock"


def console_path(lab, name):
    return _run_dir(lab) / f"guest-{name}.log"


def console_tail(lab, name, lines=15):
    """The last lines of what the guest's console said."""
    with contextlib.suppress(OSError):
        text = console_path(lab, name).read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])
    return ""


def program():
    path = paths.build_dir() / "lab/collector/ferry-lab-collector"
    if not path.exists():
        raise LabError(f"{path} is missing: build it with `ninja -C {paths.build_dir()}`, or set "
                       "FERRY_BUILD to the build directory")
    return path


def running(lab, name):
    return proc.alive(_record(lab, name)) is not None


def start(lab, name):
    """Starts the guest's collector and waits until it answers; no-op if it runs."""
    if running(lab, name):
        return
    _record(lab, name).parent.mkdir(parents=True, exist_ok=True)
    log = _run_dir(lab) / f"collector-{name}.log"
    argv = [str(program()), "--run-dir", str(_run_dir(lab)), "--name", name,
            "--console", str(console_path(lab, name))]
    # Outlives this program; `stop` and `down` end it by its record.
    pid = os.posix_spawn(argv[0], argv, os.environ, setsid=True, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)])
    proc.write_record(_record(lab, name), pid)

    def answers():
        if proc.starttime(pid) is None:
            raise LabError(f"the collector of guest {name} died at once: "
                           f"{log.read_text(errors='replace').strip() or 'it said nothing'}")
        with contextlib.suppress(LabError):
            return request(lab, name, {"cmd": "stat"})
        return None

    proc.wait_for(f"the collector of guest {name}", answers, 5, interval=0.01)


def stop(lab, name):
    """Ends the collector, if it runs, and removes what it left."""
    if not proc.end(_record(lab, name), signal.SIGTERM, timeout=2):
        proc.end(_record(lab, name), signal.SIGKILL, timeout=2)
    for path in (_record(lab, name), console_path(lab, name),
                 _run_dir(lab) / f"collector-{name}.log", _run_dir(lab) / f"guest-{name}.sock",
                 _run_dir(lab) / f"stat-{name}.sock"):
        path.unlink(missing_ok=True)


def request(lab, name, message, timeout=5.0):
    """Sends one request to the guest's collector; its reply, a dict."""
    directory = os.open(_run_dir(lab), os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(timeout)
            # By way of /proc: a socket's path must be short, a lab's may not be.
            peer.connect(f"/proc/self/fd/{directory}/stat-{name}.sock")
            peer.sendall(json.dumps(message).encode() + b"\n")
            reply = b""
            while not reply.endswith(b"\n") and len(reply) < REPLY_LIMIT:
                part = peer.recv(REPLY_LIMIT)
                if not part:
                    break
                reply += part
        answer = json.loads(reply)
    except (OSError, ValueError) as error:
        raise LabError(f"the collector of guest {name} does not answer ({error}): is there a lab "
                       f"guest of that name? `ferry-lab guest {name}` makes one") from error
    finally:
        os.close(directory)
    if "error" in answer:
        raise LabError(f"guest {name}: {answer['error']}")
    return answer
