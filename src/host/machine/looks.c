// SPDX-License-Identifier: Apache-2.0
#include "host/machine/looks.h"
#include "model/domain/domain_needs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LISTENING 0x0A /* TCP_LISTEN in the kernel's table */

/* ---- files ---- */

gboolean ferry_look_is_private(const char *path) {
  static const char *const folders[] = {"root",
                                        "home",
                                        "etc",
                                        "proc",
                                        "sys",
                                        "boot",
                                        "var/spool",
                                        "var/mail",
                                        "var/backups",
                                        "var/lib/ferry",
                                        "var/lib/ferry-agent",
                                        "run/user",
                                        "run/secrets",
                                        "run/credentials"};
  if (path[0] != '/' || path[1] == '/' || strstr(path, "/../") || g_str_has_suffix(path, "/..") ||
      strstr(path, "//") || strstr(path, "/./"))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
    gsize len = strlen(folders[i]);
    if (strncmp(path + 1, folders[i], len) == 0 && (path[len + 1] == '/' || !path[len + 1]))
      return TRUE;
  }
  return FALSE;
}

static char *look_at_name(const char *path, gboolean directory, gboolean *known) {
  struct stat found;
  *known = TRUE;
  if (stat(path, &found) != 0) {
    *known = errno == ENOENT || errno == ENOTDIR;
    return *known ? g_strdup("it is not there") : NULL;
  }
  if (directory && !S_ISDIR(found.st_mode))
    return g_strdup("it is no directory");
  return NULL;
}

/* ---- ports ---- */

static gboolean look_at_hex(const char *text, gsize digits, guint64 *out) {
  g_autofree char *part = g_strndup(text, digits);
  return g_ascii_string_to_unsigned(part, 16, 0, G_MAXUINT32, out, NULL);
}

/* The kernel writes an address as its 32-bit words in the machine's order, in hexadecimal. */
static gboolean same_address(const char *text, gboolean ipv6, const char *wanted) {
  guint8 bytes[16] = {0}, any[16] = {0};
  gsize words = ipv6 ? 4 : 1;
  for (gsize i = 0; i < words; i++) {
    guint64 number;
    if (!look_at_hex(text + 8 * i, 8, &number))
      return FALSE;
    guint32 word = (guint32)number;
    memcpy(bytes + 4 * i, &word, sizeof word);
  }
  guint8 own[16] = {0};
  if (memcmp(bytes, any, 4 * words) == 0)
    return TRUE;
  if (inet_pton(ipv6 ? AF_INET6 : AF_INET, wanted, own) != 1)
    return FALSE;
  return memcmp(own, any, 4 * words) == 0 || memcmp(own, bytes, 4 * words) == 0;
}

gboolean ferry_look_is_listening(const char *table, gboolean ipv6, const char *address,
                                 guint16 port) {
  g_auto(GStrv) lines = g_strsplit(table, "\n", 0);
  gsize digits = ipv6 ? 32 : 8;
  for (gsize i = 1; lines[0] && lines[i]; i++) {
    const char *local = strchr(lines[i], ':');
    guint64 own, state;
    local = local ? local + 1 + strspn(local + 1, " ") : "";
    if (strlen(local) < digits + 6 || local[digits] != ':')
      continue;
    g_auto(GStrv) parts = g_strsplit(local + digits + 1, " ", 4); /* port, other end, state */
    if (g_strv_length(parts) < 3 || !look_at_hex(parts[0], 4, &own) ||
        !look_at_hex(parts[2], 2, &state))
      continue;
    if (own == port && state == LISTENING && same_address(local, ipv6, address))
      return TRUE;
  }
  return FALSE;
}

static char *look_at_port(const char *name, gboolean *known) {
  g_auto(GStrv) parts = g_strsplit(name, " ", 2);
  guint64 port = 0;
  static const char *const files[] = {"/proc/net/tcp", "/proc/net/tcp6"};
  *known = FALSE;
  if (g_strv_length(parts) != 2 ||
      !g_ascii_string_to_unsigned(parts[1], 10, 1, G_MAXUINT16, &port, NULL))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *table = NULL;
    if (!g_file_get_contents(files[i], &table, NULL, NULL))
      continue;
    *known = TRUE;
    if (ferry_look_is_listening(table, i == 1, parts[0], (guint16)port))
      return g_strdup("another program listens on it");
  }
  return NULL;
}

