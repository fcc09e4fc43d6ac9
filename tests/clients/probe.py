# SPDX-License-Identifier: Apache-2.0
"""Python's kubernetes package against the API: prints a line of JSON a check: {"check", "ok",
"detail"}. PYTHONPATH names the package; KUBECONFIG is set."""

import json
import time

from kubernetes import client, config, watch

DEADLINE = 15
VMI = ("kubevirt.io", "v1", "default", "virtualmachineinstances")
VMIM = ("kubevirt.io", "v1", "default", "virtualmachineinstancemigrations")


def want(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(status, call, *args, **kw):
    try:
        call(*args, **kw)
    except client.ApiException as error:
        want(error.status == status, f"status {error.status}, expected {status}")
        return json.loads(error.body)
    raise AssertionError(f"no error, expected {status}")


def discovery():
    names = {r.name for r in client.CoreV1Api().get_api_resources().resources}
    want({"nodes", "pods", "pods/eviction", "events", "namespaces"} <= names, f"resources {names}")
    groups = {g.name for g in client.ApisApi().get_api_versions().groups}
    want({"kubevirt.io", "policy", "rbac.authorization.k8s.io"} <= groups, f"groups {groups}")
    client.CoreApi().get_api_versions()
    client.VersionApi().get_code()


def typed_reads():
    core = client.CoreV1Api()
    nodes = core.list_node().items
    want(len(nodes) >= 3 and nodes[0].status.addresses, "nodes")
    want(core.read_node("h1").status.conditions[0].type == "Ready", "a node's conditions")
    core.list_namespace()
    core.list_event_for_all_namespaces()
    core.list_service_for_all_namespaces()
    client.RbacAuthorizationV1Api().list_cluster_role()
    client.RbacAuthorizationV1Api().list_cluster_role_binding()
    pods = core.list_pod_for_all_namespaces(field_selector="spec.nodeName=h1").items
    want([p.spec.node_name for p in pods] == ["h1"], "the pods of h1")
    want(pods[0].status.container_statuses[0].ready, "the pod's container")
    pod = core.read_namespaced_pod(pods[0].metadata.name, "default")
    want(pod.metadata.uid == pods[0].metadata.uid, "another pod")


def typed_writes():
    core = client.CoreV1Api()
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="by-python")))
    core.patch_namespace("by-python", {"metadata": {"labels": {"a": "b"}}})
    core.delete_namespace("by-python")
    node = core.patch_node("h2", {"spec": {"unschedulable": True}})
    want(node.spec.unschedulable, "a cordoned node")
    core.patch_node("h2", {"spec": {"unschedulable": None}})
    may = client.AuthorizationV1Api().create_self_subject_access_review(
        client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(verb="list", resource="nodes"))))
    want(may.status.allowed, "may list nodes")


def until(stream, test):
    end = time.monotonic() + DEADLINE
    for event in stream:
        if test(event):
            return
        want(time.monotonic() < end, "no such event in time")
    raise AssertionError("the watch ended without it")


def watches():
    custom = client.CustomObjectsApi()
    listed = custom.list_namespaced_custom_object(*VMI)
    custom.patch_namespaced_custom_object(
        *VMI, "db", {"metadata": {"labels": {"seen": str(time.time_ns())}}})
    until(watch.Watch().stream(custom.list_namespaced_custom_object, *VMI, timeout_seconds=DEADLINE,
                               resource_version=listed["metadata"]["resourceVersion"]),
          lambda e: e["type"] == "MODIFIED" and e["object"]["metadata"]["name"] == "db")
    core = client.CoreV1Api()
    until(watch.Watch().stream(core.list_node, timeout_seconds=DEADLINE),
          lambda e: e["object"].metadata.name == "h3")
    until(watch.Watch().stream(core.list_pod_for_all_namespaces, timeout_seconds=DEADLINE),
          lambda e: e["type"] == "ADDED" and e["object"].spec.node_name == "h1")


def custom_objects():
    custom = client.CustomObjectsApi()
    made = custom.create_namespaced_custom_object(*VMIM, {
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
        "metadata": {"generateName": "python-"}, "spec": {"vmiName": "db"}}, dry_run="All")
    want(made["metadata"]["name"].startswith("python-"), "a name")
    old = custom.list_namespaced_custom_object("kubevirt.io", "v1alpha3", *VMI[2:])
    want(old["apiVersion"] == "kubevirt.io/v1alpha3" and len(old["items"]) == 3, "v1alpha3")


def refusals():
    core = client.CoreV1Api()
    pod = client.V1Pod(metadata=client.V1ObjectMeta(name="p"),
                       spec=client.V1PodSpec(containers=[client.V1Container(name="c")]))
    want("running VM" in refused(405, core.create_namespaced_pod, "default", pod)["message"],
         "why a pod can't be made")
    refused(404, core.read_node, "nope")
    want("labelSelector" in refused(400, core.list_node, label_selector="a in")["message"],
         "the parameter's name")


CHECKS = {"discovery": discovery, "typed reads": typed_reads, "typed writes": typed_writes,
          "watches (watch=True)": watches, "custom objects": custom_objects, "refusals": refusals}


def main():
    config.load_kube_config()
    for name, check in CHECKS.items():
        detail = ""
        try:
            check()
        except Exception as error:  # pylint: disable=broad-except
            detail = f"{type(error).__name__}: {error}"
        print(json.dumps({"check": name, "ok": not detail, "detail": detail}), flush=True)


main()
