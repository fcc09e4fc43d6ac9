// SPDX-License-Identifier: Apache-2.0
// What a domain is made of, part by part, so that it can be told whether a migration changed it:
// each part by a name for people ("disk vda", "title") with a digest of what it says. What every
// host sets for itself (numbers, names of taps and terminals, labels of security drivers) is no
// part of it, nor is what a guest changes by itself (its balloon).
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

#define FERRY_DOMAIN_PARTS_MAX 1000

/** An object of name -> digest of a domain's XML as libvirt gives it, live or stored; NULL: it
 * cannot be read, or has more than FERRY_DOMAIN_PARTS_MAX parts. New reference. Pure. */
json_t *ferry_domain_parts(const char *xml);
/** The names of what differs, for people: "disk vda", "rng 1 (gone)", "title (new)"; sorted. A new
 * list, empty where nothing does. Pure. */
json_t *ferry_domain_parts_changed(const json_t *before, const json_t *after);

G_END_DECLS
