// SPDX-License-Identifier: Apache-2.0
#include "agent/trust/configured.h"
#include "base/libvirt_files.h"
#include "base/file.h"
#include <string.h>

#define MAX_SETTINGS (1 << 20)

/* The value of `key = "value"` or `key = value`; NULL: another line. Free with g_free. */
static char *configured_value(const char *line, const char *key) {
  gsize len = strlen(key);
  while (g_ascii_isspace(*line))
    line++;
  if (strncmp(line, key, len) != 0)
    return NULL;
  for (line += len; g_ascii_isspace(*line);)
    line++;
  if (*line++ != '=')
    return NULL;
  while (g_ascii_isspace(*line))
    line++;
  return *line == '"' || *line == '\'' ? g_strndup(line + 1, strcspn(line + 1, "\"'"))
                                       : g_strndup(line, strcspn(line, " \t\r#"));
}

static char *line_problem(const char *file, const char *line) {
  static const struct {
    const char *key, *usual;
  } paths[] = {{"ca_file", FERRY_LIBVIRT_CA},
               {"cert_file", FERRY_LIBVIRT_SERVER_CERTIFICATE},
               {"key_file", FERRY_LIBVIRT_SERVER_KEY}};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autofree char *path = configured_value(line, paths[i].key);
    if (path && *path && !g_str_equal(path, paths[i].usual))
      return g_strdup_printf("libvirt's TLS is set up by hand here: %s has %s = \"%s\"", file,
                             paths[i].key, path);
  }
  g_autofree char *no_verify = configured_value(line, "tls_no_verify_certificate");
  if (no_verify && g_ascii_strtoll(no_verify, NULL, 10) != 0)
    return g_strdup_printf("libvirtd would let everybody in by TLS: %s has "
                           "tls_no_verify_certificate = %s",
                           file, no_verify);
  return NULL;
}

char *ferry_trust_configured(const char *root) {
  static const char *const files[] = {"/etc/libvirt/libvirtd.conf", "/etc/libvirt/virtproxyd.conf"};
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *path = g_strconcat(root, files[i], NULL);
    g_autofree char *text = ferry_file_read(path, MAX_SETTINGS, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    for (gsize l = 0; lines[l]; l++) {
      char *problem = line_problem(files[i], lines[l]);
      if (problem)
        return problem;
    }
  }
  return NULL;
}
