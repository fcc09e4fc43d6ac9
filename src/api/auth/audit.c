// SPDX-License-Identifier: Apache-2.0
// Theory of operation: while a request is worked on, what it changes and why it is refused are
// noted in it; when its answer is known, one line is made of that and queued. A thread of its own
// writes the lines, so that no request waits for a disk: a disk that is full or slow costs lines,
// which are counted and said, and never the service. What a line may hold is made of names, codes
// and addresses; bodies, headers, queries and messages never get in. Of refusals only so many for
// each identity, or address where nobody is known, are written one by one.
#include "api/auth/audit.h"
#include "api/http/respond.h"
#include "api/auth/audit_changes.h"
#include "api/auth/audit_limit.h"
#include "base/log.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "base/rotating_file.h"
#include "base/trace.h"

#include <string.h>

#define MAX_QUEUE 20000
#define MAX_TEXT 256
#define MAX_GROUPS 8
#define MAX_NAMES 32
#define MAX_CAUSES 16
#define BURST 20
#define REFILL_US (2 * G_USEC_PER_SEC)
#define MAX_KEYS 1024
#define QUIET_US (10 * G_USEC_PER_SEC)

struct FerryAudit {
  const FerryClock *clock;
  FerryRotatingFile *file; /* the thread's */
  GThread *thread;
  GMutex lock;
  GCond cond;
  GQueue lines; /* char * */
  gboolean stop;
  guint64 written, lost, refusals_left_out;
  FerryAuditLimit *limit;
};

/* ---- writing ---- */

static void to_file(FerryAudit *a, const char *line, guint64 *failed) {
  g_autoptr(GError) error = NULL;
  if (!a->file)
    return;
  if (ferry_rotating_file_append(a->file, line, &error)) {
    if (*failed) {
      g_autofree char *n = g_strdup_printf("%" G_GUINT64_FORMAT, *failed);
      ferry_warning("the audit log can be written again", "FERRY_LINES_LOST", n);
    }
    *failed = 0;
    return;
  }
  if ((*failed)++ == 0)
    ferry_warning(error->message, "FERRY_HINT",
                  "audit lines are in the journal alone until it can be written again");
  g_mutex_lock(&a->lock);
  a->lost++;
  g_mutex_unlock(&a->lock);
}

/* Takes `record`. */
static void audit_queue(FerryAudit *a, json_t *record) {
  char *line = ferry_json_dump(record);
  json_decref(record);
  g_mutex_lock(&a->lock);
  if (g_queue_get_length(&a->lines) < MAX_QUEUE) {
    g_queue_push_tail(&a->lines, line);
    g_cond_signal(&a->cond);
  } else {
    a->lost++;
    g_free(line);
  }
  g_mutex_unlock(&a->lock);
}

/* ---- a line ---- */

static json_t *audit_bounded(const char *text) {
  if (strlen(text) <= MAX_TEXT)
    return ferry_json_text(text);
  g_autofree char *head = g_strndup(text, MAX_TEXT);
  g_autofree char *cut = g_strconcat(head, "...", NULL);
  return ferry_json_text(cut);
}

static json_t *record_new(FerryAudit *a, const char *event, const char *id) {
  g_autofree char *now = ferry_rfc3339_format_ms(ferry_clock_wall_ms(a->clock));
  return json_pack("{s:s, s:s, s:s}", "time", now, "id", id, "event", event);
}

/* Says what was left out of those who have gone quiet. */
static void flush_quiet(FerryAudit *a, gint64 quiet_us) {
  for (;;) {
    g_autofree char *key = NULL;
    g_mutex_lock(&a->lock);
    guint64 n =
        ferry_audit_limit_flush(a->limit, ferry_clock_monotonic_us(a->clock), quiet_us, &key);
    g_mutex_unlock(&a->lock);
    if (n == 0)
      return;
    g_autofree char *id = ferry_random_hex(8);
    json_t *out = record_new(a, "leftOut", id);
    json_object_set_new(out, "of", audit_bounded(key));
    json_object_set_new(out, "leftOut", json_integer((json_int_t)n));
    audit_queue(a, out);
  }
}

