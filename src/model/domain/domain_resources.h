// SPDX-License-Identifier: Apache-2.0
// What a domain's definition makes its host do, beyond running a guest: programs, boot files,
// sockets, files, devices, labels.
#pragma once
#include "base/json.h"
#include <libxml/tree.h>

G_BEGIN_DECLS

/** One of them. `digest` tells two apart without showing either. */
typedef struct {
  char *path;       /* where it stands: "devices/serial[type=unix]/source" */
  char *value;      /* what it says, as text for people */
  gboolean program; /* it decides what runs on the host and as whom, not only what that opens */
  char *digest;     /* 32 hexadecimal digits of path and value */
} FerryDomainResource;

/** All of the definition whose root element is `domain`: FerryDomainResource, in the document's
 * order; own it. The sources of disks of the types file, block, volume and network, and of
 * interfaces of the types bridge and network, are not among them. Pure. */
GPtrArray *ferry_domain_resources(const xmlNode *domain);

/** Their digests, each once, at most FERRY_DOMAIN_RESOURCES_MAX: a new list. Pure. */
json_t *ferry_domain_resources_digests(const xmlNode *domain);
#define FERRY_DOMAIN_RESOURCES_MAX 512

G_END_DECLS
