// SPDX-License-Identifier: Apache-2.0
// The way that a migration's data takes from its host: the interface by which it leaves, the
// address that it comes from. Pure; any thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Whether an address ("10.1.2.3") lies in a subnet ("10.1.0.0/16"); IPv4 and IPv6. */
gboolean ferry_way_in_subnet(const char *subnet, const char *address);
/** Whether `address` belongs to a network of these subnets (strings); without any, every address
 * but a link-local one does. */
gboolean ferry_way_in_subnets(const json_t *subnets, const char *address);

typedef struct {
  char *interface; /* by which packets leave */
  char *source;    /* the address they come from; NULL: not known */
  char *gateway;   /* the router's; NULL: the target is on the link */
} FerryWay;
void ferry_way_clear(FerryWay *way);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryWay, ferry_way_clear)

typedef enum {
  FERRY_WAY_UNKNOWN, /* the host says nothing of its routes */
  FERRY_WAY_NONE,    /* no route leads there */
  FERRY_WAY_FOUND,
} FerryWayAnswer;

/** The way from a host to the IP address `to` by `routes` and `interfaces` of its Node's status, as
 * the kernel would choose it: the longest prefix, then the lowest metric; an interface that is down
 * is none. */
FerryWayAnswer ferry_way_find(const json_t *routes, const json_t *interfaces, const char *to,
                              FerryWay *way);

/** What a Network says of a node that is not in it: spec.fallback. */
typedef enum {
  FERRY_FALLBACK_ALLOW, /* its other address is used */
  FERRY_FALLBACK_WARN,  /* so it is, and people are told; this where nothing is said */
  FERRY_FALLBACK_DENY,
} FerryFallback;
extern const char *const ferry_network_fallbacks[]; /* in that order; ends with NULL */
/** That of a Network; WARN for a word that is not known. */
FerryFallback ferry_network_fallback(const json_t *network);

/** A Network, as far as a way is judged by it. */
typedef struct {
  const char *name;
  const json_t *subnets; /* strings; NULL or empty: its interface's alone */
  const char *interface; /* NULL: any that has an address in the subnets */
} FerryWayNetwork;

/** Why data from node `from` to the address `to` of node `there` would not go over the network: new
 * text for people, with the interface it would take instead and what to do. NULL: it does: it
 * leaves by an interface of `interfaces` (of the source's status) that carries the network, from an
 * address in it, to one in it, directly or by a router. `way` NULL: there is no route. */
char *ferry_way_problem(const FerryWayNetwork *network, const json_t *interfaces,
                        const FerryWay *way, const char *from, const char *there, const char *to);

G_END_DECLS
