// SPDX-License-Identifier: Apache-2.0
// What of a domain's definition some versions of libvirt don't know, or get wrong.
#pragma once
#include "base/json.h"
#include <libxml/tree.h>

G_BEGIN_DECLS

/** Words of the traits that the definition whose root element is `domain` has: a new list, each
 * once. Pure. */
json_t *ferry_domain_traits(const xmlNode *domain);
#define FERRY_DOMAIN_TRAITS_MAX 64

/** The version of libvirt that knows a trait first, static ("10.7.0"): an older one drops what it
 * stands for without a word, or refuses it (ferry_domain_trait_is_refused). NULL: all know it, or
 * there is no such trait. Pure. */
const char *ferry_domain_trait_since(const char *trait);
/** Where it stands in a definition, static, for people; NULL: there is no such trait. Pure. */
const char *ferry_domain_trait_place(const char *trait);

/** Whether an older libvirt refuses a definition with the trait, as it does an unknown <features>
 * element. Pure. */
gboolean ferry_domain_trait_is_refused(const char *trait);

G_END_DECLS
