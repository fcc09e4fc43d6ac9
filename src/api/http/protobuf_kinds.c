// SPDX-License-Identifier: Apache-2.0
// What may come as protobuf: the kinds of Kubernetes' own that Ferry serves for writing, field by
// field, with the numbers of Kubernetes' generated.proto files. What is not here is skipped, as are
// metadata.managedFields, which the server keeps itself.
#include "api/http/protobuf.h"
#include "model/field/object_meta.h"

#define F(n, name, type, ...)                                                                      \
  { (n), (name), FERRY_PROTOBUF_##type, ##__VA_ARGS__ }
#define END                                                                                        \
  { 0 }
#define MESSAGE(name) static const FerryProtobufField name[]

MESSAGE(owner_reference) = {F(1, "kind", TEXT),
                            F(3, "name", TEXT),
                            F(4, "uid", TEXT),
                            F(5, "apiVersion", TEXT),
                            F(6, "controller", BOOL),
                            F(7, "blockOwnerDeletion", BOOL),
                            END};
MESSAGE(meta) = {F(1, "name", TEXT),
                 F(2, "generateName", TEXT),
                 F(3, "namespace", TEXT),
                 F(5, "uid", TEXT),
                 F(6, "resourceVersion", TEXT),
                 F(7, "generation", INT),
                 F(8, "creationTimestamp", TIME),
                 F(9, "deletionTimestamp", TIME),
                 F(10, "deletionGracePeriodSeconds", GIVEN_INT),
                 F(11, "labels", MAP),
                 F(12, "annotations", MAP),
                 F(13, "ownerReferences", MESSAGES, owner_reference),
                 F(14, "finalizers", TEXTS),
                 END};
MESSAGE(only_meta) = {F(1, "metadata", MESSAGE, meta), END};

/* Of a Namespace and of a Node, whose lastHeartbeatTime (3) nobody reads. */
MESSAGE(condition) = {F(1, "type", TEXT),   F(2, "status", TEXT),  F(4, "lastTransitionTime", TIME),
                      F(5, "reason", TEXT), F(6, "message", TEXT), END};
MESSAGE(namespace_spec) = {F(1, "finalizers", TEXTS), END};
MESSAGE(namespace_status) = {F(1, "phase", TEXT), F(2, "conditions", MESSAGES, condition), END};
MESSAGE(namespace) = {F(1, "metadata", MESSAGE, meta), F(2, "spec", MESSAGE, namespace_spec),
                      F(3, "status", MESSAGE, namespace_status), END};

MESSAGE(taint) = {F(1, "key", TEXT), F(2, "value", TEXT), F(3, "effect", TEXT),
                  F(4, "timeAdded", TIME), END};
MESSAGE(node_spec) = {F(4, "unschedulable", BOOL), F(5, "taints", MESSAGES, taint), END};
MESSAGE(node_address) = {F(1, "type", TEXT), F(2, "address", TEXT), END};
MESSAGE(node_info) = {F(1, "machineID", TEXT),
                      F(2, "systemUUID", TEXT),
                      F(3, "bootID", TEXT),
                      F(4, "kernelVersion", TEXT),
                      F(5, "osImage", TEXT),
                      F(6, "containerRuntimeVersion", TEXT),
                      F(7, "kubeletVersion", TEXT),
                      F(8, "kubeProxyVersion", TEXT),
                      F(9, "operatingSystem", TEXT),
                      F(10, "architecture", TEXT),
                      END};
MESSAGE(node_status) = {F(1, "capacity", QUANTITIES),
                        F(2, "allocatable", QUANTITIES),
                        F(4, "conditions", MESSAGES, condition),
                        F(5, "addresses", MESSAGES, node_address),
                        F(7, "nodeInfo", MESSAGE, node_info),
                        END};
MESSAGE(node) = {F(1, "metadata", MESSAGE, meta), F(2, "spec", MESSAGE, node_spec),
                 F(3, "status", MESSAGE, node_status), END};

MESSAGE(object_reference) = {F(1, "kind", TEXT),       F(2, "namespace", TEXT),
                             F(3, "name", TEXT),       F(4, "uid", TEXT),
                             F(5, "apiVersion", TEXT), F(6, "resourceVersion", TEXT),
                             F(7, "fieldPath", TEXT),  END};
MESSAGE(event_source) = {F(1, "component", TEXT), F(2, "host", TEXT), END};
MESSAGE(event_series) = {F(1, "count", INT), F(2, "lastObservedTime", MICRO_TIME), END};
MESSAGE(event) = {F(1, "metadata", MESSAGE, meta),
                  F(2, "involvedObject", MESSAGE, object_reference),
                  F(3, "reason", TEXT),
                  F(4, "message", TEXT),
                  F(5, "source", MESSAGE, event_source),
                  F(6, "firstTimestamp", TIME),
                  F(7, "lastTimestamp", TIME),
                  F(8, "count", INT),
                  F(9, "type", TEXT),
                  F(10, "eventTime", MICRO_TIME),
                  F(11, "series", MESSAGE, event_series),
                  F(12, "action", TEXT),
                  F(13, "related", MESSAGE, object_reference),
                  F(14, "reportingComponent", TEXT),
                  F(15, "reportingInstance", TEXT),
                  END};

MESSAGE(resource_attributes) = {
    F(1, "namespace", TEXT), F(2, "verb", TEXT),        F(3, "group", TEXT), F(4, "version", TEXT),
    F(5, "resource", TEXT),  F(6, "subresource", TEXT), F(7, "name", TEXT),  END};
MESSAGE(path_attributes) = {F(1, "path", TEXT), F(2, "verb", TEXT), END};
MESSAGE(self_access_spec) = {F(1, "resourceAttributes", MESSAGE, resource_attributes),
                             F(2, "nonResourceAttributes", MESSAGE, path_attributes), END};
MESSAGE(self_access) = {F(1, "metadata", MESSAGE, meta), F(2, "spec", MESSAGE, self_access_spec),
                        END};
MESSAGE(access_spec) = {F(1, "resourceAttributes", MESSAGE, resource_attributes),
                        F(2, "nonResourceAttributes", MESSAGE, path_attributes),
                        F(3, "user", TEXT),
                        F(4, "groups", TEXTS),
                        F(6, "uid", TEXT),
                        END};
MESSAGE(access_review) = {F(1, "metadata", MESSAGE, meta), F(2, "spec", MESSAGE, access_spec), END};
MESSAGE(rules_spec) = {F(1, "namespace", TEXT), END};
MESSAGE(self_rules) = {F(1, "metadata", MESSAGE, meta), F(2, "spec", MESSAGE, rules_spec), END};

MESSAGE(policy_rule) = {F(1, "verbs", TEXTS),           F(2, "apiGroups", TEXTS),
                        F(3, "resources", TEXTS),       F(4, "resourceNames", TEXTS),
                        F(5, "nonResourceURLs", TEXTS), END};
MESSAGE(role) = {F(1, "metadata", MESSAGE, meta), F(2, "rules", MESSAGES, policy_rule), END};
MESSAGE(subject) = {F(1, "kind", TEXT), F(2, "apiGroup", TEXT), F(3, "name", TEXT),
                    F(4, "namespace", TEXT), END};
MESSAGE(role_ref) = {F(1, "apiGroup", TEXT), F(2, "kind", TEXT), F(3, "name", TEXT), END};
MESSAGE(binding) = {F(1, "metadata", MESSAGE, meta), F(2, "subjects", MESSAGES, subject),
                    F(3, "roleRef", MESSAGE, role_ref), END};

MESSAGE(preconditions) = {F(1, "uid", TEXT), F(2, "resourceVersion", TEXT), END};
MESSAGE(delete_options) = {F(1, "gracePeriodSeconds", GIVEN_INT),
                           F(2, "preconditions", MESSAGE, preconditions),
                           F(4, "propagationPolicy", TEXT), F(5, "dryRun", TEXTS), END};
MESSAGE(eviction) = {F(1, "metadata", MESSAGE, meta),
                     F(2, "deleteOptions", MESSAGE, delete_options), END};

const FerryProtobufKind ferry_protobuf_kinds[] = {
    {"", "Namespace", namespace},
    {"", "Node", node},
    {"", "Event", event},
    {"policy", "Eviction", eviction},
    {FERRY_GROUP_AUTHORIZATION, "SelfSubjectAccessReview", self_access},
    {FERRY_GROUP_AUTHORIZATION, "SelfSubjectRulesReview", self_rules},
    {FERRY_GROUP_AUTHORIZATION, "SubjectAccessReview", access_review},
    {FERRY_GROUP_AUTHORIZATION, "LocalSubjectAccessReview", access_review},
    {"authentication.k8s.io", "SelfSubjectReview", only_meta},
    {FERRY_GROUP_RBAC, "Role", role},
    {FERRY_GROUP_RBAC, "ClusterRole", role},
    {FERRY_GROUP_RBAC, "RoleBinding", binding},
    {FERRY_GROUP_RBAC, "ClusterRoleBinding", binding},
    {NULL, "DeleteOptions", delete_options},
};
const gsize ferry_protobuf_n_kinds = G_N_ELEMENTS(ferry_protobuf_kinds);
