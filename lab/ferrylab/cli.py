# SPDX-License-Identifier: Apache-2.0
"""The command line of ferry-lab: one function per command."""

import argparse
import importlib
import json
import os
import shlex
import subprocess
import sys

from . import base, lab as labmod, net
from .errors import LabError


def _up(lab, args):
    lab.up(args.hosts, args.migration_rate, args.management_rate, not args.no_ferry,
           say=labmod.say_to_stderr, suites=args.suites.split(","))


def _down(lab, _args):
    lab.down()


def _base(_lab, args):
    for suite in args.suites:
        base.check_suite(suite)
    for suite in args.suites or base.SUITES:
        print(base.ensure(labmod.say_to_stderr, suite))


def _status(lab, args):
    status = lab.status()
    if args.output == "json":
        print(json.dumps(status, indent=2))
        return 0 if status["up"] else 1
    print(f"lab {status['name']}: {'up' if status['up'] else 'not up'} ({status['dir']})")
    for host in status["hosts"]:
        services = ", ".join(f"{name} {state}" for name, state in host["services"].items())
        links = ", ".join(
            f"{network} {host[network]} {link['rate'] if link['up'] else 'down'}"
            for network, link in host["links"].items())
        print(f"{host['name']} ({host.get('suite', base.SUITE)}): "
              f"{'up' if host['up'] else 'gone'}; {services or 'no services'}; "
              f"{links}")
    if status.get("ferry"):
        ferry = status["ferry"]
        print(f"ferryd: {'up' if ferry['up'] else 'gone'} on 127.0.0.1:{ferry['port']}, "
              f"kubeconfig {ferry['kubeconfig']}")
    return 0 if status["up"] else 1


def _env(lab, _args):
    for name, value in lab.env().items():
        print(f"export {name}={shlex.quote(value)}")


def _become(argv):
    sys.stdout.flush()
    os.execvp(argv[0], argv)


def _virsh(lab, args):
    host = lab.host(args.host)
    _become(host.argv("virsh", "-c", "qemu:///system", *args.args, term=os.environ.get("TERM")))


def _exec(lab, args):
    command = args.args[1:] if args.args[:1] == ["--"] else args.args
    if not command:
        raise LabError("exec: a command is missing, as in: ferry-lab exec h1 ip address")
    _become(lab.host(args.host).argv(*command, term=os.environ.get("TERM")))


def _log(lab, args):
    files = [str(path) for path in lab.log_files(args.what) if path.exists()]
    if not files:
        raise LabError(f"no log of {args.what} yet")
    _become(["tail", *(["-F"] if args.follow else []), "-n", "+1", "--", *files])


def _link(lab, args):
    lab.link(args.host, args.network, args.action, args.rate)


def _kill(lab, args):
    lab.kill(args.target, args.what)


def _stop(lab, args):
    lab.stop(args.target, args.what)


def _start(lab, args):
    lab.start(args.target, args.what)


def _add_lab_commands(commands):
    up = commands.add_parser("up", help="bring the lab up")
    up.add_argument("--hosts", type=int, default=labmod.DEFAULT_HOSTS, metavar="N",
                    help="number of hosts, h1 to hN (default: %(default)s)")
    up.add_argument("--suites", default=base.SUITE, metavar="S,...",
                    help=f"Debian of h1, h2, ..., the last for all after it, out of "
                         f"{', '.join(base.SUITES)} (default: %(default)s)")
    up.add_argument("--migration-rate", default=labmod.DEFAULT_MIGRATION_RATE, metavar="R",
                    help="rate of each host's migration link, each way (default: %(default)s)")
    up.add_argument("--management-rate", metavar="R",
                    help="rate of each host's management link (default: unshaped)")
    up.add_argument("--no-ferry", action="store_true", help="hosts only: no ferryd, no agents")
    up.set_defaults(func=_up)
    commands.add_parser("down", help="take the lab down and restore the machine") \
        .set_defaults(func=_down)
    root = commands.add_parser("base", help="make the hosts' cached root filesystems and print "
                                            "their paths")
    root.add_argument("suites", nargs="*", metavar="SUITE",
                      help=f"which (default: {' and '.join(base.SUITES)})")
    root.set_defaults(func=_base)
    status = commands.add_parser("status", help="show hosts, services and links",
                                 description="Exit status 1 if the lab is not (wholly) up.")
    status.add_argument("-o", "--output", choices=["text", "json"], default="text")
    status.set_defaults(func=_status)
    commands.add_parser("env", help="print shell lines: eval \"$(ferry-lab env)\"") \
        .set_defaults(func=_env)


def _guest_network(lab, _args):
    for host, address in lab.guest_network().items():
        print(f"{host} {address}")


def _add_host_commands(commands):
    for name, function, text in (("virsh", _virsh, "run virsh against a host's libvirtd"),
                                 ("exec", _exec, "run a command inside a host")):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("host", metavar="HOST")
        parser.add_argument("args", nargs=argparse.REMAINDER, metavar="ARGS")
        parser.set_defaults(func=function)
    log = commands.add_parser("log", help="print the logs of a host or of ferryd")
    log.add_argument("what", metavar="HOST|ferryd")
    log.add_argument("-f", "--follow", action="store_true", help="keep printing what is added")
    log.set_defaults(func=_log)
    commands.add_parser("guest-network", help="join the hosts by a network for their guests") \
        .set_defaults(func=_guest_network)
    link = commands.add_parser("link", help="cut, join or shape a host's link")
    link.add_argument("host", metavar="HOST")
    link.add_argument("network", choices=list(net.NETWORKS))
    link.add_argument("action", choices=["up", "down", "rate"])
    link.add_argument("rate", nargs="?", metavar="R", help="with rate: 400mbit, 1gbit, none")
    link.set_defaults(func=_link)
    for name, function, text, whats in (
            ("kill", _kill, "kill -9 something, for fault tests",
             "libvirtd, agent, qemu:GUEST or host"),
            ("stop", _stop, "end a service with SIGTERM", "libvirtd or agent"),
            ("start", _start, "start a service that was killed or stopped", "libvirtd or agent")):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("target", metavar="HOST|ferryd")
        parser.add_argument("what", nargs="?", metavar="WHAT", help=f"on a host: {whats}")
        parser.set_defaults(func=function)


def make_parser():
    parser = argparse.ArgumentParser(
        prog="ferry-lab", description="Real libvirt hosts in namespaces of this machine.",
        epilog="FERRY_LAB names the lab (default: ferry), FERRY_BUILD the build directory, "
               "FERRY_LAB_CACHE where the hosts' root filesystem is kept.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_lab_commands(commands)
    _add_host_commands(commands)
    try:
        guest = importlib.import_module(".guest", __package__)
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.guest":
            raise
    else:
        guest.add_parsers(commands)
    return parser


def main(argv=None):
    args = make_parser().parse_args(argv)
    try:
        return args.func(labmod.Lab(), args) or 0
    except LabError as error:
        print(f"ferry-lab: {error}", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired as error:
        print(f"ferry-lab: no answer within {error.timeout:g} s: {shlex.join(error.cmd)}",
              file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
