// SPDX-License-Identifier: Apache-2.0
// The files that say who an agent is: agent.key, agent.crt and ca.crt of its state directory.
#pragma once
#include "agent/core/options.h"
#include "client/client.h"

G_BEGIN_DECLS

/** Where ferryd gives out certificates: for a token, and anew for a certificate. */
#define FERRY_JOIN_PATH "/apis/ferry.migration/v1/join"

/** Takes the state directory for this process until it ends; UNAVAILABLE names the process that
 * has it. */
gboolean ferry_identity_lock(const char *state_dir, GError **error);
/** What is there, with an installation that a crash interrupted completed; NULL without an error:
 * this host has not joined. Free with ferry_client_config_free. */
FerryClientConfig *ferry_identity_load(const FerryAgentOptions *options, GError **error);
/** Puts a new key, its certificate and the CAs in place: all of them, or after a crash the next
 * load does the rest. */
gboolean ferry_identity_install(const char *state_dir, const char *key_pem, const char *cert_pem,
                                const char *ca_pem, GError **error);
/** Whether a certificate is to be replaced at `now_s`: two thirds of its life are over, or it was
 * made for longer than ferryd makes them now. FALSE where it cannot be read. Pure. */
gboolean ferry_identity_is_due(const char *cert_pem, gint64 now_s);
/** Gets a new key and certificate with the present one and installs them. The configuration to use
 * from now on, or NULL: UNAUTHORIZED where the present one is void. Blocks. */
FerryClientConfig *ferry_identity_renew(const FerryClientConfig *present, const char *node,
                                        const char *state_dir, GError **error);

G_END_DECLS
