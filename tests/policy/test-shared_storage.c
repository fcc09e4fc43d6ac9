// SPDX-License-Identifier: Apache-2.0
#include "policy/shared_storage.h"
#include "policy/choice.h"
#include <string.h>

static json_t *parse(const char *text) {
  json_error_t problem;
  json_t *value = json_loads(text, 0, &problem);
  if (!value)
    g_error("%s at %d", problem.text, problem.position);
  return value;
}

/* `mounts` is the list's inside; NULL: the host does not say. */
static json_t *node(const char *name, const char *mounts) {
  json_t *n = json_pack("{s{ss},s{}}", "metadata", "name", name, "status");
  if (mounts) {
    g_autofree char *list = g_strdup_printf("[%s]", mounts);
    ferry_json_set(n, "status.sharedFileSystems", parse(list));
  }
  return n;
}

#define MOUNT(path, type, ro) "{\"path\":\"" path "\",\"type\":\"" type "\",\"readOnly\":" ro "}"
#define NFS MOUNT("/mnt/nfs", "nfs4", "false")

static json_t *vm(void) {
  return parse("{\"metadata\":{\"name\":\"db\"},\"spec\":{\"domain\":{\"devices\":{\"disks\":["
               "{\"name\":\"vda\",\"type\":\"file\",\"source\":\"/local/a.raw\",\"shared\":false},"
               "{\"name\":\"vdb\",\"type\":\"file\",\"source\":\"/mnt/nfs//b.raw\","
               "\"shared\":true},"
               "{\"name\":\"vdc\",\"type\":\"block\",\"source\":\"/mnt/nfs/c\"},"
               "{\"name\":\"vdd\",\"type\":\"file\",\"source\":\"/mnt/nfs/unknown\"},"
               "{\"name\":\"sda\",\"type\":\"file\",\"readonly\":true}]}}},"
               "\"status\":{\"nodeName\":\"h1\"}}");
}

/* The messages, with "|" between them, of a VM that runs on h1, which has /mnt/nfs. */
static char *said(const json_t *vmi, const char *config, const char *mounts) {
  g_autoptr(json_t) source = node("h1", NFS), target = node("h2", mounts);
  g_autoptr(json_t) c = config ? parse(config) : NULL;
  g_autoptr(json_t) reasons = ferry_shared_storage_reasons(vmi, c, source, target);
  GString *out = g_string_new(NULL);
  gsize i;
  json_t *one;
  json_array_foreach(reasons, i, one) {
    g_assert_cmpstr(ferry_json_str(one, "reason"), ==, "SharedStorage");
    g_string_append_printf(out, "%s%s", i ? "|" : "", ferry_json_str(one, "message"));
  }
  return g_string_free(out, FALSE);
}

static void expect(const json_t *vmi, const char *config, const char *mounts, const char *word) {
  g_autofree char *text = said(vmi, config, mounts);
  if (word ? !strstr(text, word) : *text)
    g_error("with %s and %s: \"%s\", expected %s", config ? config : "nothing",
            mounts ? mounts : "nothing", text, word ? word : "nothing");
}

static void test_mounted(void) {
  g_autoptr(json_t) db = vm();
  expect(db, NULL, NFS, NULL);
  expect(db, NULL, MOUNT("/", "nfs", "false"), NULL);
  expect(db, NULL, MOUNT("/mnt/nfs/b.raw", "xfs", "false"), NULL);
  expect(db, NULL, NULL, NULL); /* an agent that does not say */
#define NOT_THERE                                                                                  \
  "disk vdb (/mnt/nfs/b.raw) is on a shared file system that h2 has not mounted; mount it there"
  expect(db, NULL, "", NOT_THERE);
  expect(db, NULL, MOUNT("/mnt", "nfs4", "false"), NULL);
  expect(db, NULL, MOUNT("/mnt/nf", "nfs4", "false"), NOT_THERE);
  expect(db, NULL, MOUNT("/mnt/nfs2", "nfs4", "false"), NOT_THERE);
  expect(db, NULL, "{},7," MOUNT("/mnt/nfs/b", "nfs4", "false"), NOT_THERE);
  g_autofree char *only = said(db, NULL, "");
  g_assert_null(strchr(only, '|')); /* the other disks are not known to be shared files */
}

static void test_read_only(void) {
  g_autoptr(json_t) db = vm();
#define LOOK MOUNT("/mnt/nfs", "nfs4", "true")
  expect(db, NULL, LOOK,
         "disk vdb (/mnt/nfs/b.raw) is on a shared file system that h2 has mounted read-only "
         "(/mnt/nfs, nfs4); mount it there for writing");
  /* the nearest mount holds the file; one that comes when it is used has not said how */
  expect(db, NULL, MOUNT("/mnt", "nfs4", "true") "," NFS, NULL);
  expect(db, NULL, LOOK "," MOUNT("/mnt", "nfs4", "false"), "read-only");
  expect(db, NULL, MOUNT("/mnt", "autofs", "true"), NULL);
  json_t *disk = ferry_json_find(ferry_json_get(db, "spec.domain.devices.disks"), "name", "vdb");
  ferry_json_set_bool(disk, "readonly", TRUE);
  expect(db, NULL, LOOK, NULL);
  expect(db, NULL, "", NOT_THERE);
  ferry_json_set_str(disk, "startupPolicy", "mandatory");
  expect(db, NULL, "", NOT_THERE);
  ferry_json_set_str(disk, "startupPolicy", "requisite"); /* libvirt leaves it out */
  expect(db, NULL, "", NULL);
}