/* The next line; waits for it. NULL: stopped, or it is time to look after what was left out. */
static char *next_line(FerryAudit *a, gboolean *stop) {
  gint64 until = g_get_monotonic_time() + G_USEC_PER_SEC;
  gboolean in_time = TRUE;
  g_mutex_lock(&a->lock);
  while (g_queue_is_empty(&a->lines) && !a->stop && in_time) {
    if (ferry_audit_limit_owed(a->limit))
      in_time = g_cond_wait_until(&a->cond, &a->lock, until);
    else
      g_cond_wait(&a->cond, &a->lock);
  }
  char *line = g_queue_pop_head(&a->lines);
  a->written += line != NULL;
  *stop = a->stop && !line;
  g_mutex_unlock(&a->lock);
  return line;
}

static gpointer write_lines(gpointer data) {
  FerryAudit *a = data;
  guint64 failed = 0;
  gboolean stop = FALSE;
  while (!stop) {
    g_autofree char *line = next_line(a, &stop);
    if (line) {
      ferry_log(G_LOG_LEVEL_INFO, line, "FERRY_AUDIT", "1", NULL);
      to_file(a, line, &failed);
    } else if (!stop) {
      flush_quiet(a, QUIET_US);
    }
  }
  return NULL;
}

FerryAudit *ferry_audit_start(const FerryClock *clock, const char *path, gint64 max_bytes,
                              guint keep, GError **error) {
  FerryRotatingFile *file = NULL;
  if (path && !(file = ferry_rotating_file_open(path, max_bytes, keep, error)))
    return NULL;
  FerryAudit *a = g_new0(FerryAudit, 1);
  a->clock = clock;
  a->file = file;
  g_mutex_init(&a->lock);
  g_cond_init(&a->cond);
  g_queue_init(&a->lines);
  a->limit = ferry_audit_limit_new(BURST, REFILL_US, MAX_KEYS);
  a->thread = g_thread_new("audit", write_lines, a);
  return a;
}

/* ---- what a line says of a request ---- */

static void set_text(json_t *object, const char *key, const char *text) {
  if (text && *text)
    json_object_set_new(object, key, audit_bounded(text));
}

static json_t *user_json(const FerryUser *user) {
  json_t *out = json_object();
  if (!user)
    return out;
  set_text(out, "name", user->name);
  set_text(out, "uid", user->uid);
  set_text(out, "credential", user->credential);
  json_t *groups = json_array();
  for (guint i = 0; user->groups && user->groups[i] && i < MAX_GROUPS; i++)
    json_array_append_new(groups, audit_bounded(user->groups[i]));
  json_object_set_new(out, "groups", groups);
  if (user->impersonator)
    json_object_set_new(out, "impersonator", user_json(user->impersonator));
  return out;
}

/* The address of the client without its port, for the limit of those whom nobody knows. Free with
 * g_free. */
static char *address_of(const FerryRequest *req) {
  const char *colon = req->asked.peer ? strrchr(req->asked.peer, ':') : NULL;
  return colon ? g_strndup(req->asked.peer, (gsize)(colon - req->asked.peer)) : g_strdup("unknown");
}

static json_t *object_json(const FerryRequest *req) {
  json_t *out = json_object();
  const json_t *noted = ferry_json_get(req->audit, "names");
  const char *name =
      req->found.name ? req->found.name : json_string_value(json_array_get(noted, 0));
  if (req->found.kind) {
    set_text(out, "group", req->found.kind->group);
    set_text(out, "resource", req->found.kind->plural);
    set_text(out, "namespace", req->found.ns);
    set_text(out, "subresource", req->found.subresource);
  } else {
    set_text(out, "resource", ferry_json_str(req->audit, "resource"));
    set_text(out, "path", req->asked.path);
  }
  set_text(out, "name", name);
  if (json_array_size(noted) > 1)
    json_object_set(out, "names", (json_t *)noted);
  return out;
}

