# SPDX-License-Identifier: Apache-2.0
"""The table of test_conformance.py: sections of steps, run in order against one server each.

A step is a command line of kubectl, what its output must hold (regular expressions), and what the
document says of it. A step without `says` only prepares the next one."""

from dataclasses import dataclass, field

NEW, OLD = ("1.32",), ("1.20",)
VMI = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"

MANIFESTS = {
    "migration.yaml": """apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: migration-job
spec:
  vmiName: db
""",
    "generated.yaml": """apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  generateName: migration-
spec:
  vmiName: web
""",
    "refused.yaml": """apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: refused
spec:
  vmiName: "off"
  targetNode: h1
""",
    "typo.yaml": """apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: typo
spec:
  vmName: db
  vmiName: db
""",
    "policy.yaml": """apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata:
  name: slow
  labels:
    team: a
spec:
  bandwidthPerMigration: 217Ki
  selectors:
    namespaceSelector:
      hpc-workloads: "true"
""",
    "left-out.yaml": """apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata:
  name: left-out
  labels:
    team: a
spec:
  selectors:
    namespaceSelector:
      left-out: "true"
""",
    "faster.yaml": """apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata:
  name: slow
spec:
  bandwidthPerMigration: 300Ki
  selectors:
    namespaceSelector:
      hpc-workloads: "true"
""",
    "boolean.yaml": """apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata:
  name: boolean
spec:
  selectors:
    namespaceSelector:
      hpc-workloads: true
""",
    "kubevirt.yaml": """apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata:
  name: kubevirt
  namespace: kubevirt
spec:
  configuration:
    migrations:
      parallelMigrationsPerCluster: 5
""",
    "harvester.yaml": """apiVersion: kubevirt.io/v1
kind: Kubevirt
metadata:
  name: kubevirt
  namespace: kubevirt
spec:
  configuration:
    migrations:
      parallelMigrationsPerCluster: 6
""",
    "kubevirt-team.yaml": """apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata:
  name: kubevirt
  namespace: kubevirt
  labels:
    team: a
spec:
  configuration:
    migrations:
      parallelMigrationsPerCluster: 7
""",
    "migration-team.yaml": """apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: migration-job
  labels:
    team: a
spec:
  vmiName: db
""",
    "evacuation.yaml": """apiVersion: ferry.migration/v1
kind: Evacuation
metadata:
  name: empty-h1
spec:
  nodeName: h1
""",
}


@dataclass
class Step:
    command: str
    want: tuple = ()
    says: str = ""
    code: int = 0
    unwanted: tuple = ()
    versions: tuple = ()
    stdin: str = None
    env: dict = field(default_factory=dict)
    meanwhile: str = ""  # runs once the command has said something; it is ended when `want` is there

    def shown(self):
        prefix = "".join(f"{key}='{value}' " for key, value in sorted(self.env.items()))
        stdin = f" < {self.stdin}" if self.stdin else ""
        meanwhile = f" & {self.meanwhile}" if self.meanwhile else ""
        return prefix + self.command + stdin + meanwhile


@dataclass
class Section:
    title: str
    steps: list
    options: tuple = ()
    text: str = ""


def ok(command, says, *want, **more):
    return Step("kubectl " + command, want, says, **more)


def bad(command, says, *want, **more):
    return Step("kubectl " + command, want, says, code=1, **more)


def do(command, **more):
    return Step("kubectl " + command, **more)


