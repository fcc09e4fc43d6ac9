// SPDX-License-Identifier: Apache-2.0
// ferryd: opens the store, starts the control thread, serves the API, and supervises the agents of
// --host, until SIGTERM or SIGINT. The main thread only handles signals, children and the watchdog.
#include "api/server.h"
#include "base/log.h"
#include "control/inventory.h"
#include "control/loop.h"
#include "ferryd/announce.h"
#include "ferryd/hosts.h"
#include "ferryd/names.h"
#include "ferryd/options.h"
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#ifndef FERRY_VERSION
#error "FERRY_VERSION comes from meson.build"
#endif

#define MOST_FILES 16384

typedef struct {
  FerryStore *store;
  FerryControl *control;
  FerrydAnnounce announce;
  gint announced; /* atomic: `announce` is set up */
  FerryStoreOptions limits;
  FerrydHosts *hosts;
  FerrySettingsRead *said; /* what holds, for a reload to compare */
  int argc;
  char **argv;
} Daemon;

static gboolean on_report(gpointer data, const char *node, const json_t *body, GError **error) {
  Daemon *d = data;
  return ferry_inventory_report(d->store, node, body, ferry_clock_wall_ms(ferry_clock_system()),
                                error);
}

static void on_metrics(gpointer data, GString *out) {
  Daemon *d = data;
  FerryStoreStats s;
  FerryControlStats c = {0};
  ferry_store_stats(d->store, &s);
  if (d->control)
    ferry_control_stats(d->control, &c);
  g_string_append_printf(
      out,
      "# HELP ferry_store_commits_total Batches committed.\n"
      "# TYPE ferry_store_commits_total counter\n"
      "ferry_store_commits_total %" G_GUINT64_FORMAT "\n"
      "# HELP ferry_store_conflicts_total Batches refused because an object had changed.\n"
      "# TYPE ferry_store_conflicts_total counter\n"
      "ferry_store_conflicts_total %" G_GUINT64_FORMAT "\n"
      "# HELP ferry_store_objects Objects in the store.\n"
      "# TYPE ferry_store_objects gauge\n"
      "ferry_store_objects %" G_GUINT64_FORMAT "\n"
      "# HELP ferry_control_steps_total Steps of the controllers.\n"
      "# TYPE ferry_control_steps_total counter\n"
      "ferry_control_steps_total %" G_GUINT64_FORMAT "\n",
      s.commits, s.conflicts, s.objects, c.steps);
}

static char **on_peers(gpointer data) {
  Daemon *d = data;
  return g_atomic_int_get(&d->announced) ? ferryd_announce_peers(&d->announce) : NULL;
}

static gboolean on_signal(gpointer data) {
  g_main_loop_quit(data);
  return G_SOURCE_REMOVE;
}

/* Takes what can change while ferryd runs and names what has to wait for a restart. A file that is
 * wrong changes nothing. */
static gboolean on_reload(gpointer data) {
  Daemon *d = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(FerrySettingsRead) said = NULL;
  FerrydOptions next = {0};
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
  if (ferryd_options_read(&next, d->argc, d->argv, &said, &error)) {
    ferry_log_set_level(next.log_level);
    ferryd_hosts_reload(d->hosts, (const char *const *)next.hosts);
    ferry_settings_reload(d->said, said);
  } else {
    ferry_settings_reload_refused(error);
  }
  ferryd_options_clear(&next);
  sd_notify(0, "READY=1");
  return G_SOURCE_CONTINUE;
}

