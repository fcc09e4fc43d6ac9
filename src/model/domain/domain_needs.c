// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a definition is walked once, device by device. It errs to the side of too
// little: a need stated in error would refuse what libvirt would do, while one that is missed is
// refused by libvirt itself. So a path counts only where libvirt or QEMU opens it at the start and
// makes it not itself; for what they make, its directory counts.
#include "model/domain/domain_needs.h"
#include "base/compare.h"
#include "model/domain/xml.h"

#include <gio/gio.h>
#include <string.h>

const char *const ferry_need_words[] = {
    [FERRY_NEED_BRIDGE] = "bridge",
    [FERRY_NEED_INTERFACE] = "interface",
    [FERRY_NEED_NETWORK] = "network",
    [FERRY_NEED_POOL] = "pool",
    [FERRY_NEED_VOLUME] = "volume",
    [FERRY_NEED_SECRET] = "secret",
    [FERRY_NEED_FILE] = "file",
    [FERRY_NEED_DIRECTORY] = "directory",
    [FERRY_NEED_ADDRESS] = "address",
    [FERRY_NEED_PORT] = "port",
    [FERRY_NEED_HUGEPAGES] = "hugepages",
    [FERRY_NEED_IMAGE] = "image",
    [FERRY_NEEDS] = NULL,
};

const char *ferry_need_word(FerryNeed need) {
  return ferry_need_words[need];
}

FerryNeed ferry_need_of_word(const char *word) {
  guint i = 0;
  while (i < FERRY_NEEDS && g_strcmp0(ferry_need_words[i], word) != 0)
    i++;
  return (FerryNeed)i;
}

gboolean ferry_need_takes_look(FerryNeed need) {
  return need == FERRY_NEED_FILE || need == FERRY_NEED_DIRECTORY || need == FERRY_NEED_PORT ||
         need == FERRY_NEED_IMAGE;
}

GTree *ferry_looks_tree_new(void) {
  return g_tree_new_full(ferry_compare_keys, NULL, g_free, (GDestroyNotify)json_decref);
}

typedef struct {
  json_t *list;
  gsize most;
} LooksListed;

static gboolean looks_append(gpointer key, gpointer look, gpointer data) {
  LooksListed *listed = data;
  if (json_array_size(listed->list) >= listed->most)
    return TRUE;
  json_array_append(listed->list, look);
  return FALSE;
}

json_t *ferry_looks_tree_list(GTree *looks, gsize most) {
  LooksListed listed = {json_array(), most};
  g_tree_foreach(looks, looks_append, &listed);
  return listed.list;
}

static gboolean needs_says(const xmlNode *node, const char *name, const char *value) {
  g_autofree char *is = ferry_xml_attribute(node, name);
  return g_strcmp0(is, value) == 0;
}

static void needs_add(json_t *out, FerryNeed need, const char *name) {
  const char *word = ferry_need_words[need];
  gsize i;
  json_t *one;
  if (!name || !*name || json_array_size(out) >= FERRY_DOMAIN_NEEDS_MAX)
    return;
  json_array_foreach(out, i, one) {
    if (g_str_equal(ferry_json_str(one, "kind"), word) &&
        g_str_equal(ferry_json_str(one, "name"), name))
      return;
  }
  g_autoptr(json_t) text = json_string(name);
  if (text) /* valid UTF-8 */
    json_array_append_new(out, json_pack("{ss,sO}", "kind", word, "name", text));
}

static void add_attribute(json_t *out, FerryNeed need, const xmlNode *node, const char *name) {
  g_autofree char *value = ferry_xml_attribute(node, name);
  needs_add(out, need, value);
}

/* A path of the host; what is no absolute one means something else. */
static void needs_add_path(json_t *out, FerryNeed need, const char *path) {
  if (path && path[0] == '/')
    needs_add(out, need, path);
}

/* Where a file is made that need not be there. */
static void add_parent(json_t *out, const char *path) {
  g_autofree char *parent = path && path[0] == '/' ? g_path_get_dirname(path) : NULL;
  needs_add_path(out, FERRY_NEED_DIRECTORY, parent);
}

/* ---- disks ---- */

static void add_secrets(json_t *out, const xmlNode *node) {
  for (const xmlNode *n = node ? node->children : NULL; n; n = n->next) {
    if (n->type != XML_ELEMENT_NODE || ferry_xml_is(n, "backingStore") || ferry_xml_is(n, "mirror"))
      continue;
    add_secrets(out, n);
    if (!ferry_xml_is(n, "secret"))
      continue;
    g_autofree char *uuid = ferry_xml_attribute(n, "uuid"),
                    *usage = ferry_xml_attribute(n, "usage");
    g_autofree char *type = ferry_xml_attribute(n, "type");
    /* of an encryption the type says how it is used there, which is by volumes */
    gboolean pass = g_strcmp0(type, "passphrase") == 0;
    g_autofree char *named =
        usage ? g_strdup_printf("%s:%s", pass || !type ? "volume" : type, usage) : NULL;
    needs_add(out, FERRY_NEED_SECRET, uuid ? uuid : named);
  }
}

