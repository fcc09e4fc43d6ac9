// SPDX-License-Identifier: Apache-2.0
#include "cli/core/migration_request.h"
#include "base/rfc3339.h"
#include "cli/core/migration_options.h"
#include "cli/core/when.h"
#include "cli/core/units.h"
#include "model/kinds/policy_fields.h"
#include <string.h>

enum { NAME_BASE_MAX = 50 };

/* "VM-" as a start for a generated name: lower case letters, digits and dashes. */
static char *generate_name(const char *vm) {
  g_autofree char *base = g_ascii_strdown(vm, NAME_BASE_MAX);
  base[MIN(strlen(base), (gsize)NAME_BASE_MAX)] = '\0';
  for (char *p = base; *p != '\0'; p++)
    if (!g_ascii_isalnum(*p))
      *p = '-';
  char *start = base;
  while (*start == '-')
    start++;
  while (*start != '\0' && start[strlen(start) - 1] == '-')
    start[strlen(start) - 1] = '\0';
  return g_strconcat(*start != '\0' ? start : "vm", "-", NULL);
}

static gboolean set_downtime(json_t *request, const char *text, GError **error) {
  gint64 ms;
  if (!ferry_units_time(text, 1, &ms) || ms < 1 || ms > FERRY_DOWNTIME_MAX_MS) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--max-downtime: \"%s\" is not a time such as 300ms or 2s, or a number of "
                "milliseconds from 1 to %d",
                text, FERRY_DOWNTIME_MAX_MS);
    return FALSE;
  }
  ferry_json_set_int(request, "spec.maxDowntimeMs", ms);
  return TRUE;
}

static gboolean set_time(json_t *request, const char *text, GError **error) {
  gint64 now = g_get_real_time() / 1000, at = ferry_when_parse(text, now);
  g_autofree char *problem = text != NULL ? ferry_when_problem(text, now) : NULL;
  if (problem != NULL) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--at: %s", problem);
    return FALSE;
  }
  g_autofree char *when = at >= 0 ? ferry_rfc3339_format(at) : NULL;
  if (when != NULL)
    ferry_json_set_str(request, "spec.notBefore", when);
  return TRUE;
}

json_t *ferry_migration_request_new(FerryCli *cli, const char *vm, const char *host,
                                    GError **error) {
  g_autofree char *name = generate_name(vm);
  g_autoptr(json_t) request = json_pack("{s:s,s:s,s:{s:s},s:{s:s}}", "apiVersion", "kubevirt.io/v1",
                                        "kind", "VirtualMachineInstanceMigration", "metadata",
                                        "generateName", name, "spec", "vmiName", vm);
  if (request == NULL) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "the VM's name is not UTF-8");
    return NULL;
  }
  static const char *const texts[][2] = {{"to", "spec.targetNode"},
                                         {"network", "spec.network"},
                                         {"policy", "spec.policy"},
                                         {"preset", "spec.preset"}};
  const char *downtime = ferry_cli_option(cli, "max-downtime");
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    const char *text = ferry_cli_option(cli, texts[i][0]);
    if (i == 0 && host != NULL)
      text = host;
    if (text != NULL && !g_utf8_validate(text, -1, NULL)) {
      g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s: not UTF-8", texts[i][0]);
      return NULL;
    }
    if (text != NULL)
      ferry_json_set_str(request, texts[i][1], text);
  }
  if (downtime != NULL && !set_downtime(request, downtime, error))
    return NULL;
  if (!set_time(request, ferry_cli_option(cli, "at"), error))
    return NULL;
  if (!ferry_migration_options_apply(cli->args, json_object_get(request, "spec"), error))
    return NULL;
  return g_steal_pointer(&request);
}

json_t *ferry_migration_request_post(FerryCli *cli, const json_t *request, gboolean dry_run,
                                     GError **error) {
  FerryClient *client = ferry_cli_client(cli, error);
  if (client == NULL)
    return NULL;
  const char *ns = ferry_cli_namespace(cli);
  g_autofree char *path =
      ferry_resource_path(&ferry_kind_vmim, ns, NULL,
                          dry_run ? "fieldValidation=Strict&dryRun=All" : "fieldValidation=Strict");
  g_autofree char *header = ferry_cli_trace_header();
  const char *const headers[] = {header, NULL};
  return ferry_client_request(client, "POST", path, request, NULL, headers, NULL, error);
}

int ferry_migration_request_fail(FerryCli *cli, const char *vm, GError *error) {
  if (error->domain != FERRY_ERROR)
    return ferry_cli_fail(error, NULL);
  if (error->code == FERRY_ERROR_NOT_FOUND) {
    /* Perhaps it is elsewhere, or nearly so called: looking costs nothing now. */
    g_autoptr(GError) better = NULL;
    g_autoptr(json_t) object =
        ferry_cli_get(cli, &ferry_kind_vmi, ferry_cli_namespace(cli), vm, NULL, &better);
    ferry_cli_fail(object == NULL && g_error_matches(better, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)
                       ? better
                       : error,
                   "ferry get vmi -A lists the VMs, ferry get nodes the hosts.");
    return FERRY_EXIT_FAILED;
  }
  if (error->code == FERRY_ERROR_INVALID || error->code == FERRY_ERROR_CONFLICT ||
      error->code == FERRY_ERROR_ALREADY_EXISTS) {
    g_autofree char *advice =
        g_strdup_printf("Nothing was changed. ferry check %s says whether it can move.", vm);
    ferry_cli_fail(error, g_str_equal(cli->verb->name, "check") ? "Nothing was changed." : advice);
    return FERRY_EXIT_REFUSED;
  }
  return ferry_cli_fail(error, NULL);
}
