// SPDX-License-Identifier: Apache-2.0
// One row of the table of routes (routes.c): what can be asked for, by whom, and who answers.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Who may. There is no value for "not decided": zero fails the build (routes_check.c). */
typedef enum {
  FERRY_RULE_OPEN = 1, /* anyone, without credentials as well */
  FERRY_RULE_URL,      /* who has the verb on the non-resource URL `url`, whatever was found */
  FERRY_RULE_RESOURCE, /* who has the verb on `group`, `resource` and `subresource` */
  FERRY_RULE_KIND,     /* the same; group and resource are those of the kind that was found */
  FERRY_RULE_OWN_NODE, /* the agent of the node that the path names */
} FerryRule;

struct FerryApiRoute {
  const char *method;
  const char *verb; /* in the words of roles */
  /** Segments: a word stands for itself, {ns}, {name} and {any} for one that is not empty, a last
   * "**" for all that follows. {kind} at the beginning is the collection of a kind: /api/v1/PLURAL,
   * /apis/GROUP/VERSION/PLURAL, with namespaces/NS before PLURAL where the kind has them. */
  const char *path;
  FerryRule rule;
  const char *url;                            /* URL */
  const char *group, *resource, *subresource; /* RESOURCE; KIND: the subresource only */
  unsigned verbs;            /* KIND: what the kind must offer; 0: its subresource */
  gboolean names_vm;         /* {name} is a VM by any of its names: judged by the VM's own */
  gboolean query_ns;         /* the namespace is that of ?namespace= */
  const char *in_ns, *named; /* fixed namespace and name */
  FerryHandler handler;
  const char *prefix;   /* the route is below this, too, in segments; NULL: only as it stands */
  gboolean own_query;   /* `handler` judges the query's parameters */
  void (*detail)(void); /* what only `handler` understands: which of its own functions it is */
};

G_END_DECLS
