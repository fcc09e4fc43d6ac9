// SPDX-License-Identifier: Apache-2.0
// What an agent is started with.
#pragma once
#include <glib.h>
#include <jansson.h>

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
  const json_t *peer; /* where other hosts' libvirtd reach this one's (link/peer.h); may be NULL */
} FerryAgentOptions;

G_END_DECLS
