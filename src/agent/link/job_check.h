// SPDX-License-Identifier: Apache-2.0
// An agent believes nobody's word for what it does to its host: a job is looked at before it is
// taken, by what this host and ferryd's list of nodes say.
#pragma once
#include "base/error.h"
#include "base/json.h"

G_BEGIN_DECLS

/** What this host knows of a domain. */
typedef struct {
  const char *node; /* this host's own */
  const char *uuid; /* of the domain; NULL: there is no such domain */
  const char *name; /* of the domain */
} FerryJobHere;

/** Whether the source's agent may carry out `migration`: this host is its source, the domain is
 * here under the UUID and the name in status, `target` is the Node that it names, targetURI is what
 * is built of that Node's peer, the addresses that it names are that Node's, and the object is such
 * as the model allows. FALSE with FORBIDDEN: the first thing that does not fit, by name. Pure. */
gboolean ferry_job_check_source(const json_t *migration, const FerryJobHere *here,
                                const json_t *target, GError **error);

/** Whether the target's agent may listen for `migration`'s forecast: this host is its target,
 * `source` is the Node that it names as the source, and the address is one of `own`, this host's
 * Node. FALSE with FORBIDDEN. Pure. */
gboolean ferry_job_check_target(const json_t *migration, const char *node, const json_t *source,
                                const json_t *own, GError **error);

G_END_DECLS
