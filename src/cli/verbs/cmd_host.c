// SPDX-License-Identifier: Apache-2.0
// ferry host add: the token is made here, the certificate on the host. It goes to where it is used
// through standard input, so that no list of processes shows it. What is typed for a host is done
// at once where that is reached by ssh, and where it is this very machine.
// ferry host trust: a wish in the Node's spec; the host's agent does the rest.
// ferry host certificates: of ferryd's list what belongs to hosts.
#include "cli/core/options.h"
#include "base/file.h"
#include "base/rfc3339.h"
#include "cli/core/resource.h"
#include "cli/view/certificates_table.h"
#include "cli/view/output.h"
#include "cli/view/text.h"
#include "client/join_url.h"
#include "model/migration/condition.h"
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READY_MS 60000
#define TRUST_MS 120000 /* the agent looks again within a minute */
#define PACKAGE_MAX (256 * 1024 * 1024)
#define NO_PROGRAM 127 /* a shell's exit code */

/* Runs a program with `input`; its output is ours. The exit code, or -1 with `error` where it
 * cannot be run. */
static int host_run(const char *const *argv, const char *input, gsize len, GError **error) {
  g_autoptr(GSubprocess) child = g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDIN_PIPE, error);
  if (!child)
    return -1;
  g_autoptr(GBytes) bytes = g_bytes_new(input, len);
  g_subprocess_communicate(child, bytes, NULL, NULL, NULL, NULL);
  g_subprocess_wait(child, NULL, NULL);
  return g_subprocess_get_if_exited(child) ? g_subprocess_get_exit_status(child) : -1;
}

/* Runs `command` on `where` by ssh with `input`, likewise. */
static int host_ssh(const char *where, const char *command, const char *input, gsize len,
                    GError **error) {
  const char *argv[] = {"ssh", "--", where, command, NULL};
  return host_run(argv, input, len, error);
}

static gboolean host_install(const char *where, const char *package, GError **error) {
  gsize len = 0;
  g_autofree char *bytes = ferry_file_read(package, PACKAGE_MAX, &len, error);
  if (!bytes)
    return FALSE;
  int code = host_ssh(where,
                      "d=$(mktemp -d) && cat >\"$d/ferry-agentd.deb\" && chmod 755 \"$d\" && "
                      "DEBIAN_FRONTEND=noninteractive apt-get install -y -q "
                      "\"$d/ferry-agentd.deb\" >&2; code=$?; rm -rf \"$d\"; exit $code",
                      bytes, len, error);
  if (code > 0)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "%s could not be installed on %s; what is above says why", package, where);
  return code == 0;
}

/* Waits until the host's agent reports; tells what came of it. */
static int host_await(FerryCli *cli, const char *name) {
  g_autofree char *path = ferry_resource_path(&ferry_kind_node, NULL, name, NULL);
  gint64 until = g_get_monotonic_time() + READY_MS * 1000LL;
  do {
    g_autoptr(json_t) node =
        ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, NULL);
    if (ferry_condition_holds(node, FERRY_CONDITION_READY)) {
      printf("%s is ready. ferry get hosts shows all, ferry get vms what runs on them.\n", name);
      return FERRY_EXIT_DONE;
    }
    g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  } while (g_get_monotonic_time() < until);
  fprintf(stderr,
          "error: %s has joined, but is not ready after %d s; ferry describe host %s and, on it, "
          "journalctl -u ferry-agentd say why\n",
          name, READY_MS / 1000, name);
  return FERRY_EXIT_FAILED;
}

static int host_by_ssh(FerryCli *cli, const char *name, const char *url, const char *token) {
  const char *where = ferry_cli_option(cli, "ssh"), *package = ferry_cli_option(cli, "package");
  g_autoptr(GError) error = NULL;
  if (package && !host_install(where, package, &error))
    return ferry_cli_fail(error, NULL);
  g_autofree char *quoted = g_shell_quote(url);
  g_autofree char *command = g_strconcat("ferry-agentd join ", quoted, NULL);
  g_autofree char *line = g_strconcat(token, "\n", NULL);
  int code = host_ssh(where, command, line, strlen(line), &error);
  if (error)
    return ferry_cli_fail(error, "Without ssh: ferry host add NAME");
  if (code == 0)
    return host_await(cli, name);
  g_set_error(&error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
              code == NO_PROGRAM ? "ferry-agentd is not installed on %s" : "%s did not join",
              where);
  return ferry_cli_fail(error, code == NO_PROGRAM ? "Give its package: --package ferry-agentd_*.deb"
                                                  : "What is above says why.");
}

/* Whether `name` is this machine, and its agent can be started from here. */
static gboolean host_is_here(const char *name) {
  g_autofree char *agent = g_find_program_in_path("ferry-agentd");
  return agent && geteuid() == 0 && g_ascii_strcasecmp(name, g_get_host_name()) == 0;
}

