// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the first row that matches decides; a path of Kubernetes' form is taken
// apart first, so that rows speak of collections, objects and subresources.
#include "api/http/level.h"

#include <string.h>

typedef enum { ANY, READ, DELETE_ONLY } Methods;
typedef enum { ANY_FORM, COLLECTION, OBJECT, SUBRESOURCE, NO_RESOURCE } Form;

typedef struct {
  Methods methods;
  Form form;
  const char *word; /* the plural; of a subresource its name; else the first segment; NULL: any */
  FerryLevel level;
  gboolean quick, wide;
} Row;

static const Row by_path[] = {
    {READ, NO_RESOURCE, "healthz", FERRY_LEVEL_EXEMPT, TRUE, FALSE},
    {READ, NO_RESOURCE, "livez", FERRY_LEVEL_EXEMPT, TRUE, FALSE},
    {READ, NO_RESOURCE, "readyz", FERRY_LEVEL_EXEMPT, TRUE, FALSE},
    {READ, NO_RESOURCE, "version", FERRY_LEVEL_EXEMPT, TRUE, FALSE},
    {READ, NO_RESOURCE, "metrics", FERRY_LEVEL_HEAVY, FALSE, TRUE},
    {READ, NO_RESOURCE, "openapi", FERRY_LEVEL_HEAVY, FALSE, TRUE},
    {READ, NO_RESOURCE, "api", FERRY_LEVEL_WORK, TRUE, FALSE},
    {READ, NO_RESOURCE, "apis", FERRY_LEVEL_WORK, TRUE, FALSE},
    {READ, NO_RESOURCE, "config", FERRY_LEVEL_WORK, TRUE, FALSE},
    {READ, NO_RESOURCE, "web", FERRY_LEVEL_WORK, TRUE, FALSE},
    {READ, NO_RESOURCE, NULL, FERRY_LEVEL_HEAVY, FALSE, TRUE}, /* lists that are of no kind */
    {ANY, SUBRESOURCE, "cancel", FERRY_LEVEL_CONTROL, FALSE, FALSE},
    {ANY, SUBRESOURCE, "change", FERRY_LEVEL_CONTROL, FALSE, FALSE},
    {ANY, SUBRESOURCE, "resolve", FERRY_LEVEL_CONTROL, FALSE, FALSE},
    {ANY, SUBRESOURCE, "done", FERRY_LEVEL_CONTROL, FALSE, FALSE},
    {DELETE_ONLY, OBJECT, "virtualmachineinstancemigrations", FERRY_LEVEL_CONTROL, FALSE, FALSE},
    {DELETE_ONLY, OBJECT, "evacuations", FERRY_LEVEL_CONTROL, FALSE, FALSE},
    {READ, COLLECTION, NULL, FERRY_LEVEL_HEAVY, FALSE, TRUE},
    {READ, SUBRESOURCE, "stream", FERRY_LEVEL_HEAVY, FALSE, TRUE},
    {READ, OBJECT, "pods", FERRY_LEVEL_WORK, FALSE, FALSE}, /* looks through VMs for a long name */
    {READ, ANY_FORM, NULL, FERRY_LEVEL_WORK, TRUE, FALSE},
    {DELETE_ONLY, COLLECTION, NULL, FERRY_LEVEL_HEAVY, FALSE, TRUE},
    {ANY, ANY_FORM, NULL, FERRY_LEVEL_WORK, FALSE, FALSE},
};

/* What an agent does is a level of its own. */
static const Row by_agent[] = {
    {READ, COLLECTION, NULL, FERRY_LEVEL_AGENTS, FALSE, TRUE},
    {READ, ANY_FORM, NULL, FERRY_LEVEL_AGENTS, TRUE, FALSE},
    {ANY, ANY_FORM, NULL, FERRY_LEVEL_AGENTS, FALSE, FALSE},
};

typedef struct {
  Form form;
  const char *word, *plural;
} Shape;

/* Kubernetes' paths: api/V or apis/G/V, [namespaces/NS/]PLURAL[/NAME[/SUBRESOURCE]]. */
static Shape shape_of(char *const *s) {
  guint n = g_strv_length((char **)s);
  while (n > 0 && !*s[n - 1])
    n--;
  gboolean core = n > 0 && g_str_equal(s[0], "api"), group = n > 0 && g_str_equal(s[0], "apis");
  guint skip = core ? 2 : group ? 3 : 0;
  if (!skip || n <= skip)
    return (Shape){NO_RESOURCE, n ? s[0] : "", NULL};
  s += skip;
  n -= skip;
  if (n >= 3 && g_str_equal(s[0], "namespaces")) {
    s += 2;
    n -= 2;
  }
  if (n == 1)
    return (Shape){COLLECTION, s[0], s[0]};
  /* events/stream has the form of an object, but is not one. */
  if (n == 2 && g_str_equal(s[0], "events") && g_str_equal(s[1], "stream"))
    return (Shape){SUBRESOURCE, s[1], NULL};
  return n == 2 ? (Shape){OBJECT, s[0], NULL} : (Shape){SUBRESOURCE, s[2], NULL};
}

static gboolean method_matches(Methods methods, const char *method) {
  gboolean read = g_str_equal(method, "GET") || g_str_equal(method, "HEAD");
  return methods == ANY || (methods == READ && read) ||
         (methods == DELETE_ONLY && g_str_equal(method, "DELETE"));
}

static const Row *find_row(const Row *rows, gsize n, const char *method, const Shape *shape) {
  for (gsize i = 0; i < n; i++)
    if (method_matches(rows[i].methods, method) &&
        (rows[i].form == ANY_FORM || rows[i].form == shape->form) &&
        (!rows[i].word || g_str_equal(rows[i].word, shape->word)))
      return &rows[i];
  return &rows[n - 1];
}

FerryLevelChoice ferry_level_choose(const char *method, char *const *segments, gboolean watch,
                                    FerryAsker asker) {
  Shape shape = shape_of(segments);
  const Row *row = find_row(by_path, G_N_ELEMENTS(by_path), method, &shape);
  gboolean health = row->level == FERRY_LEVEL_EXEMPT;
  if (asker == FERRY_ASKER_AGENT && !health)
    row = find_row(by_agent, G_N_ELEMENTS(by_agent), method, &shape);
  FerryLevelChoice c = {row->level, row->quick, row->wide, shape.plural};
  if (asker == FERRY_ASKER_UNKNOWN && !health)
    c.level = FERRY_LEVEL_ANONYMOUS;
  if (watch && !c.wide) { /* of one object */
    c.quick = FALSE;
    c.level = asker == FERRY_ASKER_USER ? FERRY_LEVEL_HEAVY : c.level;
  }
  return c;
}
