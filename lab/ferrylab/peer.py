# SPDX-License-Identifier: Apache-2.0
"""Looks at a guest from another host of its network: run there as a program.

It holds TCP flows to the guest's echo (lab/guest/linux/net.c), opened once and then idle, and sends
a numbered datagram every 10 ms, which the guest sends back; the guest's own stream comes to the
same port. It answers each line on its standard input with a line of JSON: `reset` begins a new
window, `gaps` has the longest gap between two arrivals of each stream since then, `flows` sends a
word on each TCP flow and counts those that echo it."""

import argparse
import json
import os
import socket
import struct
import sys
import threading
import time

ECHO_PORT = 7
STREAM_PORT = 5000
INTERVAL = 0.010
FLOW_SECONDS = 10.0
SO_TIMESTAMPNS = 35


class Streams:
    """The datagrams both ways, and when they arrived."""

    def __init__(self, guest):
        self.guest = (guest, STREAM_PORT)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind(("", STREAM_PORT))
        self.lock = threading.Lock()
        self.reset()
        for run in (self._send, self._receive):
            threading.Thread(target=run, daemon=True).start()

    def reset(self):
        now = time.time()
        with self.lock:
            self.last = {"s": now, "e": now}
            self.longest = {"s": 0.0, "e": 0.0}
            self.count = {"s": 0, "e": 0}

    def _send(self):
        number, due = 0, time.monotonic()
        while True:
            number += 1
            try:
                self.socket.sendto(b"p" + number.to_bytes(4, "big"), self.guest)
            except OSError:
                pass  # nobody answers for its address just now
            due = max(due + INTERVAL, time.monotonic() - INTERVAL)
            time.sleep(max(0.0, due - time.monotonic()))

    def _receive(self):
        while True:
            data, more, _, _ = self.socket.recvmsg(64, 64)
            kind = data[:1].decode(errors="replace")
            # when the kernel had it, whenever this program gets to see it
            seconds, nanoseconds = struct.unpack("qq", more[0][2])
            now = seconds + nanoseconds / 1e9
            with self.lock:
                if kind in self.last:
                    self.longest[kind] = max(self.longest[kind], now - self.last[kind])
                    self.last[kind] = now
                    self.count[kind] += 1

    def gaps(self):
        now = time.time()
        with self.lock:
            return {name: {"count": self.count[kind], "longest_ms": round(
                        1000 * max(self.longest[kind], now - self.last[kind]), 1)}
                    for name, kind in (("from_guest", "s"), ("both_ways", "e"))}


def _echoes(flow, word, until):
    try:
        flow.settimeout(max(0.01, until - time.monotonic()))
        return flow.recv(len(word)) == word
    except OSError:
        return False


def look(flows):
    """Sends a word on each flow at once, and counts the echoes."""
    word = str(time.monotonic_ns()).encode()
    until = time.monotonic() + FLOW_SECONDS
    for flow in flows:
        try:
            flow.send(word)
        except OSError:
            pass  # counted below
    alive = sum(_echoes(flow, word, until) for flow in flows)
    return {"flows": len(flows), "alive": alive}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("guest")
    parser.add_argument("--flows", type=int, default=50)
    parser.add_argument("--no-streams", action="store_true")
    args = parser.parse_args()
    # A busy machine must not add its own delays to the gaps.
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    flows = [socket.create_connection((args.guest, ECHO_PORT), 10) for _ in range(args.flows)]
    streams = None if args.no_streams else Streams(args.guest)
    answers = {"flows": lambda: look(flows)}
    if streams:
        answers.update(reset=lambda: streams.reset() or {}, gaps=streams.gaps)
    print(json.dumps(look(flows)), flush=True)
    for line in sys.stdin:
        print(json.dumps(answers[line.strip()]()), flush=True)


if __name__ == "__main__":
    main()
