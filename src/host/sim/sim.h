// SPDX-License-Identifier: Apache-2.0
// Simulated hosts in this process: domains on them, links between them, and the hypervisor port
// (host.h) to each. For tests and for measuring at a scale that no machine here carries.
//
// A world runs `speed` times as fast as the clock on the wall: guests, links and QEMU's own
// windows. All that callers see or say is in their own time: at speed 20 a link of 1 Gbit/s carries
// 20 of what they call a second, and a limit of 15 ms is 300 ms of the simulated ones.
//
// All functions may be used from any thread, unless they say otherwise. The world is sim_world.c,
// sim_load.c fills it from JSON, the hypervisor port to one of its hosts is sim_host.c.
#pragma once
#include "host/port/host.h"
#include "host/sim/sim_migration.h"

G_BEGIN_DECLS

typedef struct _FerrySimWorld FerrySimWorld;

#define FERRY_SIM_MAX_HOSTS 1000
#define FERRY_SIM_MAX_DOMAINS 100000
#define FERRY_SIM_MAX_WORLD_BYTES (64 * 1024 * 1024)

/** An empty world; starts its thread. `speed`: 0.01 to 1000. */
FerrySimWorld *ferry_sim_world_new(double speed);
/** A world of {speed, switchoverMs, hosts[{name, cpus, memoryMiB, linkMbps, address,
 * sharedFileSystems[{path, type, readOnly}]}], domains[{
 * name, namespace, uuid, host, memoryMiB, zeroMiB, vcpus, pattern, writeMiBps, workingSetMiB,
 * busySeconds, quietSeconds, persistent, disks[{name, sizeMiB, shared}]}]}; numbers are simulated
 * ones. INVALID names what is wrong and where. */
FerrySimWorld *ferry_sim_world_new_json(const json_t *description, GError **error);
/** The same from a file. */
FerrySimWorld *ferry_sim_world_load(const char *path, GError **error);
/** Ends its thread. No host of it may be open any more. NULL is fine. */
void ferry_sim_world_free(FerrySimWorld *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySimWorld, ferry_sim_world_free)

typedef struct {
  const char *name;    /* also in the URI: sim://NAME/system */
  const char *address; /* NULL: none */
  int cpus;
  gint64 memory;                     /* bytes */
  double link;                       /* bytes/s each way, simulated */
  const json_t *shared_file_systems; /* [{path, type, readOnly}]; NULL: it does not say */
} FerrySimHostSpec;

typedef struct {
  const char *name, *ns; /* ns may be NULL */
  const char *uuid;      /* NULL: made from the name */
  gboolean persistent;
  const json_t *disks; /* [{name, sizeBytes, shared}]; NULL: none */
  FerrySimGuestSpec guest;
} FerrySimDomainSpec;

/** A host without domains. INVALID says what is wrong with it. */
gboolean ferry_sim_world_add_host(FerrySimWorld *world, const FerrySimHostSpec *spec,
                                  GError **error);
/** A running domain on `host`. */
gboolean ferry_sim_world_add_domain(FerrySimWorld *world, const char *host,
                                    const FerrySimDomainSpec *spec, GError **error);
/** Names of its hosts, in the order they came. Free with g_strfreev. */
char **ferry_sim_world_hosts(FerrySimWorld *world);
/** The UUID that a domain without one gets. Free with g_free. */
char *ferry_sim_uuid(const char *name);

/** The port to one host, by its name or its URI. Several may be open. NULL: no such host. */
FerryHost *ferry_host_sim_new(FerrySimWorld *world, const char *name, GError **error);

/* Faults. */
/** libvirtd of `host` ends or is back. What it migrates out stops, and is given up when it is back
 * (post-copy goes on); what comes in fails. */
void ferry_sim_world_set_daemon(FerrySimWorld *world, const char *host, gboolean up);
/** The host loses its power, and with it what runs there, or has it again. */
void ferry_sim_world_set_power(FerrySimWorld *world, const char *host, gboolean on);
/** Each way, simulated bytes/s; shared by the migrations that use it. */
void ferry_sim_world_set_link(FerrySimWorld *world, const char *host, double bytes_per_s);
/** This share (0..1) of the questions for a job's numbers fails. */
void ferry_sim_world_lose_samples(FerrySimWorld *world, const char *host, double share);

/* What really is, for tests. */
/** On how many hosts the domain runs now; `host` (may be NULL; g_free) gets the last of them. */
int ferry_sim_world_running(FerrySimWorld *world, const char *uuid, char **host);
/** What a domain's last migration to end did; seconds in the callers' time. */
typedef struct {
  FerrySimPhase phase; /* COMPLETED, CANCELLED or FAILED */
  double seconds, pause, gap, bytes, lost;
  int iterations, top_throttle;
  gboolean post_copy;
} FerrySimMoved;
/** FALSE: no migration of the domain has ended yet. */
gboolean ferry_sim_world_last(FerrySimWorld *world, const char *uuid, FerrySimMoved *out);

G_END_DECLS