static json_t *record_of(FerryAudit *a, const FerryRequest *req, const char *event,
                         const char *id) {
  static const char *const noted[] = {"reason", "fields", "changed", "cut", "count", "dryRun"};
  json_t *out = record_new(a, event, id);
  json_object_set_new(out, "user", user_json(req->user));
  set_text(out, "from", req->asked.peer);
  g_autofree char *method = g_ascii_strdown(req->asked.method ? req->asked.method : "", -1);
  set_text(out, "verb", req->found.verb ? req->found.verb : method);
  json_object_set_new(out, "object", object_json(req));
  json_object_set_new(out, "code", json_integer(req->answer.status));
  for (gsize i = 0; i < G_N_ELEMENTS(noted); i++) {
    json_t *value = json_object_get(req->audit, noted[i]);
    if (value)
      json_object_set(out, noted[i], value);
  }
  g_autofree char *trace =
      req->asked.traceparent ? ferry_trace_parse(req->asked.traceparent) : NULL;
  set_text(out, "trace", trace);
  return out;
}

/* ---- what is noted while a request is worked on ---- */

static json_t *audit_notes(FerryRequest *req) {
  if (!req->audit)
    req->audit = json_object();
  return req->audit;
}

/* What an agent writes into a migration counts where the migration takes a step by it. */
static gboolean is_step(const json_t *old, const json_t *object) {
  static const char *const steps[] = {"status.phase", "status.migrationState.agentResult",
                                      "status.migrationState.abortStatus",
                                      "status.migrationState.completed"};
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    const json_t *a = ferry_json_get(old, steps[i]), *b = ferry_json_get(object, steps[i]);
    if (a != b && !(a && b && json_equal(a, b)))
      return TRUE;
  }
  return FALSE;
}

static void add_name(json_t *n, const char *name) {
  json_t *names = json_object_get(n, "names");
  if (!names)
    json_object_set_new(n, "names", names = json_array());
  if (name && json_array_size(names) < MAX_NAMES)
    json_array_append_new(names, audit_bounded(name));
}

void ferry_audit_changed(FerryRequest *req, const json_t *old, const json_t *object, gboolean dry) {
  if (!req->found.kind || (req->user && req->user->node && req->asked.telemetry))
    return;
  json_t *n = audit_notes(req);
  json_t *count = json_object_get(n, "count");
  add_name(n, ferry_json_str(object ? object : old, "metadata.name"));
  json_object_set_new(n, dry ? "dryRun" : "done", json_true());
  if (is_step(old, object))
    json_object_set_new(n, "step", json_true());
  if (count || json_object_get(n, "changed") || !object) {
    /* A collection: their number and names. */
    json_int_t so_far = MAX(json_integer_value(count) + 1,
                            (json_int_t)json_array_size(json_object_get(n, "names")));
    json_object_set_new(n, "count", json_integer(so_far));
    json_object_del(n, "changed");
    return;
  }
  gboolean cut;
  json_object_set_new(n, "changed", ferry_audit_changes(req->found.kind, old, object, &cut));
  if (cut)
    json_object_set_new(n, "cut", json_true());
}

void ferry_audit_about(FerryRequest *req, const char *resource, const char *name) {
  json_t *n = audit_notes(req);
  json_object_set_new(n, "resource", json_string(resource));
  add_name(n, name);
}

void ferry_audit_refused(FerryRequest *req, const GError *error) {
  json_t *n = audit_notes(req);
  int code = error->domain == FERRY_ERROR ? error->code : FERRY_ERROR_INTERNAL;
  json_object_set_new(n, "reason", json_string(ferry_error_reason(code)));
  json_t *fields = json_array();
  for (guint i = 0; i < ferry_error_n_causes(error) && i < MAX_CAUSES; i++) {
    const FerryCause *cause = ferry_error_cause(error, i);
    if (cause->field && *cause->field)
      json_array_append_new(fields, audit_bounded(cause->field));
  }
  if (json_array_size(fields))
    json_object_set(n, "fields", fields);
  json_decref(fields);
  json_object_del(n, "changed");
}

/* ---- when the answer is known ---- */