/* Whether libvirt leaves the medium out where it is not there. */
static gboolean needs_is_optional(const xmlNode *source) {
  g_autofree char *policy = ferry_xml_attribute(source, "startupPolicy");
  return policy && !g_str_equal(policy, "mandatory");
}

/* A file that the guest only reads, or one that a copy of it would be written to. */
static void add_read_disk(json_t *out, const xmlNode *disk, const xmlNode *source) {
  g_autofree char *device = ferry_xml_attribute(disk, "device");
  g_autofree char *file = ferry_xml_attribute(source, "file");
  gboolean read = g_strcmp0(device, "cdrom") == 0 || ferry_xml_child(disk, "readonly");
  if (read && !needs_is_optional(source))
    needs_add_path(out, FERRY_NEED_FILE, file);
  else if (!read && needs_says(disk, "type", "file"))
    needs_add_path(out, FERRY_NEED_IMAGE, file);
}

static void add_disk(json_t *out, const xmlNode *disk) {
  const xmlNode *source = ferry_xml_child(disk, "source");
  g_autofree char *pool = ferry_xml_attribute(source, "pool");
  g_autofree char *volume = ferry_xml_attribute(source, "volume");
  add_secrets(out, disk);
  if (needs_says(disk, "type", "volume") && pool && volume) {
    g_autofree char *both = g_strdup_printf("%s/%s", pool, volume);
    needs_add(out, FERRY_NEED_POOL, pool);
    needs_add(out, FERRY_NEED_VOLUME, both);
  }
  if (needs_says(disk, "type", "block") && !needs_is_optional(source))
    add_attribute(out, FERRY_NEED_FILE, source, "dev");
  else if (needs_says(disk, "type", "dir"))
    add_attribute(out, FERRY_NEED_DIRECTORY, source, "dir");
  else
    add_read_disk(out, disk, source);
}

/* ---- other devices ---- */

static void needs_add_interface(json_t *out, const xmlNode *nic) {
  const xmlNode *source = ferry_xml_child(nic, "source");
  g_autofree char *rom = ferry_xml_attribute(ferry_xml_child(nic, "rom"), "file");
  needs_add_path(out, FERRY_NEED_FILE, rom);
  /* while it runs libvirt says of one of a network what that made it */
  g_autofree char *network = ferry_xml_attribute(source, "network");
  if (network)
    needs_add(out, FERRY_NEED_NETWORK, network);
  else if (needs_says(nic, "type", "bridge"))
    add_attribute(out, FERRY_NEED_BRIDGE, source, "bridge");
  else if (needs_says(nic, "type", "direct"))
    add_attribute(out, FERRY_NEED_INTERFACE, source, "dev");
}

static gboolean is_of_every_host(const char *address) {
  g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(address);
  return !parsed || g_inet_address_get_is_any(parsed) || g_inet_address_get_is_loopback(parsed);
}

static void add_graphics(json_t *out, const xmlNode *graphics) {
  const xmlNode *listen = ferry_xml_child(graphics, "listen");
  g_autofree char *own = ferry_xml_attribute(graphics, "listen");
  g_autofree char *given = ferry_xml_attribute(listen, "address");
  const char *address = given ? given : own;
  if (needs_says(listen, "type", "network")) {
    add_attribute(out, FERRY_NEED_NETWORK, listen, "network");
    return; /* its address is another one there */
  }
  if (address && !is_of_every_host(address))
    needs_add(out, FERRY_NEED_ADDRESS, address);
  static const char *const ports[] = {"port", "tlsPort"};
  for (gsize i = 0; i < G_N_ELEMENTS(ports) && needs_says(graphics, "autoport", "no"); i++) {
    g_autofree char *port = ferry_xml_attribute(graphics, ports[i]);
    guint64 number;
    if (!port || !g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, NULL))
      continue;
    g_autofree char *both = g_strdup_printf("%s %s", address ? address : "127.0.0.1", port);
    needs_add(out, FERRY_NEED_PORT, both);
  }
}

