// SPDX-License-Identifier: Apache-2.0
// What is done of libvirt's TLS on this host, from what is there to what libvirtd shows.
#pragma once
#include "agent/trust/files.h"
#include "base/json.h"

G_BEGIN_DECLS

/** What is asked of ferryd and libvirtd; a test has its own. */
typedef struct {
  /** Certificates for libvirt's key and QEMU's, as ferry_trust_certificate; FORBIDDEN: not with
   * these keys. */
  json_t *(*ask)(const char *key, const char *qemu, gpointer data, GError **error);
  /** Has libvirtd show what is written, and waits until others reach it. */
  gboolean (*serve)(gpointer data, GError **error);
  /** Whether others reach it, which takes a moment after its start. */
  gboolean (*appears)(gpointer data);
  gpointer data;
} FerryTrustPorts;

typedef struct {
  FerryTrustPlace place;
  const json_t *names; /* by which others may reach this host; borrowed, NULL: none */
  gboolean now;        /* with new keys, also where the certificate is good for long */
  gint64 time_s;
} FerryTrustTask;

typedef enum {
  FERRY_TRUST_FAILED,
  FERRY_TRUST_LEFT,   /* somebody else has set TLS up: nothing is done */
  FERRY_TRUST_STAYED, /* what is there is good and shown */
  FERRY_TRUST_DONE    /* new certificates, or old ones that libvirtd has taken now */
} FerryTrustEnd;

/** Sees to it that this host has certificates that are good for long, whole and shown by libvirtd.
 * What an earlier run began and did not end, for whatever reason, is done first. */
FerryTrustEnd ferry_trust_renewal(const FerryTrustTask *task, const FerryTrustPorts *ports,
                                  GError **error);
/** Whether the agent, which looks for it when it starts, is to be restarted: where this run brought
 * the port up (`served`: it was there before; `first`: without certificates of ferryd's). Pure. */
gboolean ferry_trust_restarts(FerryTrustEnd end, gboolean first, gboolean served);

G_END_DECLS