def every_way(word, plain, team):
    """Each way to change one object of a kind; `team` is the file of it with a label."""
    shows = f"get {word} -o yaml"
    patch = f"patch {word} --type="
    return [
        ok(f"create -f {plain}", "created", "created"),
        ok(f"apply -f {team}", "changed, though it was not applied before", "configured"),
        ok(shows, "", "^    team: a$"),
        ok(f"edit {word}", "edited", "edited", 
           env={"KUBE_EDITOR": 'sed -i "s/team: a/team: b/"'}),
        ok(shows, "", "^    team: b$"),
        ok(patch + """merge -p '{"metadata":{"labels":{"by":"merge"}}}'""", "a merge patch",
           "patched"),
        ok(shows, "", "^    by: merge$"),
        ok(patch + """json -p '[{"op":"replace","path":"/metadata/labels/by","value":"json"}]'""",
           "a JSON patch", "patched"),
        ok(shows, "", "^    by: json$"),
        ok(f"replace -f {plain}", "replaced: what the file has not goes", "replaced"),
        ok(shows, "", unwanted=("^    by: ", "^    team: ")),
        ok(f"apply --server-side --force-conflicts -f {team}", "applied by the server",
           "serverside-applied"),
        ok(shows + " --show-managed-fields", "", "^    team: a$", "operation: Apply",
           versions=NEW),
        ok(shows, "", "^    team: a$"),
    ]


