// SPDX-License-Identifier: Apache-2.0
// What a bug report about a migration needs: collected from the server and this machine, then
// without what strangers may not see.
#pragma once
#include "cli/core/cli.h"
#include <jansson.h>

G_BEGIN_DECLS

/** What the server knows of `migration` and what belongs to it, as one document: made, ferry (this
 * program's version), server, migration, vm, source, target, cluster (the KubeVirt objects),
 * policies (which it went by), networks, and the events of each. What can't be had is a text that
 * says why. A new reference; nothing is taken out yet. */
json_t *ferry_report_collect(FerryCli *cli, const json_t *migration);
/** Texts of this machine, a member a file: configuration files (--config, else those of /etc/ferry
 * that can be read), what the journal has of Ferry's and libvirt's units from a minute before
 * `migration` until a minute after, and --log's files; of each at most its end. A new reference. */
json_t *ferry_report_local(FerryCli *cli, const json_t *migration);
/** `report`, with `texts` (both are changed), without secrets and addresses; with --redact-names
 * without names of hosts, VMs and namespaces, all of which are asked for therefore: FALSE where the
 * server doesn't tell them. */
gboolean ferry_report_redact(FerryCli *cli, json_t **report, json_t **texts, GError **error);

G_END_DECLS
