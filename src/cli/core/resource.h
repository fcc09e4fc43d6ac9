// SPDX-License-Identifier: Apache-2.0
// From words ("vmi db", "vmim/db-x1", "all") to requests, and from a VM's domain name or UUID to
// its object. resource.c asks the server, files.c reads -f FILE.
#pragma once
#include "cli/core/cli.h"
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** One thing named on the command line; `name` NULL: every object of the kind. */
typedef struct {
  const FerryKind *kind;
  char *name;
} FerryTarget;

/** The kind of a word, or NULL with an error (BAD_REQUEST) that lists the kinds. */
const FerryKind *ferry_resource_kind(const char *word, GError **error);
/** Targets of `words` (elements char*): KIND[,KIND] [NAME...], KIND/NAME..., or "all". Elements
 * FerryTarget*. */
GPtrArray *ferry_resource_targets(const GPtrArray *words, GError **error);

/** The path of objects of `kind`: of one with `name`, else of all; `ns` is left out where the kind
 * has none; `query` (may be NULL) begins without '?'. Free with g_free. */
char *ferry_resource_path(const FerryKind *kind, const char *ns, const char *name,
                          const char *query);
/** "virtualmachineinstance.kubevirt.io/db". Free with g_free. */
char *ferry_resource_label(const FerryKind *kind, const char *name);

/** GET of one object by name; a VM by domain name or UUID too. `ns` NULL: in any namespace.
 * NOT_FOUND names the namespace where there is one, or a near name. New reference. */
json_t *ferry_cli_get(FerryCli *cli, const FerryKind *kind, const char *ns, const char *name,
                      const char *const *headers, GError **error);
/** GET of all objects that fit, page by page; the pages' `items` or `rows` in one document.
 * `label_selector` and `field_selector` may be NULL. New reference. */
json_t *ferry_cli_list(FerryCli *cli, const FerryKind *kind, const char *ns,
                       const char *label_selector, const char *field_selector, const char *query,
                       const char *const *headers, GError **error);
/** Adds "key=VALUE" (escaped) to a query; VALUE NULL adds nothing. */
void ferry_query_add(GString *query, const char *key, const char *value);

/** Documents (json_t*) of all -f FILE options, one file "-" being standard input. Lists are opened.
 * Every document must have apiVersion, kind and metadata. */
json_t *ferry_resource_read_files(FerryCli *cli, GError **error);
/** Kind and namespace of a document: metadata.namespace is checked against -n. The namespace is
 * borrowed, NULL for a kind without. */
const FerryKind *ferry_resource_of(FerryCli *cli, const json_t *document, const char **ns,
                                   GError **error);
/** What an object that is being deleted waits for, for people: "finalizers a, b". Free with g_free.
 */
char *ferry_resource_what_keeps(const json_t *object);

G_END_DECLS
