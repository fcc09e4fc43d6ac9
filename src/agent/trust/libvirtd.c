// SPDX-License-Identifier: Apache-2.0
// Theory of operation: systemd takes no further socket for a service that runs, so the service ends
// with all of its sockets (a client would start it again at once) and comes back with one more. VMs
// go on meanwhile; only a migration would be lost, so that is waited for.
#include "agent/trust/libvirtd.h"
#include <string.h>

static gboolean run_words(const FerryTrustMachine *m, GError **error, ...) {
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  va_list words;
  va_start(words, error);
  for (const char *word; (word = va_arg(words, const char *));)
    g_ptr_array_add(argv, (char *)word);
  va_end(words);
  g_ptr_array_add(argv, NULL);
  return m->run((const char *const *)argv->pdata, m->data, error);
}

static gboolean unit_is_active(const FerryTrustMachine *m, const char *unit) {
  return run_words(m, NULL, "systemctl", "--quiet", "is-active", unit, NULL);
}

/* Who has the port: the one daemon, or the proxy where each driver has a daemon of its own. */
static const char *port_owner(const FerryTrustMachine *m) {
  if (unit_is_active(m, "libvirtd.socket") || unit_is_active(m, "libvirtd.service"))
    return "libvirtd";
  return unit_is_active(m, "virtqemud.socket") || unit_is_active(m, "virtqemud.service")
             ? "virtproxyd"
             : NULL;
}

/* The service that knows of the VMs where `daemon` has the port. */
static const char *vms_owner(const char *daemon) {
  return g_str_equal(daemon, "libvirtd") ? "libvirtd.service" : "virtqemud.service";
}

static gboolean await_rest(const FerryTrustMachine *m, const char *daemon, GError **error) {
  for (;;) {
    g_autofree char *moving = m->moving(m->data);
    if (moving ? !*moving : !unit_is_active(m, vms_owner(daemon)))
      return TRUE;
    if (m->wait(m->data))
      continue;
    if (moving)
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                  "libvirtd has to be restarted, and is not while VMs migrate: %s", moving);
    else
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                  "libvirtd has to be restarted, and is not while it runs and does not say whether "
                  "VMs migrate");
    return FALSE;
  }
}

static gboolean restart_with_port(const FerryTrustMachine *m, const char *daemon, GError **error) {
  g_autofree char *service = g_strconcat(daemon, ".service", NULL),
                  *socket = g_strconcat(daemon, ".socket", NULL),
                  *readers = g_strconcat(daemon, "-ro.socket", NULL),
                  *admins = g_strconcat(daemon, "-admin.socket", NULL),
                  *tls = g_strconcat(daemon, "-tls.socket", NULL);
  if (m->taken(m->data)) {
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
        "something other than %s listens at libvirt's TLS port 16514, so %s is not restarted "
        "for it",
        tls, daemon);
    return FALSE;
  }
  if (!run_words(m, error, "systemctl", "--quiet", "enable", tls, NULL) ||
      !await_rest(m, daemon, error))
    return FALSE;
  /* together with the start's dependencies this is what a boot does */
  gboolean ok =
      run_words(m, error, "systemctl", "stop", service, socket, readers, admins, NULL) &&
      run_words(m, error, "systemctl", "start", socket, readers, admins, tls, service, NULL);
  if (!ok) { /* never without a libvirtd, and not without one at the next boot either */
    run_words(m, NULL, "systemctl", "--quiet", "disable", "--now", tls, NULL);
    run_words(m, NULL, "systemctl", "start", socket, service, NULL);
  }
  return ok;
}

gboolean ferry_trust_libvirtd_leave(const FerryTrustMachine *m, GError **error) {
  const char *daemon = port_owner(m);
  g_autofree char *tls = daemon ? g_strconcat(daemon, "-tls.socket", NULL) : NULL;
  return !tls || run_words(m, error, "systemctl", "--quiet", "disable", "--now", tls, NULL);
}

gboolean ferry_trust_libvirtd_serve(const FerryTrustMachine *m, GError **error) {
  const char *daemon = port_owner(m);
  if (!daemon) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                        "neither libvirtd nor virtqemud runs here as a unit of systemd");
    return FALSE;
  }
  g_autofree char *tls = g_strconcat(daemon, "-tls.socket", NULL);
  if (!unit_is_active(m, tls))
    return restart_with_port(m, daemon, error);
  g_autofree char *uri = g_strconcat(daemon, ":///system", NULL);
  return run_words(m, error, "virt-admin", "--quiet", "--connect", uri, "server-update-tls", daemon,
                   NULL);
}