static void test_not_concerned(void) {
  g_autoptr(json_t) db = vm();
  expect(db, "{\"unsafeMigrationOverride\":true}", "", NULL);
  expect(db, "{\"offline\":true}", "", NULL);
  expect(db, "{\"postCopyResume\":true,\"allowPostCopy\":true}", "", NULL);
  expect(db, "{\"copyStorageAll\":true}", "", NOT_THERE);
  expect(db, "{\"copyStorageAll\":true,\"migrateDisks\":[\"vda\",\"vdb\"]}", "", NULL);
  expect(db, "{\"copyStorageAll\":true,\"migrateDisks\":[\"vda\"]}", "", NOT_THERE);
  expect(db, "{\"migrateDisks\":[\"vdb\"]}", "", NOT_THERE); /* nothing is copied at all */
  g_autoptr(json_t) same = node("h1", "");
  g_autoptr(json_t) here = ferry_shared_storage_reasons(db, NULL, same, same);
  g_assert_cmpuint(json_array_size(here), ==, 0);
  /* a source that does not have it at that path either reaches it by a link */
  static const char *const sources[] = {NULL, "", MOUNT("/data", "nfs4", "false")};
  g_autoptr(json_t) target = node("h2", MOUNT("/data", "nfs4", "false"));
  for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
    g_autoptr(json_t) source = node("h1", sources[i]);
    g_autoptr(json_t) linked = ferry_shared_storage_reasons(db, NULL, source, target);
    g_assert_cmpuint(json_array_size(linked), ==, 0);
  }
}

#define XML(disk) "{\"destinationXML\":\"<domain><devices>" disk "</devices></domain>\"}"

static void test_elsewhere(void) {
  g_autoptr(json_t) db = vm();
  static const char moved[] = XML("<disk type='file'><source file='/srv/a'/><target dev='vda'/>"
                                  "</disk><disk type='file'><source file='/srv/b.raw'/>"
                                  "<target dev='vdb' bus='virtio'/></disk>");
  expect(db, moved, MOUNT("/srv", "nfs4", "false"), NULL);
  expect(db, moved, NFS, "disk vdb (/srv/b.raw) is on a shared file system that h2 has not");
  expect(db, XML("<disk><source file='/mnt/nfs/b.raw'/><target dev='vdb'/></disk>"), "", NOT_THERE);
  expect(db, XML("<disk><source dev='/dev/sdb'/><target dev='vdb'/></disk>"), "", NULL);
  expect(db, XML(""), "", NULL);
  expect(db, "{\"destinationXML\":\"<domain\"}", "", NULL);
}

/* The judgement of a pair has it, beside all else, and waiting does not mend it. */
static void test_placement(void) {
  g_autoptr(json_t) db = vm();
  g_autoptr(json_t) migration = json_object(), config = json_object();
  json_t *nodes[] = {node("h1", NFS), node("h2", ""), node("h3", NFS)};
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
    ferry_json_set(
        nodes[i], "status.hypervisor.peer",
        json_pack("{ss,ss}", "scheme", "tls", "host", ferry_json_str(nodes[i], "metadata.name")));
    ferry_json_set(nodes[i], "status.conditions",
                   json_pack("[{ss,ss}]", "type", "Ready", "status", "True"));
  }
  FerryPlacementInput in = {
      .vmi = db, .migration = migration, .nodes = nodes, .n_nodes = 3, .config = config};
  json_t *refusals = NULL;
  gboolean transient;
  const json_t *chosen = ferry_placement_choose(&in, &refusals, &transient);
  g_assert_cmpstr(ferry_json_str(chosen, "metadata.name"), ==, "h3"); /* h2 comes first by name */
  json_decref(refusals);
  g_autoptr(json_t) reasons = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_cmpuint(json_array_size(reasons), ==, 1);
  g_assert_nonnull(ferry_json_find(reasons, "reason", "SharedStorage"));
  g_assert_false(transient);
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/shared_storage/mounted", test_mounted);
  g_test_add_func("/shared_storage/read-only", test_read_only);
  g_test_add_func("/shared_storage/not-concerned", test_not_concerned);
  g_test_add_func("/shared_storage/elsewhere", test_elsewhere);
  g_test_add_func("/shared_storage/placement", test_placement);
  return g_test_run();
}
