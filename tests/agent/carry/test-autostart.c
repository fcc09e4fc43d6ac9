// SPDX-License-Identifier: Apache-2.0
// Two made-up hosts: who has the VM, who starts it at boot, who can be asked.
#include "agent/carry/autostart.h"

typedef struct {
  gboolean exists, active, persistent, on, deaf, left, received, suspended, ending;
} Side;

typedef struct {
  FerryHost host; /* first */
  Side here, there;
} Fake;
typedef struct {
  FerryHostJob job; /* first */
  Fake *fake;
} FakeJob;

static gboolean refuse(GError **error, const char *who) {
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_LOST, "%s does not answer", who);
  return FALSE;
}

static void tell(const Side *side, FerryDomainState *out) {
  gboolean paused = side->received || side->suspended;
  *out = (FerryDomainState){side->exists,
                            paused         ? FERRY_VM_PAUSED
                            : side->ending ? FERRY_VM_SHUTDOWN
                            : side->active ? FERRY_VM_RUNNING
                                           : FERRY_VM_SHUTOFF,
                            side->left        ? "migrated"
                            : side->received  ? "migration"
                            : side->suspended ? "user"
                                              : "booted",
                            1,
                            side->active,
                            side->persistent};
}

static gboolean peer_state(FerryHost *host, const char *uri, const char *uuid,
                           FerryDomainState *out, GError **error) {
  Side *there = &((Fake *)host)->there;
  tell(there, out);
  return !there->deaf || refuse(error, "h2");
}

static gboolean peer_set(FerryHost *host, const char *uri, const char *uuid, gboolean on,
                         GError **error) {
  Side *there = &((Fake *)host)->there;
  if (there->deaf)
    return refuse(error, "h2");
  there->on = on;
  return TRUE;
}

static gboolean job_state(FerryHostJob *job, FerryDomainState *out, GError **error) {
  Side *here = &((FakeJob *)job)->fake->here;
  tell(here, out);
  return !here->deaf || refuse(error, "h1");
}

static gboolean job_get(FerryHostJob *job, gboolean *on, GError **error) {
  *on = ((FakeJob *)job)->fake->here.on;
  return TRUE;
}

static gboolean job_set(FerryHostJob *job, gboolean on, GError **error) {
  Side *here = &((FakeJob *)job)->fake->here;
  if (here->deaf || !here->exists)
    return refuse(error, "h1");
  here->on = on;
  return TRUE;
}

static const FerryHostOps ops = {.peer_state = peer_state,
                                 .peer_set_autostart = peer_set,
                                 .job_state = job_state,
                                 .job_autostart = job_get,
                                 .job_set_autostart = job_set};

/* A migration of a VM that starts with its host, until the call; then hosts are as given. */
static char *run(Fake *fake, Side here, Side there) {
  FakeJob job = {{&ops}, fake};
  FerryAutostart a = {0};
  g_autoptr(GError) error = NULL;
  *fake = (Fake){.host = {.ops = &ops}, .here = {TRUE, TRUE, TRUE, TRUE, FALSE}};
  ferry_autostart_look(&a, &job.job);
  g_assert_true(a.on);
  g_assert_true(ferry_autostart_take(&a, &job.job, &error));
  g_assert_false(fake->here.on); /* no old copy starts from now on */
  fake->here = here;
  fake->there = there;
  FerryAutostartPlace place = {&fake->host, &job.job, "UUID", "qemu+tls://h2/system", "h2"};
  char *left = ferry_autostart_give(&a, &place);
  g_assert_null(ferry_autostart_give(&a, &place)); /* once */
  return left;
}

static void test_moved(void) {
  Fake fake;
  g_assert_null(run(&fake, (Side){TRUE, FALSE, TRUE}, (Side){TRUE, TRUE, TRUE}));
  g_assert_false(fake.here.on);
  g_assert_true(fake.there.on);
  g_assert_null(run(&fake, (Side){0}, (Side){TRUE, TRUE, TRUE}));
  g_assert_true(fake.there.on);
  /* what is here was handed over, and is put away soon */
  g_assert_null(run(&fake, (Side){TRUE, TRUE, TRUE, .received = TRUE}, (Side){TRUE, TRUE, TRUE}));
  g_assert_true(fake.there.on);
  /* paused by a person before it moved */
  g_assert_null(run(&fake, (Side){TRUE, FALSE, TRUE}, (Side){TRUE, TRUE, TRUE, .suspended = TRUE}));
  g_assert_true(fake.there.on);
  /* only its definition moved (offline) */
  g_assert_null(run(&fake, (Side){0}, (Side){TRUE, FALSE, TRUE}));
  g_assert_true(fake.there.on);
}