static int host_by_hand(FerryCli *cli, const char *name, const char *url, const char *token) {
  g_autoptr(GError) error = NULL;
  const char *argv[] = {"ferry-agentd", "join", url, NULL};
  if (!host_is_here(name)) {
    fprintf(stderr,
            "On %s, as root, with ferry-agentd installed, type this and give it the token below, "
            "which is good once, for 24 hours:\n  ferry-agentd join %s\n",
            name, url);
    printf("%s\n", token);
    return FERRY_EXIT_DONE;
  }
  g_autofree char *line = g_strconcat(token, "\n", NULL);
  int code = host_run(argv, line, strlen(line), &error);
  explicit_bzero(line, strlen(line));
  if (code == 0)
    return host_await(cli, name);
  if (!error)
    g_set_error(&error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "this machine did not join");
  return ferry_cli_fail(error, "What is above says why.");
}

static char *host_token(FerryCli *cli, const char *name, GError **error) {
  g_autofree char *path = ferry_client_path("ferry.migration", "v1", NULL, "nodes", name, "token");
  g_autoptr(json_t) body = json_pack("{s:b}", "trust", !ferry_cli_option(cli, "no-trust"));
  g_autoptr(json_t) answer =
      ferry_client_request(cli->client, "POST", path, body, NULL, NULL, NULL, error);
  if (answer && !ferry_json_str(answer, "token"))
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "the server's answer holds no token");
  return g_strdup(ferry_json_str(answer, "token"));
}

static int host_add(FerryCli *cli, const char *name) {
  g_autoptr(GError) error = NULL;
  const char *server = ferry_client_config(cli->client)->server, *at = ferry_cli_option(cli, "at");
  g_autofree char *url = at ? g_strdup(at) : ferry_join_url(server);
  if (!at && !g_str_equal(url, server) && !ferry_join_url_answers(url)) {
    g_set_error(&error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "hosts cannot reach this ferryd: nothing listens at %s", url);
    return ferry_cli_fail(error, "Put \"listen = 0.0.0.0:6443\" into /etc/ferry/ferryd.conf and "
                                 "systemctl restart ferryd, or say --at URL.");
  }
  g_autofree char *token = host_token(cli, name, &error);
  if (!token)
    return ferry_cli_fail(error, NULL);
  int code = ferry_cli_option(cli, "ssh") ? host_by_ssh(cli, name, url, token)
                                          : host_by_hand(cli, name, url, token);
  explicit_bzero(token, strlen(token));
  return code;
}

/* Until other hosts reach this one's libvirtd; tells what came of it. */
static int trust_await(FerryCli *cli, const char *name, const char *path) {
  gint64 until = g_get_monotonic_time() + TRUST_MS * 1000LL;
  g_autofree char *why = NULL;
  do {
    g_autoptr(json_t) node =
        ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, NULL);
    const char *scheme = ferry_json_str(node, "status.hypervisor.peer.scheme");
    if (scheme) {
      g_autofree char *clean = ferry_text_clean(scheme);
      printf("Other hosts reach %s over %s.\n", name, clean);
      return FERRY_EXIT_DONE;
    }
    const json_t *trust = ferry_condition_find(node, FERRY_CONDITION_LIBVIRT_TRUST);
    const char *message = ferry_json_str(trust, "message");
    g_free(why);
    why = message ? ferry_text_clean(message) : NULL;
    g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  } while (g_get_monotonic_time() < until);
  fprintf(
      stderr,
      "error: libvirt's TLS is not set up on %s after %d s: %s\nOn it, journalctl -u ferry-trust "
      "says more; its agent tries again by itself.\n",
      name, TRUST_MS / 1000, why ? why : "its agent has not begun");
  return FERRY_EXIT_FAILED;
}

/* Lets other keys in, by ferryd's clock. */
static gboolean trust_open(FerryCli *cli, const char *name, GError **error) {
  g_autofree char *path =
      ferry_client_path("ferry.migration", "v1", NULL, "nodes", name, "newkeys");
  g_autoptr(json_t) body = json_object();
  g_autoptr(json_t) answer =
      ferry_client_request(cli->client, "POST", path, body, NULL, NULL, NULL, error);
  return answer != NULL;
}

static int host_trust(FerryCli *cli, const char *name) {
  g_autoptr(GError) error = NULL;
  if (ferry_cli_option(cli, "new-keys") && !trust_open(cli, name, &error))
    return ferry_cli_fail(error, NULL);
  g_autofree char *path = ferry_resource_path(&ferry_kind_node, NULL, name, NULL);
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  g_autoptr(json_t) wish = json_pack("{s:{s:b, s:s}}", "spec", "trust", 1, "trustSaid", now);
  g_autoptr(json_t) node = ferry_client_request(cli->client, "PATCH", path, wish,
                                                FERRY_CONTENT_MERGE_PATCH, NULL, NULL, &error);
  if (!node)
    return ferry_cli_fail(error, NULL);
  if (g_strcmp0(ferry_json_str(node, "status.agent.mode"), "remote") == 0) {
    fprintf(stderr,
            "error: the agent of %s runs on another machine: set libvirt's TLS up by hand, or let "
            "the host join with an agent of its own (ferry host add)\n",
            name);
    return FERRY_EXIT_FAILED;
  }
  return trust_await(cli, name, path);
}

