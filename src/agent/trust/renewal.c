// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a run may end at any point, and the next one has to find out how far it
// came. So new keys are kept before ferryd hears of them, as it takes no others afterwards, and are
// asked for again until ferryd has said either way; and a mark is left before the first file is
// written, which only libvirtd's having taken them removes. What is there is good if every
// certificate is for the key beside it, signed by the CA beside it, and none is due.
#include "agent/trust/renewal.h"
#include "agent/trust/certificate.h"
#include "agent/trust/configured.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  const FerryTrustTask *task;
  const FerryTrustPorts *ports;
  gboolean fresh; /* the keys below are not in use yet */
  char *key, *qemu;
} TrustRun;

static void run_wipe(TrustRun *run) {
  char **keys[] = {&run->key, &run->qemu};
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
    if (*keys[i])
      explicit_bzero(*keys[i], strlen(*keys[i]));
    g_clear_pointer(keys[i], g_free);
  }
}

/* Those that are in use, those that an earlier run has begun with, or new ones. */
static gboolean run_take_keys(TrustRun *run, gboolean fresh, GError **error) {
  const FerryTrustPlace *place = &run->task->place;
  run_wipe(run);
  run->fresh = fresh || ferry_trust_files_have_new(place) || !ferry_trust_files_have_keys(place);
  if (run->fresh)
    return ferry_trust_files_new_keys(place, &run->key, &run->qemu, error);
  run->key = ferry_trust_files_key(place, FALSE, error);
  run->qemu = run->key ? ferry_trust_files_key(place, TRUE, error) : NULL;
  return run->qemu != NULL;
}

static void run_tell_left_out(const json_t *got) {
  json_t *out = json_object_get(got, "leftOut"), *name;
  gsize i;
  json_array_foreach(out, i, name) {
    printf("The certificate is not for %s: that is not this host's, or another one's as well.\n",
           json_string_value(name));
  }
}

/* Asks with these keys. Where new ones are refused those in use stay, and unless it is new ones
 * that are wanted it goes on with them. */
static json_t *run_ask(TrustRun *run, GError **error) {
  const FerryTrustTask *task = run->task;
  GError *cause = NULL;
  json_t *got = run->ports->ask(run->key, run->qemu, run->ports->data, &cause);
  if (!got && run->fresh && ferry_trust_files_have_keys(&task->place) &&
      g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_FORBIDDEN)) {
    ferry_trust_files_drop_new(task->place.state_dir);
    if (!task->now) {
      g_clear_error(&cause);
      return run_take_keys(run, FALSE, error)
                 ? run->ports->ask(run->key, run->qemu, run->ports->data, error)
                 : NULL;
    }
  }
  if (cause)
    g_propagate_error(error, cause);
  return got;
}

/* Certificates for the keys of the run. A CA that is another one than this host's, as after a
 * theft, is a reason for other keys too. */
static json_t *run_fetch(TrustRun *run, GError **error) {
  const FerryTrustPlace *place = &run->task->place;
  json_t *got = run_take_keys(run, run->task->now, error) ? run_ask(run, error) : NULL;
  if (!got || run->fresh || ferry_trust_files_know_ca(place, ferry_json_str(got, "ca")))
    return got;
  json_decref(got);
  return run_take_keys(run, TRUE, error)
             ? run->ports->ask(run->key, run->qemu, run->ports->data, error)
             : NULL;
}

static gboolean run_write(TrustRun *run, const json_t *got, GError **error) {
  const FerryTrustTask *task = run->task;
  FerryTrustSet set = {
      ferry_json_str(got, "certificate"),     run->key,  ferry_json_str(got, "ca"),
      ferry_json_str(got, "qemuCertificate"), run->qemu, ferry_json_str(got, "qemuCa")};
  return ferry_trust_is_current(set.cert, task->time_s, error) &&
         ferry_trust_is_current(set.qemu_cert, task->time_s, error) &&
         ferry_trust_files_set_pending(task->place.state_dir, error) &&
         ferry_trust_files_write(&task->place, &set, error);
}

static gboolean run_renew(const FerryTrustTask *task, const FerryTrustPorts *ports,
                          GError **error) {
  TrustRun run = {.task = task, .ports = ports};
  g_autoptr(json_t) got = run_fetch(&run, error);
  gboolean ok = got && run_write(&run, got, error);
  run_wipe(&run);
  if (ok)
    run_tell_left_out(got);
  return ok;
}

FerryTrustEnd ferry_trust_renewal(const FerryTrustTask *task, const FerryTrustPorts *ports,
                                  GError **error) {
  const FerryTrustPlace *place = &task->place;
  FerryTrustFound found = ferry_trust_files_found(place);
  if (found == FERRY_TRUST_FOREIGN)
    return FERRY_TRUST_LEFT;
  g_autofree char *by_hand = ferry_trust_configured(place->root);
  if (by_hand) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, by_hand);
    return FERRY_TRUST_FAILED;
  }
  gboolean good = found == FERRY_TRUST_OURS && !task->now && !ferry_trust_files_have_new(place) &&
                  ferry_trust_files_are_good(place, task->time_s);
  if (good && !ferry_trust_files_are_pending(place->state_dir) && ports->appears(ports->data))
    return FERRY_TRUST_STAYED;
  if ((!good && !run_renew(task, ports, error)) || !ports->serve(ports->data, error))
    return FERRY_TRUST_FAILED;
  ferry_trust_files_clear_pending(place->state_dir);
  return FERRY_TRUST_DONE;
}

gboolean ferry_trust_restarts(FerryTrustEnd end, gboolean first, gboolean served) {
  return (end == FERRY_TRUST_DONE || end == FERRY_TRUST_STAYED) && (first || !served);
}