/* ---- images ---- */

#define QCOW2_MAGIC "QFI\xfb"
#define QCOW2_SIZE_AT 24

/* The size that a guest sees of the image; -1: not known. */
static gint64 image_size(const char *path) {
  struct stat found;
  guint8 head[QCOW2_SIZE_AT + 8];
  FILE *file = stat(path, &found) == 0 && S_ISREG(found.st_mode) ? fopen(path, "re") : NULL;
  if (!file)
    return -1;
  gboolean whole = fread(head, sizeof head, 1, file) == 1;
  fclose(file);
  if (!whole || memcmp(head, QCOW2_MAGIC, 4) != 0)
    return found.st_size;
  guint64 size;
  memcpy(&size, head + QCOW2_SIZE_AT, sizeof size);
  size = GUINT64_FROM_BE(size);
  return size <= G_MAXINT64 ? (gint64)size : -1;
}

json_t *ferry_look(const json_t *look) {
  const char *name = ferry_json_str(look, "name");
  FerryNeed need = ferry_need_of_word(ferry_json_str(look, "kind"));
  gboolean path =
      need == FERRY_NEED_FILE || need == FERRY_NEED_DIRECTORY || need == FERRY_NEED_IMAGE;
  gboolean known = FALSE;
  g_autofree char *problem = NULL;
  if (name && need == FERRY_NEED_PORT)
    problem = look_at_port(name, &known);
  else if (name && path && !ferry_look_is_private(name))
    problem = look_at_name(name, need == FERRY_NEED_DIRECTORY, &known);
  if (!known)
    return NULL;
  json_t *entry = json_pack("{ss,ss}", "kind", ferry_need_word(need), "name", name);
  gint64 size = need == FERRY_NEED_IMAGE && !problem ? image_size(name) : -1;
  if (problem)
    ferry_json_set_str(entry, "problem", problem);
  if (size >= 0)
    ferry_json_set_int(entry, "sizeBytes", size);
  return entry;
}

/* ---- huge pages ---- */

static gint64 number_in(const char *directory, const char *size, const char *file) {
  g_autofree char *path = g_build_filename(directory, size, file, NULL);
  g_autofree char *text = NULL;
  guint64 n = 0;
  if (!g_file_get_contents(path, &text, NULL, NULL) ||
      !g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXINT64, &n, NULL))
    return 0;
  return (gint64)n;
}

static void add_pages(json_t *list, const char *name, gint64 unused) {
  json_t *entry = json_pack("{ss,ss}", "kind", ferry_need_word(FERRY_NEED_HUGEPAGES), "name", name);
  if (unused == 0)
    ferry_json_set_str(entry, "problem", "none of them is free");
  json_array_append_new(list, entry);
}

json_t *ferry_look_hugepages(const char *directory, const char *meminfo) {
  json_t *list = json_array();
  const char *line = meminfo ? strstr(meminfo, "\nHugepagesize:") : NULL;
  guint64 usual = line ? g_ascii_strtoull(line + strlen("\nHugepagesize:"), NULL, 10) : 0;
  g_autoptr(GDir) sizes = g_dir_open(directory, 0, NULL);
  const char *size;
  while (sizes && (size = g_dir_read_name(sizes))) {
    guint64 kib = g_str_has_prefix(size, "hugepages-")
                      ? g_ascii_strtoull(size + strlen("hugepages-"), NULL, 10)
                      : 0;
    gint64 more = number_in(directory, size, "nr_overcommit_hugepages");
    if (kib == 0 || (number_in(directory, size, "nr_hugepages") == 0 && more == 0))
      continue;
    gint64 unused = number_in(directory, size, "free_hugepages") + more;
    g_autofree char *name = g_strdup_printf("%" G_GUINT64_FORMAT, kib);
    add_pages(list, name, unused);
    if (kib == usual)
      add_pages(list, "0", unused);
  }
  return list;
}