static int host_certificates(FerryCli *cli) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      ferry_client_path("ferry.migration", "v1", NULL, "certificates", NULL, NULL);
  g_autoptr(json_t) answer =
      ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, &error);
  if (!answer)
    return ferry_cli_fail(error, "The role admin may see them, and who may list certificates of "
                                 "ferry.migration.");
  g_autoptr(GPtrArray) hosts = g_ptr_array_new();
  for (guint i = 1; i < cli->args->words->len; i++)
    g_ptr_array_add(hosts, cli->args->words->pdata[i]);
  g_ptr_array_add(hosts, NULL);
  g_autoptr(json_t) list = ferry_certificates_of_hosts(json_object_get(answer, "certificates"),
                                                       (const char *const *)hosts->pdata);
  if (format && !g_str_equal(format, "wide")) {
    ferry_output_object(list, format);
    return FERRY_EXIT_DONE;
  }
  FerryTableStyle style = {.wide = format != NULL, .color = cli->color, .utf8 = cli->utf8};
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  g_autoptr(json_t) table = ferry_certificates_table(list);
  ferry_table_printer_add(printer, table);
  ferry_table_printer_flush(printer);
  return FERRY_EXIT_DONE;
}

static int cmd_host(FerryCli *cli) {
  const char *action = ferry_cli_word(cli, 0), *name;
  g_autoptr(GError) error = NULL;
  gboolean add = g_str_equal(action, "add"), seen = g_str_equal(action, "certificates");
  if (!add && !seen && !g_str_equal(action, "trust"))
    return ferry_cli_usage(cli,
                           "\"%s\" is neither add nor trust nor certificates; ferry get hosts "
                           "lists them, ferry delete host NAME takes one out",
                           action);
  if (!seen && !ferry_cli_word(cli, 1))
    return ferry_cli_usage(cli, "ferry host %s needs NAME", action);
  if (!seen && ferry_cli_option(cli, "output"))
    return ferry_cli_usage(cli, "-o goes with certificates");
  if (ferry_cli_option(cli, "ssh") && ferry_cli_word(cli, 2))
    return ferry_cli_usage(cli, "--ssh is for one host");
  if (ferry_cli_option(cli, "ssh") && *ferry_cli_option(cli, "ssh") == '-')
    return ferry_cli_usage(cli, "--ssh: expected USER@HOST, not an option of ssh");
  if (ferry_cli_option(cli, "new-keys") && add)
    return ferry_cli_usage(cli, "--new-keys goes with trust");
  if (ferry_cli_option(cli, "package") && !ferry_cli_option(cli, "ssh"))
    return ferry_cli_usage(cli, "--package goes with --ssh");
  if (!ferry_cli_client(cli, &error))
    return ferry_cli_fail(error, NULL);
  if (seen)
    return host_certificates(cli);
  int code = FERRY_EXIT_DONE;
  for (gsize i = 1; (name = ferry_cli_word(cli, i)) && code == FERRY_EXIT_DONE; i++)
    code = add ? host_add(cli, name) : host_trust(cli, name);
  return code;
}

static const char *const host_formats[] = {"wide", "json", "yaml", NULL};

static const FerryCliOption options_host[] = {
    {"ssh", 0, "USER@HOST", "Do the rest there by ssh, as root",
     .more = "Without it the token is printed, and what to type on the host."},
    {"package", 0, "FILE", "With --ssh: first install this package of ferry-agentd there"},
    {"no-trust", 0, NULL, "Leave libvirt's TLS on the host as it is"},
    {"new-keys", 0, NULL,
     "With trust: let the host have other keys than before, once, within an hour"},
    {"at", 0, "URL", "How the host reaches ferryd, where that is not the address used here"},
    OPT_OUTPUT(host_formats, "Of certificates: wide, json or yaml"),
    OPT_END};

const FerryVerb ferry_verb_host = {
    .name = "host",
    .synopses = LINES("add NAME...", "trust NAME...", "certificates [NAME...]"),
    .doc = "Let a host join, or other hosts' libvirtd reach it; show certificates",
    .details =
        "Add makes a token, with which the host gets its certificate; the agent finds the rest by "
        "itself.\n"
        "With --ssh, and where NAME is this machine, it does the rest and returns when the host is "
        "ready.\n"
        "Trust has the agent set libvirt's TLS up where there is none, with certificates of a CA "
        "that ferryd keeps for that alone, and renew them. Add does so as well. Said again, it "
        "has the "
        "agent try again with the keys that the host has; with --new-keys the next certificate "
        "may be for other ones, once, within an hour: ferry-agentd trust --now on the host makes "
        "them.\n"
        "Certificates shows what ferryd gave each host, for its agent, libvirt and QEMU: for which "
        "names, until when, and (-o wide) the key that it is held to.",
    .options = options_host,
    .min_words = 1,
    .max_words = 64,
    .run = cmd_host};
