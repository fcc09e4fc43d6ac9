# SPDX-License-Identifier: Apache-2.0
"""The path that a forecast reckons with is measured, over links whose rate is known."""
import json
import threading
import unittest

from labtest import KUBECTLS, LabTest

PORTS = "49199-49214"  # where agents listen


class Forecast(LabTest):
    HOSTS = 2

    def rate(self, rate):
        self.lab_run("link", "h2", "migration", "rate", rate)

    def forecast(self, vm, **spec):
        """status.forecast; with a spec of its own where the command has no option for it."""
        if not spec:
            forecast = self.ferry_json("forecast", vm, "--to", "h2")
            self.assertEqual(self.migrations(vm), [])
            return forecast
        name = f"forecast-{vm}"
        manifest = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                    "metadata": {"name": name},
                    "spec": {"vmiName": vm, "targetNode": "h2", "forecastOnly": True, **spec}}
        self.kubectl(KUBECTLS[0], "create", "-f", "-", text=json.dumps(manifest))
        self.wait(lambda: self.newest(vm)["status"]["phase"] in ("Succeeded", "Failed"), 60,
                  f"the end of {name}")
        status = self.newest(vm)["status"]
        self.ferry("delete", "vmim", name)
        self.assertEqual(status["phase"], "Succeeded", status.get("message"))
        self.assertLessEqual(set(spec), set(status["migrationState"]["migrationConfiguration"]))
        return status["forecast"]

    def assert_measured(self, forecast, megabit):
        self.assertEqual(forecast["bandwidthFrom"], "measured", forecast)
        self.assertNotIn("bandwidthNote", forecast)
        seen = forecast["bandwidthBytesPerSecond"] * 8 / 1e6
        print(f"    {megabit} Mbit/s measured as {seen:.1f}")
        self.assertLess(abs(seen / megabit - 1), 0.15, f"{seen:.1f} Mbit/s")

    def listening(self, host):
        done = self.lab.exec(host, "ss", "-Htln", "sport >= 49199 and sport <= 49214")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_rates(self):
        self.guest("weather", rate=2, working_set=4)
        for megabit in (200, 50):
            self.rate(f"{megabit}mbit")
            with self.subTest(megabit=megabit, encrypted=True):
                self.assert_measured(self.forecast("weather"), megabit)
            with self.subTest(megabit=megabit, encrypted=False):
                self.assert_measured(self.forecast("weather", disableTLS=True), megabit)
        self.wait(lambda: not self.listening("h2"), 5, "no port is left open")
        shown = self.ferry("forecast", "weather", "--to", "h2").stdout
        self.assertIn("as measured just now", shown)

    def test_limit(self):
        """What is sent stays below the migration's own limit, and the limit is the answer."""
        self.guest("capped", rate=2, working_set=4)
        self.rate("200mbit")
        forecast = self.forecast("capped", bandwidthPerMigration="5Mi")
        self.assertEqual(forecast["bandwidthFrom"], "limit", forecast)
        self.assertEqual(forecast["bandwidthBytesPerSecond"], 5 * 2**20, forecast)
        self.assertNotIn("bandwidthNote", forecast)

    def test_two_at_once(self):
        """One waits for the other, so that each sees all of the path."""
        self.guest("first", rate=2, working_set=4)
        self.guest("second", rate=2, working_set=4)
        self.rate("200mbit")
        seen = {}
        threads = [threading.Thread(target=lambda vm=vm: seen.update({vm: self.forecast(vm)}))
                   for vm in ("first", "second")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for vm in ("first", "second"):
            self.assert_measured(seen[vm], 200)

    def test_firewall(self):
        """A firewall that lets no more than QEMU's first ports through: the forecast falls back."""
        self.guest("walled", rate=2, working_set=4)
        self.rate("200mbit")
        # in effect a drop: what h2 answers from there goes nowhere
        rule = ["ipproto", "tcp", "sport", PORTS, "blackhole"]
        self.lab.exec("h2", "ip", "rule", "add", *rule)
        self.addCleanup(self.lab.exec, "h2", "ip", "rule", "del", *rule)
        seen = {}
        thread = threading.Thread(target=lambda: seen.update(self.forecast("walled")))
        self.assertEqual(self.listening("h2"), [])
        thread.start()
        self.wait(lambda: self.listening("h2"), 5, "a port is open while it is measured")
        thread.join()
        forecast = seen
        self.assertIn(forecast["bandwidthFrom"], ("link", "assumed"), forecast)
        self.assertIn("does not answer", forecast["bandwidthNote"])
        shown = self.ferry("forecast", "walled", "--to", "h2").stdout
        self.assertIn("the path was not measured", shown)
        self.wait(lambda: not self.listening("h2"), 5, "the port is closed with the forecast")


if __name__ == "__main__":
    unittest.main()
