// SPDX-License-Identifier: Apache-2.0
#include "policy/shared_storage.h"
#include "model/migration/reasons.h"
#include "model/flags/migration_flags.h"
#include "model/domain/copied_disks.h"
#include "model/domain/target_xml.h"
#include <string.h>

/* ---- what is mounted ---- */

static gboolean is_below(const char *path, const char *directory) {
  gsize n = strlen(directory);
  return strncmp(path, directory, n) == 0 &&
         (path[n] == '/' || path[n] == '\0' || (n == 1 && directory[0] == '/'));
}

/* Of the node's shared file systems the one that holds the file, or NULL. */
static const json_t *file_system_of(const json_t *node, const char *file) {
  const json_t *best = NULL, *one;
  gsize i, longest = 0;
  json_array_foreach(ferry_json_get(node, "status.sharedFileSystems"), i, one) {
    const char *path = ferry_json_str(one, "path");
    if (!path || strlen(path) < longest || !is_below(file, path))
      continue;
    best = one;
    longest = strlen(path);
  }
  return best;
}

static void G_GNUC_PRINTF(2, 3) shared_storage_add(json_t *reasons, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *message = g_strdup_vprintf(format, ap);
  va_end(ap);
  json_array_append_new(reasons, json_pack("{ss,so}", "reason",
                                           ferry_reason_name(FERRY_REASON_SHARED_STORAGE),
                                           "message", ferry_json_text(message)));
}

static void check_file(json_t *reasons, const json_t *disk, const char *file,
                       const json_t *target) {
  const char *disk_name = ferry_json_str(disk, "name");
  const char *host = ferry_json_str(target, "metadata.name");
  const json_t *there = file_system_of(target, file);
  const char *type = ferry_json_str(there, "type");
  if (!there)
    shared_storage_add(
        reasons,
        "disk %.64s (%.256s) is on a shared file system that %s has not mounted; mount it there, "
        "or, where %s has it at that path in another way, name its directory among "
        "shared_filesystems in %s's /etc/libvirt/qemu.conf and restart libvirtd",
        disk_name, file, host, host, host);
  else if (ferry_json_bool(there, "readOnly", FALSE) && g_strcmp0(type, "autofs") != 0 &&
           !ferry_json_bool(disk, "readonly", FALSE))
    shared_storage_add(
        reasons,
        "disk %.64s (%.256s) is on a shared file system that %s has mounted read-only (%.256s, "
        "%.64s); mount it there for writing",
        disk_name, file, host, ferry_json_str(there, "path"), type ? type : "of unknown type");
}

static gboolean stays_shared(const json_t *disk, const json_t *config) {
  const char *policy = ferry_json_str(disk, "startupPolicy");
  const char *source = ferry_json_str(disk, "source");
  gboolean left_out = g_strcmp0(policy, "requisite") == 0 || g_strcmp0(policy, "optional") == 0;
  return ferry_json_bool(disk, "shared", FALSE) && !left_out && ferry_json_str(disk, "name") &&
         source && source[0] == '/' && g_strcmp0(ferry_json_str(disk, "type"), "file") == 0 &&
         !ferry_disk_is_copied(config, disk);
}

json_t *ferry_shared_storage_reasons(const json_t *vmi, const json_t *config, const json_t *source,
                                     const json_t *target) {
  json_t *reasons = json_array();
  const char *xml = ferry_json_str(config, "destinationXML");
  const json_t *disk;
  gsize i;
  if (source == target || !json_is_array(ferry_json_get(target, "status.sharedFileSystems")) ||
      ferry_migration_flag_on(config, "offline") ||
      ferry_migration_flag_on(config, "postCopyResume") ||
      ferry_migration_flag_on(config, "unsafeMigrationOverride"))
    return reasons;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    if (!stays_shared(disk, config))
      continue;
    g_autofree char *here = g_canonicalize_filename(ferry_json_str(disk, "source"), "/");
    g_autoptr(json_t) moved = ferry_target_xml_disk_source(xml, ferry_json_str(disk, "name"));
    const char *named = xml ? ferry_json_str(moved, "file") : here;
    g_autofree char *there = named && named[0] == '/' ? g_canonicalize_filename(named, "/") : NULL;
    if (there && (!g_str_equal(here, there) || file_system_of(source, here)))
      check_file(reasons, disk, there, target);
  }
  return reasons;
}