static gboolean on_watchdog(gpointer data) {
  sd_notify(0, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

static void main_attach(GSource *source, GSourceFunc func, gpointer data, GMainContext *context) {
  g_source_set_callback(source, func, data, NULL);
  g_source_attach(source, context);
  g_source_unref(source);
}

/* The soft limit is for programs that use select(2); connections are counted out from it. */
static void raise_file_limit(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0)
    return;
  files.rlim_cur = MIN(files.rlim_max, MOST_FILES);
  setrlimit(RLIMIT_NOFILE, &files);
}

/* What to type on a host that is to have an agent. Sockets that were handed over may lead here from
 * anywhere. */
static void tell_join(const char *url, gboolean reached) {
  g_autofree char *command = ferryd_names_join_command(url, "NAME");
  if (reached)
    ferry_info(
        "a host joins by `ferry host add NAME [--ssh root@HOST]`, typed on this machine, which "
        "says or does the rest; a program, with the token that `ferryd token create --node "
        "NAME` prints",
        "FERRY_COMMAND", command);
  else
    ferry_info("other machines cannot reach this ferryd; for agents on hosts put "
               "\"listen = 0.0.0.0:6443\" into its configuration file, or start it with "
               "--listen 0.0.0.0:6443",
               "FERRY_URL", url);
}

/* Returns when a signal says so; FALSE: it could not begin. */
static gboolean serve_until_signal(GMainContext *context, FerrydOptions *o, Daemon *d,
                                   const FerryApiConfig *config, FerryApi *api, GError **error) {
  g_autoptr(GMainLoop) loop = g_main_loop_new(context, FALSE);
  main_attach(g_unix_signal_source_new(SIGTERM), on_signal, loop, context);
  main_attach(g_unix_signal_source_new(SIGINT), on_signal, loop, context);
  guint64 watchdog_us = 0;
  if (sd_watchdog_enabled(0, &watchdog_us) > 0)
    main_attach(g_timeout_source_new((guint)(watchdog_us / 2000)), on_watchdog, NULL, context);
  if (!o->announce || ferryd_announce_start(&d->announce, o, config->listen, config->fds,
                                            config->n_fds, api, error)) {
    g_atomic_int_set(&d->announced, o->announce);
    d->hosts = ferryd_hosts_start(context, api, d->store, o->state_dir, o->agent, o->log_level,
                                  (const char *const *)o->hosts, error);
  }
  if (d->hosts) {
    main_attach(g_unix_signal_source_new(SIGHUP), on_reload, d, context);
    ferry_info("ferryd serves", "FERRY_URL", ferry_api_url(api), "FERRY_STATE_DIR", o->state_dir);
    tell_join(ferry_api_url(api), ferryd_names_listens_beyond(config->listen) || config->n_fds > 0);
    sd_notifyf(0, "READY=1\nSTATUS=serving %s", ferry_api_url(api));
    g_main_loop_run(loop);
    sd_notify(0, "STOPPING=1");
  }
  gboolean began = d->hosts != NULL;
  ferryd_hosts_stop(g_steal_pointer(&d->hosts));
  return began;
}

static gboolean main_serve(FerrydOptions *o, Daemon *d, GError **error) {
  static const char *const default_listen[] = {"127.0.0.1:6443", NULL};
  raise_file_limit();
  if (g_mkdir_with_parents(o->state_dir, 0700) < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "cannot make the state directory %s: %s", o->state_dir, g_strerror(errno));
    return FALSE;
  }
  g_autofree char *database = g_build_filename(o->state_dir, "ferry.db", NULL);
  d->store = ferry_store_open(database, &d->limits, error);
  if (!d->store)
    return FALSE;
  int n_fds = sd_listen_fds(1);
  g_autofree int *fds = g_new0(int, MAX(n_fds, 1));
  for (int i = 0; i < n_fds; i++)
    fds[i] = SD_LISTEN_FDS_START + i;
  const char *const *listen = o->listen   ? (const char *const *)o->listen
                              : n_fds > 0 ? NULL
                                          : default_listen;
  g_auto(GStrv) names =
      ferryd_names((const char *const *)o->tls_sans, ferryd_names_listens_beyond(listen));
  FerryApiConfig config = {
      .store = d->store,
      .state_dir = o->state_dir,
      .listen = listen,
      .fds = fds,
      .n_fds = (gsize)MAX(n_fds, 0),
      .tls_sans = (const char *const *)names,
      .proxies = (const char *const *)o->proxies,
      .server_url = o->server_url,
      .clock = ferry_clock_system(),
      .oidc = o->oidc.issuer ? &o->oidc : NULL,
      .audit_log = o->audit_log,
      .audit_log_max_bytes = o->audit_log_max_bytes,
      .audit_log_keep = (guint)o->audit_log_keep,
      .hooks = {.report = on_report, .metrics = on_metrics, .peers = on_peers, .data = d},
  };
  g_autoptr(FerryApi) api = ferry_api_new(&config, error);
  if (!api)
    return FALSE;
  d->control = ferry_control_start(d->store, ferry_clock_system());
  g_autoptr(GMainContext) context = g_main_context_new();
  g_main_context_push_thread_default(context);
  gboolean ok = serve_until_signal(context, o, d, &config, api, error);
  g_clear_pointer(&api, ferry_api_free); /* its hooks use the rest */
  ferryd_announce_stop(&d->announce);
  ferry_control_stop(d->control);
  g_main_context_pop_thread_default(context);
  return ok;
}

int main(int argc, char **argv) {
  if (argc > 1 && g_str_equal(argv[1], "token"))
    return ferryd_token_main(argc - 1, argv + 1);
  if (argc > 1 && g_str_equal(argv[1], "certs"))
    return ferryd_certs_main(argc - 1, argv + 1);
  if (argc > 1 && g_str_equal(argv[1], "ca"))
    return ferryd_ca_main(argc - 1, argv + 1);
  FerrydOptions options = {0};
  Daemon daemon = {.argc = argc, .argv = argv};
  g_autoptr(GError) error = NULL;
  int code = 2;
  if (!ferryd_options_read(&options, argc, argv, &daemon.said, &error)) {
    fprintf(stderr, "ferryd: %s\n", error->message);
  } else if (options.version) {
    printf("ferryd %s\n", FERRY_VERSION);
    code = 0;
  } else if (options.check_config) {
    printf("%s: all right\n", options.config);
    code = 0;
  } else {
    ferry_log_init("ferryd", options.log_level);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* until it can be answered */
    umask(077);
    daemon.limits = (FerryStoreOptions){.max_objects = (gsize)options.max_objects,
                                        .max_bytes = (gsize)options.max_bytes};
    code = main_serve(&options, &daemon, &error) ? 0 : 1;
    ferry_store_free(daemon.store);
    if (code)
      fprintf(stderr, "ferryd: %s\n", error->message);
  }
  ferry_settings_free(daemon.said);
  ferryd_options_clear(&options);
  return code;
}
