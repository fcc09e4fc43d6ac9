// SPDX-License-Identifier: Apache-2.0
// A world from its description in JSON.
#include "base/error.h"
#include "base/file.h"
#include "base/quantity.h"
#include "host/sim/sim_base.h"
#include <math.h>
#include <string.h>

/* A number between the two, or an error that names it and what it belongs to. */
static gboolean sim_load_number(const json_t *object, const char *what, const char *key,
                                double least, double most, double fallback, double *out,
                                GError **error) {
  const json_t *value = json_object_get(object, key);
  *out = value ? json_number_value(value) : fallback;
  if ((!value || json_is_number(value)) && *out >= least && *out <= most)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: \"%s\" is not a number from %g to %g",
              what, key, least, most);
  return FALSE;
}

static gboolean check_file_systems(const json_t *list, const char *what, GError **error) {
  gboolean ok = !list || json_is_array(list);
  const json_t *o;
  size_t i;
  json_array_foreach((json_t *)list, i, o) {
    const char *path = ferry_json_str(o, "path");
    ok &= path && path[0] == '/';
  }
  if (!ok)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s: sharedFileSystems: expected a list of {path, type, readOnly}, each path from "
                "/ on",
                what);
  return ok;
}

static gboolean add_host(FerrySimWorld *w, const json_t *o, GError **error) {
  const char *name = ferry_json_str(o, "name");
  g_autofree char *what = g_strdup_printf("host \"%s\"", name ? name : "");
  double cpus, memory, link;
  if (!sim_load_number(o, what, "cpus", 1, 4096, 64, &cpus, error) ||
      !sim_load_number(o, what, "memoryMiB", 1, 1 << 26, 1 << 18, &memory, error) ||
      !sim_load_number(o, what, "linkMbps", 0.001, 1e7, 10000, &link, error))
    return FALSE;
  FerrySimHostSpec spec = {.name = name,
                           .address = ferry_json_str(o, "address"),
                           .cpus = (int)cpus,
                           .memory = (gint64)(memory * (double)FERRY_MIB),
                           .link = link * 1e6 / 8,
                           .shared_file_systems = json_object_get(o, "sharedFileSystems")};
  g_autoptr(GInetAddress) address =
      spec.address ? g_inet_address_new_from_string(spec.address) : NULL;
  if (spec.address && !address) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: \"%s\" is no IP address", what,
                spec.address);
    return FALSE;
  }
  if (!check_file_systems(spec.shared_file_systems, what, error))
    return FALSE;
  return ferry_sim_world_add_host(w, &spec, error);
}

static json_t *read_disks(const json_t *list, const char *what, GError **error) {
  g_autoptr(json_t) out = json_array();
  const json_t *o;
  size_t i;
  json_array_foreach((json_t *)list, i, o) {
    double mib;
    const char *name = ferry_json_str(o, "name");
    if (!name || strlen(name) > 32 || strchr(name, '/')) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: disk %zu has no good name", what,
                  i);
      return NULL;
    }
    if (!sim_load_number(o, what, "sizeMiB", 1, 1 << 26, 1024, &mib, error))
      return NULL;
    json_array_append_new(out, json_pack("{s:s, s:I, s:b}", "name", name, "sizeBytes",
                                         (json_int_t)(mib * (double)FERRY_MIB), "shared",
                                         ferry_json_bool(o, "shared", TRUE)));
  }
  return g_steal_pointer(&out);
}

static gboolean add_domain(FerrySimWorld *w, const json_t *o, GError **error) {
  const char *name = ferry_json_str(o, "name"), *pattern = ferry_json_str(o, "pattern");
  g_autofree char *what = g_strdup_printf("domain \"%s\"", name ? name : "");
  double memory, zero, vcpus, rate, set, busy, quiet;
  if (!sim_load_number(o, what, "memoryMiB", 1, 1 << 26, 1024, &memory, error) ||
      !sim_load_number(o, what, "zeroMiB", 0, memory - 1, 0, &zero, error) ||
      !sim_load_number(o, what, "vcpus", 1, 512, 1, &vcpus, error) ||
      !sim_load_number(o, what, "writeMiBps", 0, 1e7, 0, &rate, error) ||
      !sim_load_number(o, what, "workingSetMiB", 0, memory - zero, 0, &set, error) ||
      !sim_load_number(o, what, "busySeconds", 0, 1e6, 10, &busy, error) ||
      !sim_load_number(o, what, "quietSeconds", 0, 1e6, 5, &quiet, error))
    return FALSE;
  guint p = FERRY_SIM_UNIFORM;
  for (guint i = 0; pattern && i <= FERRY_SIM_PATTERNS; i++) {
    p = i;
    if (i < FERRY_SIM_PATTERNS && strcmp(pattern, ferry_sim_pattern_name(i)) == 0)
      break;
  }
  if (p >= FERRY_SIM_PATTERNS) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s: pattern \"%s\", expected idle, uniform, cyclic, skewed, phased, bursty, "
                "calming or starting",
                what, pattern);
    return FALSE;
  }
  g_autoptr(json_t) disks = read_disks(json_object_get(o, "disks"), what, error);
  if (!disks)
    return FALSE;
  FerrySimDomainSpec spec = {.name = name,
                             .ns = ferry_json_str(o, "namespace"),
                             .uuid = ferry_json_str(o, "uuid"),
                             .persistent = ferry_json_bool(o, "persistent", FALSE),
                             .disks = disks,
                             .guest = {.memory = (memory - zero) * (double)FERRY_MIB,
                                       .zero = zero * (double)FERRY_MIB,
                                       .working_set = set * (double)FERRY_MIB,
                                       .write_rate = rate * (double)FERRY_MIB,
                                       .pattern = (FerrySimPattern)p,
                                       .vcpus = (int)vcpus,
                                       .busy_s = busy,
                                       .quiet_s = quiet}};
  return ferry_sim_world_add_domain(w, ferry_json_str(o, "host"), &spec, error);
}

FerrySimWorld *ferry_sim_world_new_json(const json_t *description, GError **error) {
  double speed, eps_ms;
  if (!sim_load_number(description, "the world", "speed", 0.01, 1000, 1, &speed, error) ||
      !sim_load_number(description, "the world", "switchoverMs", 0, 60000, 30, &eps_ms, error))
    return NULL;
  g_autoptr(FerrySimWorld) w = ferry_sim_world_new(speed);
  w->eps = eps_ms / 1000;
  const json_t *o;
  size_t i;
  json_array_foreach(json_object_get(description, "hosts"), i,
                     o) if (!add_host(w, o, error)) return NULL;
  json_array_foreach(json_object_get(description, "domains"), i,
                     o) if (!add_domain(w, o, error)) return NULL;
  return g_steal_pointer(&w);
}

FerrySimWorld *ferry_sim_world_load(const char *path, GError **error) {
  gsize len;
  g_autofree char *text = ferry_file_read(path, FERRY_SIM_MAX_WORLD_BYTES, &len, error);
  g_autoptr(json_t) description = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
  if (text && !json_is_object(description))
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s holds no JSON object", path);
  FerrySimWorld *w =
      json_is_object(description) ? ferry_sim_world_new_json(description, error) : NULL;
  return w;
}
