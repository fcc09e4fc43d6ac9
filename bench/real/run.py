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
sys.path[:0] = [str(ROOT / "lab"), str(ROOT / "bench")]
import judge  # noqa: E402  pylint: disable=wrong-import-position
from ferrylab import collector, guest as lab_guest  # noqa: E402  pylint: disable=wrong-import-position
from ferrylab.lab import Lab  # noqa: E402  pylint: disable=wrong-import-position

from .api import Api  # noqa: E402  pylint: disable=wrong-import-position
from .bars import OWN, TICK_MS  # noqa: E402  pylint: disable=wrong-import-position

POLL_S = 0.1
SETTLE_S = 0.4
GUEST = "cell"
END = ("Succeeded", "Failed")
FROM_POLICY = ("kubevirt-vep248", "kubevirt-vep291")  # their rules use maxDowntimeMs


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
        """One migration by `rules` (fields of its spec), cancelled after `cut_off_s`. What became of
        it, as a dict."""
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
        # not known to be intact is not intact
        if checked["memory_intact"] is not True or checked["host"] != self.here:
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
        row["within"] = judge.keeps(self.cell.asked(), row, TICK_MS)
        return row


def rules_of(preset, cell, means):
    """Fields of the migration's spec for a preset on a cell, with Ferry's defaults for the rest: no
    monitor command, for one. The intent gets the cell's; a preset that takes its limit from the
    policy gets the cell's maximum, as a person would set it; where the intent may use post-copy
    everybody may whose connections (means_of) do not exclude it."""
    if preset == OWN:
        return {"preset": OWN, "intent": cell.intent()}
    rules = {"preset": preset}
    if preset in FROM_POLICY:
        rules["maxDowntimeMs"] = cell.max_downtime_ms
    if cell.post_copy and not means.get("connections"):
        rules.update(allowPostCopy=True, allowWorkloadDisruption=True)
    return rules


def means_of(policy):
    """What a preset's MigrationPolicy asks for at the start."""
    spec = policy["spec"]
    method = spec.get("compression", "none")
    return {"autoConverge": spec.get("allowAutoConverge", False),
            "postCopy": spec.get("allowPostCopy", False),
            "compression": None if method in ("none", "off") else method,
            "connections": spec.get("parallelConnections", 0) if spec.get("parallel") else 0}