/* Questions that are asked with POST. */
static gboolean is_question(const FerryRequest *req) {
  return req->asked.path && (g_str_has_prefix(req->asked.path, "/apis/authorization.k8s.io/") ||
                             g_str_has_prefix(req->asked.path, "/apis/authentication.k8s.io/"));
}

/* Its reports, its events, and what it writes into a migration that is no step of it; not what a
 * binding lets it do besides. */
static gboolean is_agents_routine(const FerryRequest *req) {
  if (!req->user || !req->user->node)
    return FALSE;
  if (!req->found.kind)
    return req->asked.path && g_str_has_suffix(req->asked.path, "/report");
  if (req->found.kind == &ferry_kind_event)
    return g_strcmp0(req->found.verb, "create") == 0;
  return req->found.kind == &ferry_kind_vmim && g_strcmp0(req->found.subresource, "status") == 0 &&
         !json_object_get(req->audit, "step");
}

/* The event of a line for this request, or NULL. What was written before a refusal, as the first
 * ones of a collection, makes it a write: its line is never left out. */
static const char *event_of(const FerryRequest *req) {
  gboolean reads = !req->asked.method || g_str_equal(req->asked.method, "GET") ||
                   g_str_equal(req->asked.method, "OPTIONS") || is_question(req);
  if (!reads && json_object_get(req->audit, "done") && !is_agents_routine(req))
    return "write";
  if (req->answer.status == 401 || req->answer.status == 403 || req->answer.status == 429)
    return "refusal";
  if (reads)
    return NULL;
  if (req->answer.status >= 400)
    return "refusal";
  return is_agents_routine(req) ? NULL : "write";
}

/* Whether this refusal is written by itself. */
static gboolean is_within_limit(FerryAudit *a, const FerryRequest *req, guint64 *left_out) {
  g_autofree char *address = address_of(req);
  const char *key = req->user && !req->user->anonymous ? req->user->name : address;
  gint64 now = ferry_clock_monotonic_us(a->clock);
  g_mutex_lock(&a->lock);
  gboolean ok = ferry_audit_limit_take(a->limit, key, now, left_out);
  a->refusals_left_out += !ok;
  if (!ok && ferry_audit_limit_owed(a->limit) == 1)
    g_cond_signal(&a->cond); /* the thread is to look after it */
  g_mutex_unlock(&a->lock);
  return ok;
}

void ferry_audit_request(FerryApi *api, FerryRequest *req) {
  FerryAudit *a = api->audit;
  const char *event = a ? event_of(req) : NULL;
  guint64 left_out = 0;
  if (!event || (*event == 'r' && !is_within_limit(a, req, &left_out)))
    return;
  g_autofree char *id = ferry_random_hex(8);
  json_t *out = record_of(a, req, event, id);
  if (left_out)
    json_object_set_new(out, "leftOut", json_integer((json_int_t)left_out));
  audit_queue(a, out);
  ferry_respond_header(req, "Audit-ID", id);
}

void ferry_audit_metrics(FerryAudit *a, GString *out) {
  if (!a)
    return;
  g_mutex_lock(&a->lock);
  const struct {
    const char *name, *help;
    guint64 value;
  } all[] = {
      {"ferry_audit_lines_total", "Audit lines written.", a->written},
      {"ferry_audit_lost_total", "Audit lines that the audit log could not take.", a->lost},
      {"ferry_audit_left_out_total", "Refusals counted instead of written one by one.",
       a->refusals_left_out},
  };
  g_mutex_unlock(&a->lock);
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    g_string_append_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" G_GUINT64_FORMAT "\n",
                           all[i].name, all[i].help, all[i].name, all[i].name, all[i].value);
}

void ferry_audit_stop(FerryAudit *a) {
  if (!a)
    return;
  flush_quiet(a, 0);
  g_mutex_lock(&a->lock);
  a->stop = TRUE;
  g_cond_signal(&a->cond);
  g_mutex_unlock(&a->lock);
  g_thread_join(a->thread);
  ferry_rotating_file_close(a->file);
  ferry_audit_limit_free(a->limit);
  g_mutex_clear(&a->lock);
  g_cond_clear(&a->cond);
  g_free(a);
}
