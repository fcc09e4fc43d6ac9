# SPDX-License-Identifier: Apache-2.0
"""One migration of one real guest, measured from outside.

The longest gap and the lost seconds are the collector's, which stands outside of the guest; bytes
and times are libvirt's as Ferry reports them. A migration that has not ended when it is cut off is
cancelled, which leaves the guest where it was."""
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from ferrylab import collector, guest as lab_guest  # noqa: E402  pylint: disable=wrong-import-position
from ferrylab.lab import Lab  # noqa: E402  pylint: disable=wrong-import-position

from .api import Api  # noqa: E402  pylint: disable=wrong-import-position

POLL_S = 0.1
SETTLE_S = 0.4
TICK_MS = 10  # two heartbeats: what a pause can be measured to
GUEST = "cell"
OWN = "intent"
END = ("Succeeded", "Failed")
FROM_POLICY = ("kubevirt", "kubevirt-vep248")


class Bench:
    """A lab of two hosts and the guest of one cell at a time."""

    def __init__(self):
        self.lab = Lab(f"bench{os.getpid()}")
        self.here, self.there = "h1", "h2"
        self.api, self.count, self.cell = None, 0, None

    def __enter__(self):
        self.lab.up(hosts=2)
        env = self.lab.env()
        self.api = Api(env["KUBECONFIG"], env["FERRY_SERVER"])
        return self

    def __exit__(self, *failure):
        self.lab.down()

    def start(self, cell):
        """Starts the cell's guest and shapes its links."""
        self.cell = cell
        self.here, self.there = "h1", "h2"
        for host in (self.here, self.there):
            self.lab.link(host, "migration", "rate", cell.link)
        lab_guest.create(self.lab, {
            "name": GUEST, "kernel": "bare", "memory": cell.memory, "vcpus": 1, "rate": cell.rate,
            "working_set": cell.working_set, "pattern": cell.pattern, "disk": "none",
            "labels": {}, "namespace": "default", "persistent": False}, self.here)
        until = time.monotonic() + 10
        while not self._visible():
            if time.monotonic() > until:
                raise RuntimeError("ferryd does not show the guest within 10 s")
            time.sleep(POLL_S)

    def _visible(self):
        path = f"/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/{GUEST}"
        try:
            return self.api.call("GET", path)["status"].get("phase") == "Running"
        except (RuntimeError, KeyError):
            return False

    def stop(self):
        lab_guest.remove(self.lab, GUEST)

    def _spec(self, rules):
        spec = {"vmiName": GUEST, "targetNode": self.there, "disableTLS": True, "retries": 0,
                **rules}
        if self.cell.cap_mib and "bandwidthPerMigration" not in spec:
            spec["bandwidthPerMigration"] = f"{self.cell.cap_mib}Mi"
        return spec

    def move(self, rules, cut_off_s):
        """One migration by `rules` (fields of its spec). What became of it, as a dict."""
        self.count += 1
        name = f"bench-{self.count}"
        time.sleep(SETTLE_S)
        collector.request(self.lab, GUEST, {"cmd": "stat", "reset": True})
        started = time.monotonic()
        try:
            self.api.migrate(name, self._spec(rules))
        except RuntimeError as refused:
            return {"outcome": "refused", "message": str(refused)}
        cut = False
        while True:
            time.sleep(POLL_S)
            status = self.api.migration(name).get("status", {})
            if status.get("phase") in END:
                break
            if not cut and time.monotonic() - started > cut_off_s:
                cut = True
                self.api.cancel(name)
                status = self._last(name, status)
                break
        seen = collector.request(self.lab, GUEST, {"cmd": "stat"})
        moved = status.get("phase") == "Succeeded"
        if moved:
            self.here, self.there = self.there, self.here
        return self._row(status, seen, "moved" if moved else "cut off" if cut else "gave up")

    def _last(self, name, status):
        """Waits for the end of a cancelled one; its last status."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            time.sleep(POLL_S)
            try:
                status = self.api.migration(name).get("status", status)
            except RuntimeError:
                return status  # deleted: it has ended
            if status.get("phase") in END:
                return status
        raise RuntimeError(f"{name} did not end within 10 s of its cancellation")

    def _row(self, status, seen, outcome):
        summary, decisions = status.get("summary", {}), status.get("decisions", [])
        verdict = next((d for d in decisions if d.get("code") == "Infeasible"), None)
        checked = lab_guest.stat(self.lab, GUEST)  # waits for the memory's check after a move
        if checked["memory_intact"] is False or checked["host"] != self.here:
            raise RuntimeError(f"the guest is wrong after {outcome}: {checked}")
        row = {"outcome": outcome, "seconds": summary.get("totalMs", 0) / 1000,
               "downtime_ms": summary.get("downtimeMs"), "gap_ms": seen["longest_gap_ms"],
               "lost_s": seen["lost_seconds"], "bytes": summary.get("dataTransferredBytes", 0),
               "iterations": summary.get("iterations"),
               "top_throttle": summary.get("topThrottlePercent", 0),
               "post_copy": status.get("migrationState", {}).get("mode") == "PostCopy",
               "reason": status.get("reason"), "memory_intact": checked["memory_intact"]}
        if "forecast" in status:
            row["forecast_s"] = status["forecast"].get("totalMs", 0) / 1000
        if verdict:
            row["infeasible"] = {"seconds": verdict["elapsedMs"] / 1000,
                                 "rounds": verdict.get("iteration", 1) - 1,
                                 "words": verdict["reason"]}
        row["within"] = within(self.cell, row)
        return row


def within(cell, row):
    """Whether it did what the cell's intent asks."""
    return (row["outcome"] == "moved" and row["gap_ms"] <= cell.max_downtime_ms + TICK_MS and
            row["seconds"] <= cell.max_duration_s and row["top_throttle"] <= cell.max_slowdown and
            (cell.post_copy or not row["post_copy"]))


def rules_of(preset, cell):
    """Fields of the migration's spec for a preset on a cell. The intent gets the cell's; a preset
    that takes its limit from the policy gets the cell's maximum, as a person would set it."""
    if preset in FROM_POLICY:
        return {"preset": preset, "maxDowntimeMs": cell.max_downtime_ms}
    if preset != OWN:
        return {"preset": preset}
    rules = {"preset": OWN, "intent": cell.intent()}
    if cell.max_slowdown:
        rules["allowMonitorCommands"] = True
    return rules