static void test_stayed(void) {
  Fake fake;
  g_assert_null(run(&fake, (Side){TRUE, TRUE, TRUE}, (Side){0}));
  g_assert_true(fake.here.on);
  g_assert_false(fake.there.on);
  /* an old definition there changes nothing */
  g_assert_null(run(&fake, (Side){TRUE, TRUE, TRUE}, (Side){TRUE, FALSE, TRUE}));
  g_assert_true(fake.here.on);
  g_assert_false(fake.there.on);
  /* libvirt there has not put away yet what it had received when it was cancelled */
  g_assert_null(run(&fake, (Side){TRUE, TRUE, TRUE}, (Side){TRUE, TRUE, .received = TRUE}));
  g_assert_true(fake.here.on);
  g_assert_null(run(&fake, (Side){TRUE, TRUE, TRUE, .suspended = TRUE},
                    (Side){TRUE, TRUE, .received = TRUE}));
  g_assert_true(fake.here.on);
  g_assert_null(run(&fake, (Side){TRUE, TRUE, TRUE}, (Side){TRUE, TRUE, .ending = TRUE}));
  g_assert_true(fake.here.on);
  /* the target cannot be asked, the VM runs here */
  g_assert_null(run(&fake, (Side){TRUE, TRUE, TRUE}, (Side){.deaf = TRUE}));
  g_assert_true(fake.here.on);
  /* it was stopped meanwhile */
  g_assert_null(run(&fake, (Side){TRUE, FALSE, TRUE}, (Side){0}));
  g_assert_true(fake.here.on);
}

static void test_what_is_left_is_told(void) {
  Fake fake;
  g_autofree char *transient = run(&fake, (Side){0}, (Side){TRUE, TRUE, FALSE});
  g_assert_nonnull(strstr(transient, "transient"));
  g_assert_nonnull(strstr(transient, "h2"));
  /* it is not known where it is: an old copy that starts would be worse */
  g_autofree char *unknown = run(&fake, (Side){TRUE, FALSE, TRUE}, (Side){.deaf = TRUE});
  g_assert_nonnull(strstr(unknown, "virsh autostart UUID"));
  g_assert_false(fake.here.on);
  /* it has moved, and on from there since: by an agent that hears late that its call returned */
  g_autofree char *left = run(&fake, (Side){TRUE, FALSE, TRUE, .left = TRUE}, (Side){0});
  g_assert_nonnull(left);
  g_assert_nonnull(strstr(left, "has left it since"));
  g_assert_false(fake.here.on);
  g_autofree char *deaf = run(&fake, (Side){TRUE, TRUE, TRUE, FALSE, TRUE}, (Side){0});
  g_assert_nonnull(deaf);
  g_autofree char *gone = run(&fake, (Side){0}, (Side){0});
  g_assert_nonnull(strstr(gone, "neither host"));
}

static void test_without(void) {
  Fake fake = {.host = {.ops = &ops}, .here = {TRUE, TRUE, TRUE, FALSE, FALSE}};
  FakeJob job = {{&ops}, &fake};
  FerryAutostart a = {0};
  ferry_autostart_look(&a, &job.job);
  g_assert_false(a.on);
  g_assert_true(ferry_autostart_take(&a, &job.job, NULL));
  FerryAutostartPlace place = {&fake.host, &job.job, "UUID", "uri", NULL};
  g_assert_null(ferry_autostart_give(&a, &place));
  g_assert_false(fake.here.on || fake.there.on);
}

/* An agent that takes over goes by the record, though the source has it no more. */
static void test_recalled(void) {
  Fake fake = {.host = {.ops = &ops}, .there = {TRUE, TRUE, TRUE}};
  FerryAutostart a;
  g_autoptr(json_t) record = json_pack("{s:{s:{s:b}}}", "status", "migrationState", "autostart", 1);
  ferry_autostart_recall(&a, record);
  FerryAutostartPlace place = {&fake.host, NULL, "UUID", "uri", "h2"};
  g_assert_null(ferry_autostart_give(&a, &place));
  g_assert_true(fake.there.on);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/autostart/moved", test_moved);
  g_test_add_func("/autostart/stayed", test_stayed);
  g_test_add_func("/autostart/what_is_left_is_told", test_what_is_left_is_told);
  g_test_add_func("/autostart/without", test_without);
  g_test_add_func("/autostart/recalled", test_recalled);
  return g_test_run();
}
