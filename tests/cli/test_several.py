# SPDX-License-Identifier: Apache-2.0
"""ferry migrate of several VMs at once, and their way home, against a scripted server.

usage: test_several.py FERRY
"""
import unittest

from scripted_server import failure
from test_program import VMIM, Program, migration

VMI = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"


def vm(name, phase="Running", node="h1"):
    return {"metadata": {"name": name, "namespace": "default"}, "status": {"phase": phase, "nodeName": node}}


class Several(Program):
    """Migrations of a, b and c are called m-a, m-b and m-c; each has ended when it is looked at the second time."""

    def setUp(self):
        super().setUp()
        self.route("GET /apis/kubevirt.io/v1/virtualmachineinstances", (200, {"items": [vm("a"), vm("b")]}))
        self.route(f"GET {VMI}", (200, {"items": [vm("a"), vm("b"), vm("off", "Stopped")]}))
        self.looks, self.ends = {}, {}
        self.route(f"POST {VMIM}", self.made)
        for name in "abc":
            self.route(f"GET {VMI}/{name}", (200, vm(name)))
            self.ends[name] = ("Succeeded", {})
            self.route(f"GET {VMIM}/m-{name}", lambda _h, _b, n=name: self.look(n))

    @staticmethod
    def of(name, phase, **status):
        m = migration(phase, 5, migrationState={"sourceNode": "h1", "targetNode": "h2"}, **status)
        m["metadata"]["name"], m["spec"]["vmiName"] = f"m-{name}", name
        return m

    def made(self, _handler, body):
        name = body["spec"]["vmiName"]
        answer = self.ends.get(name)
        return answer if isinstance(answer[0], int) else (201, self.of(name, "Pending"))

    def look(self, name):
        self.looks[name] = self.looks.get(name, 0) + 1
        phase, status = self.ends[name]
        return (200, self.of(name, phase, **status) if self.looks[name] > 1 else self.of(name, "Running"))

    def asked_for(self):
        return [body["spec"] for method, _, body in self.server.asked if method == "POST"]

    def lists(self):
        return [path for method, path, _ in self.server.asked if method == "GET" and path.split("?")[0] == VMI]

    def test_by_labels(self):
        done = self.run_ferry("migrate", "-l", "app=web", "--to", "h2")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.asked_for(), [{"vmiName": "a", "targetNode": "h2"}, {"vmiName": "b", "targetNode": "h2"}])
        self.assertIn("labelSelector=app%3Dweb", self.lists()[0])
        lines = done.stdout.splitlines()
        self.assertEqual(lines[-1], "2 of 2 have moved.")
        self.assertRegex(lines[0], "^a: Succeeded: h1 . h2")
        self.assertEqual(len(lines), 3)

    def test_from_a_host(self):
        done = self.run_ferry("migrate", "--from", "h1", "--no-wait")
        self.assertEqual((done.returncode, done.stdout), (0, "m-a\nm-b\n"))
        self.assertIn("fieldSelector=status.nodeName%3Dh1", self.lists()[0])
        self.assertEqual(self.asked_for(), [{"vmiName": "a"}, {"vmiName": "b"}])

    def test_by_names_and_what_fails(self):
        self.ends["b"] = ("Failed", {"message": "the cable was cut"})
        done = self.run_ferry("migrate", "a", "b", "c")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"b: Failed.*: the cable was cut\n")
        self.assertIn("2 of 3 have moved.", done.stdout)

    def test_what_is_refused_keeps_nobody_else(self):
        self.ends["a"] = failure(422, "Invalid", "a has a host device")
        done = self.run_ferry("migrate", "a", "b", "c")
        self.assertEqual(done.returncode, 3)
        self.assertIn("a has a host device", done.stderr)
        self.assertIn("2 of 3 have moved.", done.stdout)

    def test_a_name_that_is_none_keeps_all(self):
        done = self.run_ferry("migrate", "a", "b", "nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing", done.stderr)
        self.assertEqual(self.asked_for(), [])