/* A serial port, a channel and their kind. */
static void add_character(json_t *out, const xmlNode *device) {
  const xmlNode *source = ferry_xml_child(device, "source");
  g_autofree char *log = ferry_xml_attribute(ferry_xml_child(device, "log"), "file");
  g_autofree char *path = ferry_xml_attribute(source, "path");
  add_parent(out, log);
  if (needs_says(device, "type", "file"))
    add_parent(out, path);
  else if (needs_says(device, "type", "dev") || needs_says(device, "type", "pipe"))
    needs_add_path(out, FERRY_NEED_FILE, path);
  else if (needs_says(device, "type", "unix") && needs_says(source, "mode", "connect"))
    needs_add_path(out, FERRY_NEED_FILE, path);
}

static void add_device(json_t *out, const xmlNode *n) {
  static const char *const characters[] = {"serial", "parallel", "console", "channel", NULL};
  if (ferry_xml_is(n, "disk")) {
    add_disk(out, n);
  } else if (ferry_xml_is(n, "interface")) {
    needs_add_interface(out, n);
  } else if (ferry_xml_is(n, "graphics")) {
    add_graphics(out, n);
  } else if (g_strv_contains(characters, (const char *)n->name)) {
    add_character(out, n);
  } else if (ferry_xml_is(n, "filesystem") && needs_says(n, "type", "mount")) {
    add_attribute(out, FERRY_NEED_DIRECTORY, ferry_xml_child(n, "source"), "dir");
  } else if (ferry_xml_is(n, "rng") &&
             needs_says(ferry_xml_child(n, "backend"), "model", "random")) {
    g_autofree char *path = ferry_xml_own_text(ferry_xml_child(n, "backend"));
    needs_add_path(out, FERRY_NEED_FILE, path);
  }
}

/* ---- what is no device ---- */

static void add_boot(json_t *out, const xmlNode *os) {
  static const char *const files[] = {"loader", "kernel", "initrd", "dtb"};
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    const xmlNode *child = ferry_xml_child(os, files[i]);
    g_autofree char *path = child ? ferry_xml_own_text(child) : NULL;
    needs_add_path(out, FERRY_NEED_FILE, path);
  }
  const xmlNode *nvram = ferry_xml_child(os, "nvram");
  g_autofree char *template = ferry_xml_attribute(nvram, "template");
  needs_add_path(out, FERRY_NEED_FILE, template);
}

static void add_memory(json_t *out, const xmlNode *backing) {
  const xmlNode *huge = ferry_xml_child(backing, "hugepages");
  const xmlNode *page = ferry_xml_child(huge, "page");
  g_autofree char *size = ferry_xml_attribute(page, "size"),
                  *unit = ferry_xml_attribute(page, "unit");
  guint64 n = 0, scale = ferry_xml_memory_unit(unit);
  if (!huge || (size && (!g_ascii_string_to_unsigned(size, 10, 1, G_MAXUINT32, &n, NULL) ||
                         !scale || n > G_MAXUINT64 / scale)))
    return;
  g_autofree char *kib = g_strdup_printf("%" G_GUINT64_FORMAT, n * scale / 1024);
  needs_add(out, FERRY_NEED_HUGEPAGES, kib);
}

/* Files that QEMU reads at its start; what it may make itself is not among them. */
static void add_argument(json_t *out, const char *before, const char *argument) {
  static const char *const files[] = {"-bios", "--bios", "-kernel",     "-initrd",
                                      "-dtb",  "-cdrom", "-option-rom", NULL};
  if (before && g_strv_contains(files, before)) {
    needs_add_path(out, FERRY_NEED_FILE, argument);
    return;
  }
  g_auto(GStrv) parts = g_strsplit(argument, ",", 64);
  for (gsize i = 0; parts[i]; i++)
    if (g_str_has_prefix(parts[i], "file=") || g_str_has_prefix(parts[i], "romfile="))
      needs_add_path(out, FERRY_NEED_FILE, strchr(parts[i], '=') + 1);
}

static void add_command_line(json_t *out, const xmlNode *line) {
  g_autofree char *before = NULL;
  for (const xmlNode *n = line ? line->children : NULL; n; n = n->next) {
    if (!ferry_xml_is(n, "arg"))
      continue;
    char *argument = ferry_xml_attribute(n, "value");
    if (argument)
      add_argument(out, before, argument);
    g_free(before);
    before = argument;
  }
}

json_t *ferry_domain_needs(const xmlNode *domain) {
  json_t *out = json_array();
  const xmlNode *devices = ferry_xml_child(domain, "devices");
  add_boot(out, ferry_xml_child(domain, "os"));
  add_memory(out, ferry_xml_child(domain, "memoryBacking"));
  add_command_line(out, ferry_xml_child(domain, "commandline"));
  for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next)
    if (n->type == XML_ELEMENT_NODE)
      add_device(out, n);
  return out;
}