SECTIONS = [
    Section("Discovery and documents", [
        ok("version", "the server's version", "Server Version"),
        ok("api-versions", "the groups", "kubevirt.io/v1", "migrations.kubevirt.io/v1alpha1",
           "ferry.migration/v1", "policy/v1"),
        ok("cluster-info", "where the server is", "is running at .*https://"),
        ok("api-resources", "kinds with their short names", "vmi,vmis", "vmim,vmims", "kv,kvs",
           "evacuations", unwanted=("aliases", r"\bKubevirt\b")),
        ok("explain vmim.spec.vmiName", "the field's documentation", "vmiName"),
        ok("explain kubevirt.spec.configuration.migrations", "fields of the configuration",
           "parallelMigrationsPerCluster"),
        ok("explain node.spec.taints", "fields of core kinds too", "effect"),
        ok("get --raw /openapi/v2", "OpenAPI v2 as JSON", '"swagger":"2.0"'),
        ok("get --raw /openapi/v3", "the index of OpenAPI v3", "serverRelativeURL"),
        ok("get --raw /healthz", "ok", "^ok"),
    ]),
    Section("Reading", [
        ok("get vmi", "a table", "^NAME +PHASE +NODE", "^db +Running +h1"),
        ok("get vmi -o wide", "more columns", "DOMAIN"),
        ok("get vmi web_1 -o name", "a VM by its domain's name", "virtualmachineinstance.kubevirt"),
        ok("get vmi -A", "all namespaces", "^NAMESPACE"),
        ok("get vmi -L tier", "labels as columns", "TIER"),
        ok("get vmi -l 'tier in (db,web),!x'", "label selectors", "^db", "^web"),
        ok("get vmi -l tier!=db", "label selectors", "No resources found"),
        ok("get vmi --field-selector status.nodeName=h1", "field selectors", "^db", "^off",
           unwanted=("^web",)),
        bad("get vmi --field-selector spec.colour=red", "400: an unknown field", "spec.colour"),
        ok("get vmi --sort-by=.status.phase", "sorted by a field, not by name",
           r"^NAME.*\n(db|web) +Running.*\n(db|web) +Running.*\noff +Stopped"),
        ok("get vmi --chunk-size=1 -v=8", "a list of three in three pages", "^db", "^off", "^web",
           r"GET https://\S+[?&]limit=1\b(?s:.*) GET https://\S+[?&]continue=\S+"
           r"(?s:.*) GET https://\S+[?&]continue=", unwanted=(
               r"(?s)(GET https://\S+[?&]continue=.*){3}",)),
        ok("get nodes", "hosts", "^h1 +Ready", "^h3 +NotReady"),
        ok("get all", "everything of the category all", "virtualmachineinstance.kubevirt.io/db"),
        ok("describe vmi db", "the object and its events", "Domain Name: +db", "Events:"),
        ok("describe node h1", "the host, its VMs as pods, and what they take",
           "virt-launcher-db-h1", "memory +256Mi"),
        bad("get vmi nope", "404", "NotFound.*\"nope\" not found"),
    ]),
    Section("Creating", [
        ok("create -f migration.yaml --dry-run=client", "checked by kubectl", "dry run"),
        ok("create -f migration.yaml --dry-run=server", "checked by the server, not stored",
           "server dry run"),
        bad("get vmim migration-job", "", "NotFound"),
        ok("cordon h2", "", "cordoned"),
        bad("create -f migration.yaml --dry-run=server",
            "422 where no host can take the VM: a bullet for every host and reason",
            r"^\* nodes\[h1\]: the VM runs on h1", r"^\* nodes\[h2\]: node h2 is cordoned",
            r"^\* nodes\[h3\]: node h3 is not ready"),
        ok("uncordon h2", "", "uncordoned"),
        ok("create -f migration.yaml", "created", "created"),
        bad("create -f migration.yaml", "409", "AlreadyExists"),
        ok("create -f generated.yaml -o name", "a name is made", "/migration-.{5}$"),
        bad("create -f refused.yaml", "422, a bullet for every reason", r"^\* spec.vmiName: ",
            r"^\* spec.targetNode: "),
        bad("create -f typo.yaml", "an unknown field is refused", "vmName"),
        bad("create -f typo.yaml --validate=strict", "400", "unknown field", versions=NEW),
        ok("create namespace team", "created (new kubectl sends protobuf)", "created"),
        bad("delete namespace default", "403", "may not be deleted"),
    ]),
    Section("Applying", [
        ok("apply -f policy.yaml", "created", "created"),
        ok("apply -f policy.yaml", "nothing to do", "unchanged"),
        ok("diff -f policy.yaml", "no difference"),
        bad("diff -f faster.yaml", "the difference", r"^\+ +bandwidthPerMigration: 300Ki"),
        ok("apply -f faster.yaml", "changed; what the file has no longer goes", "configured"),
        ok("get migrationpolicy slow -o yaml", "", unwanted=("team: a",)),
        ok("edit migrationpolicy slow", "edited", "edited",
           env={"KUBE_EDITOR": "sed -i s/300Ki/400Ki/"}),
        ok("replace -f policy.yaml", "replaced", "replaced"),
        ok("apply -f left-out.yaml", "", "created"),
        ok("apply -f policy.yaml --prune -l team=a --prune-whitelist="
           "migrations.kubevirt.io/v1alpha1/MigrationPolicy",
           "removes what was applied with the label and is not in the file",
           "^migrationpolicy.*/left-out pruned", unwanted=("slow pruned",), versions=OLD),
        ok("apply -f policy.yaml --prune -l team=a --prune-allowlist="
           "migrations.kubevirt.io/v1alpha1/MigrationPolicy",
           "removes what was applied with the label and is not in the file",
           "^migrationpolicy.*/left-out pruned", unwanted=("slow pruned",), versions=NEW),
        bad("get migrationpolicy left-out", "", "NotFound"),
        ok("apply -f boolean.yaml", "a label's value without quotes is taken as text", "created"),
        ok("get migrationpolicy boolean -o yaml", "", "hpc-workloads: \"true\""),
        ok("apply -f kubevirt.yaml", "created", "created"),
        ok("apply -f kubevirt.yaml", "unchanged", "unchanged"),
        ok("delete -f kubevirt.yaml", "deleted", "deleted"),
        ok("apply -f harvester.yaml", "`kind: Kubevirt` is taken as KubeVirt", "created"),
        ok("apply -f harvester.yaml", "the same again", "unchanged"),
        ok("get kv -n kubevirt", "it is the KubeVirt", "^kubevirt"),
        ok("delete -f policy.yaml", "deleted", "deleted"),
    ]),
    Section("Server-side apply", [
        ok("apply --server-side -f policy.yaml", "created", "serverside-applied"),
        bad("apply --server-side --field-manager=other -f faster.yaml",
            "409 names field and owner", 'conflict with "kubectl".*spec.bandwidthPerMigration'),
        ok("apply --server-side --field-manager=other --force-conflicts -f faster.yaml",
           "takes the field over", "serverside-applied"),
        ok("get migrationpolicy slow -o yaml", "", "300Ki", "team: a"),
        bad("apply --server-side -f policy.yaml", "409: it is another's now",
            'conflict with "other"'),
        ok("apply --server-side --force-conflicts -f policy.yaml", "taken back",
           "serverside-applied"),
        ok("apply --server-side --force-conflicts -f faster.yaml", "", "serverside-applied"),
        ok("get migrationpolicy slow -o yaml", "a field that the file has no longer goes", "300Ki",
           unwanted=("team: a",)),
        ok("apply --server-side --dry-run=server --force-conflicts -f policy.yaml", "a dry run",
           "serverside-applied"),
        ok("apply -f policy.yaml", "client-side apply goes on from there", "configured"),
    ]),
    Section("Every way to change each of the three kinds", [
        *every_way("kv kubevirt -n kubevirt", "kubevirt.yaml", "kubevirt-team.yaml"),
        *every_way("migrationpolicy slow", "faster.yaml", "policy.yaml"),
        *every_way("vmim migration-job", "migration.yaml", "migration-team.yaml"),
    ]),
    Section("Changing", [
        ok("label vmi db a=b", "labelled", "labeled"),
        ok("annotate vmi db note='x y'", "annotated", "annotated"),
        ok("""patch vmi db -p '{"metadata":{"labels":{"c":"d"}}}'""", "a strategic merge patch",
           "patched"),
        ok("""patch vmi db --type=merge -p '{"metadata":{"labels":{"e":"f"}}}'""",
           "a merge patch", "patched"),
        ok("""patch vmi db --type=json -p '[{"op":"remove","path":"/metadata/labels/a"}]'""",
           "a JSON patch", "patched"),
        ok("get vmi db --show-labels", "", "c=d,e=f,tier=db"),
        ok("patch vmi db --type=merge -p '{}'", "nothing changes", "no change"),
        bad("""patch vmi db --type=merge -p '{"spec":{"domainName":"x"}}'""",
            "422: the spec is what was found", "spec: Forbidden"),
        bad("""patch vmi db --type=merge -p '{"metadata":{"resourceVersion":"1"}}'""",
            "409: an old resourceVersion", "Conflict"),
        bad("""patch vmi db --type=merge -p '{"metadata":{"uid":"1"}}'""",
            "409: another uid", "Conflict"),
        ok("cordon h1", "cordoned", "cordoned"),
        ok("get node h1", "it shows", "SchedulingDisabled"),
        ok("uncordon h1", "uncordoned", "uncordoned"),
        ok("taint node h1 k=v:NoSchedule", "tainted", "tainted"),
        ok("taint node h1 k-", "untainted", "untainted"),
    ]),
    Section("Waiting and watching", [
        ok("wait --for=condition=LiveMigratable vmi/db --timeout=5s", "met", "condition met"),
        bad("wait --for=condition=Paused vmi/db --timeout=1s", "times out", "timed out"),
        ok("wait --for=jsonpath='{.status.phase}'=Running vmi/db --timeout=5s", "met",
           "condition met", versions=NEW),
        ok("get vmi -w -L seen", "the table, then each change", r"^NAME.*SEEN", r"^db .*\d+s *$",
           r"^web (?s:.*)^db .*\d+s +yes$", meanwhile="kubectl label vmi db seen=yes"),
        ok(f"get --raw '{VMI}?watch=1&timeoutSeconds=1&sendInitialEvents=true"
           "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'",
           "all objects, then a bookmark that says so", '"type":"ADDED"',
           '"k8s.io/initial-events-end":"true"'),
        ok(f"get --raw '{VMI}?watch=1&resourceVersion=99999999'",
           "a revision of the future: one ERROR event", '"type":"ERROR".*"code":410'),
        ok(f"get --raw '{VMI}?watch=1&timeoutSeconds=12&fieldSelector=metadata.name%3Dx'",
           "an empty line every 10 s, so that no client takes it for dead", r"^\n"),
    ]),
    Section("A short history", [
        *[do(f"label vmi db n={i} --overwrite") for i in range(8)],
        ok(f"get --raw '{VMI}?watch=1&resourceVersion=2'",
           "a revision that is forgotten: one ERROR event, 410 Expired",
           '"type":"ERROR".*"reason":"Expired".*"code":410'),
    ], options=("--log-entries=4",)),
    Section("Deleting", [
        do("create -f migration.yaml"),
        ok("delete vmim migration-job --wait=false --dry-run=server", "a dry run", "dry run"),
        ok("delete vmim migration-job --wait=false", "cancelled; it stays until it has ended",
           "deleted"),
        ok("get vmim migration-job -o yaml", "", "deletionTimestamp", "migrationJobFinalizer"),
        ok("""patch vmim migration-job --type=json -p """
           """'[{"op":"remove","path":"/metadata/finalizers"}]'""",
           "the last finalizer goes, and the object with it", "patched"),
        bad("get vmim migration-job", "", "NotFound"),
        do("create -f generated.yaml"),
        ok("delete vmim --all --wait=false", "a collection", "deleted"),
        bad("delete vmi db", "405: VMs are found, not deleted", "MethodNotAllowed"),
    ]),
    Section("Access", [
        ok("auth can-i create vmim", "yes", "^yes"),
        ok("auth can-i --list", "everything", r"\*"),
        ok("auth whoami", "who you are", "admin", versions=NEW),
        bad("get vmi --as bob", "403: nothing gives bob a right",
            r"\AError from server \(Forbidden\): .*User \"bob\" cannot list.*\n\Z"),
    ]),
    Section("Migrating", [
        ok("create -f migration.yaml", "starts a migration", "created"),
        ok("wait --for=jsonpath='{.status.phase}'=Succeeded vmim/migration-job --timeout=20s",
           "it has ended", "condition met", versions=NEW),
        do("wait --for=condition=Ready vmi/db --timeout=20s"),
        ok("get events", "", "LAST SEEN"),
        bad("create -f refused.yaml", "422", "is not running"),
    ], options=("--agents",)),
    Section("kubectl drain", [
        ok("drain h1", "every VM moves to another host", "node/h1 cordoned",
           "evicting pod default/virt-launcher-db-h1", "^(node/h1|pod/)"),
        ok("get vmi --field-selector status.nodeName=h1", "only what does not run is left", "^off",
           unwanted=("^db",)),
        bad("drain h2 --timeout=2s", "no host can take them: 429 with all reasons, said at once, "
            "asked again every 5 s", "h1 is cordoned", "is not ready", r"will retry after 5s"),
        ok("uncordon h1", "", "uncordoned"),
        ok("drain h2 --timeout=20s", "now it can", "evict"),
        bad("drain h1 --disable-eviction --timeout=5s", "405: a pod is a VM, and not deleted",
            "stands for a running VM"),
    ], options=("--agents", "--vms=3"), text=(
        "Each running VM is shown as one pod on its host; evicting it starts a migration with the "
        "highest priority. While it waits in the queue the answer is 429, which kubectl tries "
        "again.")),
    Section("Evacuations", [
        ok("apply -f evacuation.yaml", "the same as an object", "created"),
        ok("wait --for=jsonpath='{.status.phase}'=Succeeded evacuation/empty-h1 --timeout=20s",
           "it has ended", "condition met", versions=NEW),
        ok("wait --for=condition=Complete evacuation/empty-h1 --timeout=20s", "it has ended",
           "condition met"),
        ok("get evacuations", "how far it is", "^empty-h1 +Succeeded +h1 +4 +4 +0 +0"),
        ok("delete evacuation empty-h1", "deleted", "deleted"),
    ], options=("--agents", "--vms=3")),
]