class BringBack(Program):
    """ferry undrain h1 --bring-back."""
    ALL = "/apis/kubevirt.io/v1/virtualmachineinstancemigrations"

    def setUp(self):
        super().setUp()
        self.route("PATCH /api/v1/nodes/h1", (200, {}))
        self.route("GET /apis/ferry.migration/v1/evacuations", (200, {"items": []}))
        self.route(f"POST {VMIM}", self.made)

    def made(self, _handler, body):
        name = body["spec"]["vmiName"]
        self.route(f"GET {VMIM}/m-{name}", (200, Several.of(name, "Succeeded")))
        return 201, Several.of(name, "Pending")

    @staticmethod
    def moved(name, end, to="h2", evacuates="h1", phase="Succeeded"):
        m = migration(phase, 5, migrationState={"sourceNode": "h1", "targetNode": to, "endTimestamp": end})
        m["metadata"].update(name=f"{name}-{end}", annotations={"ferry.migration/evacuates": evacuates})
        m["spec"]["vmiName"] = name
        return m

    def test_what_left_and_nothing_else(self):
        one, two = "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"
        self.route("GET /apis/kubevirt.io/v1/virtualmachineinstances", (200, {"items": [
            vm("away", node="h2"), vm("onward", node="h3"), vm("stopped", "Stopped", "h2"), vm("home"),
            vm("others", node="h2"), vm("moves", node="h2"), vm("failed", node="h2"), vm("strange", node="h2"),
            vm("later", node="h2")]}))
        tonight = self.moved("later", two, phase="Pending")
        tonight["status"]["queue"] = {"reason": "NotYet", "message": "it begins at 22:00"}
        self.route(f"GET {self.ALL}", (200, {"items": [
            self.moved("away", one, phase="Failed", to="h3"), self.moved("away", two),
            self.moved("onward", one), self.moved("onward", two, to="h3", evacuates="h2"),
            self.moved("stopped", one), self.moved("home", one), self.moved("others", one, evacuates="h3"),
            self.moved("moves", one), self.moved("moves", two, phase="Running", to="h3"),
            self.moved("failed", one, phase="Failed"), self.moved("later", one), tonight]}))
        done = self.run_ferry("undrain", "h1", "--bring-back")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([body["spec"] for method, _, body in self.server.asked if method == "POST"],
                         [{"vmiName": "away", "targetNode": "h1"}, {"vmiName": "later", "targetNode": "h1"}])
        self.assertIn("2 of 2 VMs are back on h1.", done.stdout)
        # the host is open before anything comes
        order = [method for method, _, _ in self.server.asked]
        self.assertLess(order.index("PATCH"), order.index("POST"))

    def test_nothing_is_away_or_is_refused(self):
        self.route("GET /apis/kubevirt.io/v1/virtualmachineinstances", (200, {"items": [vm("away", node="h2")]}))
        self.route(f"GET {self.ALL}", (200, {"items": []}))
        done = self.run_ferry("undrain", "h1", "--bring-back")
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "No VM is away from h1."))
        self.route(f"GET {self.ALL}", (200, {"items": [self.moved("away", "2026-01-01T00:00:01Z")]}))
        self.route(f"POST {VMIM}", failure(422, "Invalid", "h1 has no room"))
        done = self.run_ferry("undrain", "h1", "--bring-back")
        self.assertEqual(done.returncode, 3)
        self.assertIn("default/away:\nerror: h1 has no room", done.stderr)
        self.assertIn("0 of 1 VMs are back on h1.", done.stdout)


def load_tests(loader, _tests, _pattern):
    """Without those of the class that this one is made from."""
    return unittest.TestSuite(case(name) for case in (Several, BringBack)
                              for name in loader.getTestCaseNames(case) if name in vars(case))


if __name__ == "__main__":
    import sys
    unittest.main(argv=sys.argv[:1])
