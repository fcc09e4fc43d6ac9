// SPDX-License-Identifier: Apache-2.0
// The agent of one host: reports its domains, moves them when ferryd says so.
#pragma once
#include "client/client.h"
#include "host/port/host.h"

G_BEGIN_DECLS

#define FERRY_AGENT_VERSION "v" FERRY_VERSION

typedef struct {
  const char *server;        /* https://HOST:PORT of ferryd */
  const char *node;          /* name of this host's Node object */
  const char *state_dir;     /* certificate, key, results not delivered yet */
  const char *token;         /* one-time join token; NULL once joined */
  const char *rpc_socket;    /* path of the local socket; NULL: state_dir/agent.sock */
  gboolean standalone;       /* no ferryd: driven by the local socket alone */
  gint64 progress_timeout_s; /* of migrations asked for there without their own; 0: none */
  const json_t *peer; /* where other hosts' libvirtd reach this one's (agent/peer.h); may be NULL */
} FerryAgentOptions;

typedef struct _FerryAgent FerryAgent;

/** The certificate of this agent: read from state_dir, or got from ferryd with the one-time token
 * (and stored). Blocks; network errors are UNAVAILABLE and worth repeating. */
FerryClientConfig *ferry_agent_join(const FerryAgentOptions *options, GError **error);

/** An agent for `host` (taken over). `notify` is called in a thread of the agent: "ready" after the
 * first full report was accepted, "fatal" when it can't go on (a newer agent has this node). */
FerryAgent *ferry_agent_new(const FerryAgentOptions *options, const FerryClientConfig *config,
                            FerryHost *host, void (*notify)(const char *what, gpointer data),
                            gpointer data);
/** Starts its threads. Once. */
void ferry_agent_start(FerryAgent *agent);
/** Whether its threads were alive lately; what the watchdog is fed from. Any thread. */
gboolean ferry_agent_alive(FerryAgent *agent);
/** Ends its threads. Running migrations go on in libvirt; the next agent adopts them. */
void ferry_agent_free(FerryAgent *agent);

G_END_DECLS
