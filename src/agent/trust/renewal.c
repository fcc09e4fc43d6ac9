// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a run may end at any point, and the next one has to find out how far it
// came. So new keys are kept before ferryd hears of them, as it takes no others afterwards, and are
// asked for again until ferryd has said either way; and a mark is left before the first file is
// written, which only libvirtd's having taken them removes. What is there is good if every
// certificate is for the key beside it, signed by the CA beside it, and none is due. A name or
// address that the host did not have yet is a reason for a renewal too, though not each day.
#include "agent/trust/renewal.h"
#include "agent/trust/certificate.h"
#include "agent/trust/configured.h"
#include "base/file.h"
#include "base/limits.h"
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

/* ---- for which names ---- */

#define ASKED "trust-names" /* {names, at}: what was asked for last, and when */
#define MAX_ASKED (64 * 1024)
#define NAMES_S (3 * FERRY_DAY_S) /* some addresses change daily */

static void asked_note(const FerryTrustTask *task) {
  g_autofree char *path = g_build_filename(task->place.state_dir, ASKED, NULL);
  g_autoptr(json_t) asked =
      json_pack("{s:I, s:O?}", "at", (json_int_t)task->time_s, "names", (json_t *)task->names);
  g_autofree char *text = ferry_json_dump(asked);
  ferry_file_write(path, text, strlen(text), 0600, NULL); /* else it asks once more */
}

/* Whether the certificate was asked for with all the names of now. What ferryd left out it would
 * leave out again, so that the certificate itself says nothing. */
static gboolean asked_all(const FerryTrustTask *task) {
  g_autofree char *path = g_build_filename(task->place.state_dir, ASKED, NULL);
  g_autofree char *text = ferry_file_read(path, MAX_ASKED, NULL, NULL);
  g_autoptr(json_t) asked = text ? json_loads(text, 0, NULL) : NULL;
  gint64 since = task->time_s - ferry_json_int(asked, "at", 0);
  gsize i;
  json_t *name;
  if (asked && since >= 0 && since < NAMES_S)
    return TRUE;
  json_array_foreach(task->names, i, name) {
    if (!ferry_json_has_word(json_object_get(asked, "names"), json_string_value(name)))
      return FALSE;
  }
  return TRUE;
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
  if (!ok)
    return FALSE;
  asked_note(task);
  run_tell_left_out(got);
  return TRUE;
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
                  ferry_trust_files_are_good(place, task->time_s) && asked_all(task);
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
