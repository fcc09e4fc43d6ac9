// SPDX-License-Identifier: Apache-2.0
// What the files of Kimchi's REST share. Not for other folders; the router and its table know
// the handlers, ferry_kimchi_owns and ferry_serve_kimchi only.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Kimchi's three settings; -1: not said. */
typedef struct {
  gint64 timeout_s;     /* migration_destination_timeout, of the whole migration */
  gint64 bandwidth_mib; /* migration_max_bandwidth in MiB/s; 0: unlimited */
  gint64 downtime_ms;   /* migration_downtime */
} FerryKimchiSettings;

/** One request below Kimchi's paths. */
typedef struct FerryKimchi FerryKimchi;
/** What `detail` of a route of Kimchi's is. */
typedef gboolean (*FerryKimchiFunc)(FerryKimchi *k, GError **error);
#define FERRY_KIMCHI_DETAIL(function) ((void (*)(void))(TRUE ? (function) : (FerryKimchiFunc)NULL))
struct FerryKimchi {
  FerryRequest *req;
  const char *prefix;  /* "" or "/plugins/kimchi", for URIs in answers */
  const char *name;    /* of the VM, or the task's id; NULL: the collection */
  GPtrArray *warnings; /* char*: what was ignored, and why */
  GHashTable *names;   /* of VMs -> how many have it; made when first asked for */
  json_t *problems;    /* [{field, reason}]: what is wrong with the body, all of it */
};

/* kimchi.c */
/** Whether a path is one of Kimchi's: /vms, /tasks, /peers, /config, /plugins/kimchi. */
gboolean ferry_kimchi_owns(const char *path);
/** Answers what req->found.route says; errors are answered by ferry_kimchi_respond_error. */
gboolean ferry_serve_kimchi(FerryRequest *req, GError **error);
/** NOT_FOUND with the paths that there are. */
void ferry_kimchi_no_such_path(const FerryRequest *req, GError **error);
/** {"code": "409 Conflict", "reason": "...", "causes": [...]} */
void ferry_kimchi_respond_error(FerryRequest *req, const GError *error);
/** Whether the user may also do `verb` on this object, once it is known which one is meant; sets
 * the request's kind, ns and name, which must live until it ends or is authorised for something
 * else.
 */
gboolean ferry_kimchi_authorise(FerryKimchi *k, const FerryKind *kind, const char *verb,
                                const char *subresource, const char *ns, const char *name,
                                GError **error);
/** Answers with `value` (taken) and the request's warnings, in it and as Warning headers. */
void ferry_kimchi_respond(FerryKimchi *k, unsigned status, json_t *value);
/** The body as an object, empty where there is none. */
json_t *ferry_kimchi_body(FerryKimchi *k, GError **error);
/** Adds a warning to the answer: what of the request was ignored, and why. */
void ferry_kimchi_warn(FerryKimchi *k, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** Adds what is wrong with a field of the body; ferry_kimchi_no_problems refuses with all of
 * them. */
void ferry_kimchi_problem(FerryKimchi *k, const char *field, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/** FALSE and BAD_REQUEST with all problems, where there are any. */
gboolean ferry_kimchi_no_problems(FerryKimchi *k, GError **error);

/* kimchi_settings.c */
extern const char *const ferry_kimchi_setting_names[3];
/** Reads the settings of `body`; a downtime below 100 ms is a warning, not a setting. */
void ferry_kimchi_settings_read(FerryKimchi *k, const json_t *body, FerryKimchiSettings *settings);
/** What PUT /config stored; -1 where nothing was. */
void ferry_kimchi_settings_stored(FerryApi *api, FerryKimchiSettings *settings);
/** Fills what a request left open: stored by PUT /config, else set for the cluster, else the
 * defaults 21600 s, unlimited, 500 ms. */
void ferry_kimchi_settings_complete(FerryApi *api, FerryKimchiSettings *settings);
/** Adds the settings under their names to `object`. */
void ferry_kimchi_settings_print(const FerryKimchiSettings *settings, json_t *object);
/** GET /config: the settings that hold. */
gboolean ferry_kimchi_get_config(FerryKimchi *k, GError **error);
/** PUT /config: stores the settings of the body. */
gboolean ferry_kimchi_put_config(FerryKimchi *k, GError **error);

/* kimchi_tasks.c */
/** The Task of a migration: {id, status, message, target_uri, warnings}. New reference. */
json_t *ferry_kimchi_task(FerryKimchi *k, const json_t *migration);
/** The Task with the VM, hosts, steps, progress and settings. New reference. */
json_t *ferry_kimchi_monitor(FerryKimchi *k, const json_t *migration);
/** GET /tasks: all Tasks, or those that the query's patterns fit. */
gboolean ferry_kimchi_list_tasks(FerryKimchi *k, GError **error);
/** GET /tasks/ID: one Task, NOT_FOUND where there is none. */
gboolean ferry_kimchi_get_task(FerryKimchi *k, GError **error);
/** DELETE /tasks/ID: cancels its migration. */
gboolean ferry_kimchi_cancel_task(FerryKimchi *k, GError **error);
/** Cancels `migration` and answers with its Task. */
gboolean ferry_kimchi_cancel(FerryKimchi *k, const json_t *migration, GError **error);

/* kimchi_vms.c */
/** GET /vms: all VMs that the user may see. */
gboolean ferry_kimchi_list_vms(FerryKimchi *k, GError **error);
/** GET /vms/NAME: one VM. */
gboolean ferry_kimchi_get_vm(FerryKimchi *k, GError **error);
/** GET /peers: hosts that VMs can be moved to. */
gboolean ferry_kimchi_get_peers(FerryKimchi *k, GError **error);
/** The VM that the URL names, by its name, its domain's name or its UUID, in all namespaces or the
 * one of ?namespace=; NOT_FOUND, or CONFLICT where several fit. New reference. */
json_t *ferry_kimchi_find_vm(FerryKimchi *k, GError **error);
/** The word that means this VM and no other: its name, or its UUID where the name is not enough.
 * Borrowed from `vmi`. */
const char *ferry_kimchi_vm_word(FerryKimchi *k, const json_t *vmi);

/* kimchi_migrate.c */
/** POST /vms/NAME/migrate: begins a migration and answers with its Task. */
gboolean ferry_kimchi_migrate(FerryKimchi *k, GError **error);
/** GET /vms/NAME/migrate: the Task of the VM's present or last migration. */
gboolean ferry_kimchi_get_migrate(FerryKimchi *k, GError **error);
/** DELETE /vms/NAME/migrate: cancels the VM's present migration. */
gboolean ferry_kimchi_cancel_migrate(FerryKimchi *k, GError **error);

#define FERRY_KIMCHI_NOTES "kimchi.ferry.migration/notes" /* annotation: warnings, one a line */

G_END_DECLS
