// SPDX-License-Identifier: Apache-2.0
// A domain's states and their words: libvirt's own, which a host reports, and two more that a
// migration's result may say. libvirt's numbers become these in host/libvirt/libvirt_state.c. Pure;
// any thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_VM_UNKNOWN, /* nobody says, or in a word of a later libvirt */
  FERRY_VM_RUNNING,
  FERRY_VM_BLOCKED,
  FERRY_VM_PAUSED,
  FERRY_VM_SHUTDOWN, /* on its way to being off */
  FERRY_VM_SHUTOFF,
  FERRY_VM_CRASHED,
  FERRY_VM_PMSUSPENDED,
  FERRY_VM_NOSTATE,
  FERRY_VM_GONE, /* there is no such domain */
  FERRY_VM_LAST,
} FerryVmState;

/** libvirt's reasons of a state that something goes by, as hosts report them; the others are in
 * host/libvirt/libvirt_state.c, and what each means of a migration in policy/outcome.c. */
#define FERRY_VM_REASON_BOOTED "booted"
#define FERRY_VM_REASON_DAEMON "daemon"       /* libvirtd lost it */
#define FERRY_VM_REASON_MIGRATED "migrated"   /* from a host, or to one */
#define FERRY_VM_REASON_MIGRATION "migration" /* paused for its switch-over */
#define FERRY_VM_REASON_STARTING_UP "starting-up"
#define FERRY_VM_REASON_CANCELED "migration-canceled" /* runs again, by libvirt's own resume */
#define FERRY_VM_REASON_POST_COPY "postcopy"
#define FERRY_VM_REASON_POST_COPY_FAILED "postcopy-failed"
#define FERRY_VM_REASON_UNKNOWN "unknown"
#define FERRY_VM_REASON_USER "user" /* paused by a person */
/** Whether a reason says that the VM is in post-copy, going on or broken; FALSE for NULL. */
gboolean ferry_vm_reason_is_post_copy(const char *reason);

/** What a host reports; ends with NULL. */
extern const char *const ferry_domain_states_reported[];
/** The same, "gone" and "unknown"; ends with NULL. */
extern const char *const ferry_domain_states[];

/** Its word, static. */
const char *ferry_vm_state_name(FerryVmState state);
/** FERRY_VM_UNKNOWN for NULL and for any other word. */
FerryVmState ferry_vm_state_parse(const char *word);
/** The same of the word at `path` of `object`, which may be NULL. */
FerryVmState ferry_vm_state_of(const json_t *object, const char *path);

/** Whether the guest runs. */
gboolean ferry_domain_state_runs(FerryVmState state);
/** Whether there is a guest that runs or can go on: something is lost where it ends. */
gboolean ferry_domain_state_is_alive(FerryVmState state);

G_END_DECLS
