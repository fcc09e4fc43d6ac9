// SPDX-License-Identifier: Apache-2.0
// What a domain's definition needs of the host that is to run it: what libvirt or QEMU refuses it
// for where that is not there.
#pragma once
#include "base/json.h"
#include <libxml/tree.h>

G_BEGIN_DECLS

/** A thing of a host. Its word (ferry_need_word) stands in a VM's needs and a Node's resources. */
typedef enum {
  FERRY_NEED_BRIDGE,    /* name: of the bridge */
  FERRY_NEED_INTERFACE, /* name: of the interface that a macvtap is put on */
  FERRY_NEED_NETWORK,   /* name: of libvirt's network */
  FERRY_NEED_POOL,      /* name: of libvirt's storage pool */
  FERRY_NEED_VOLUME,    /* name: POOL/VOLUME */
  FERRY_NEED_SECRET,    /* name: UUID, or TYPE:USAGE */
  FERRY_NEED_FILE,      /* name: path */
  FERRY_NEED_DIRECTORY, /* name: path */
  FERRY_NEED_ADDRESS,   /* name: an address of the host */
  FERRY_NEED_PORT,      /* name: ADDRESS PORT that nobody may listen on */
  FERRY_NEED_HUGEPAGES, /* name: size of the pages in KiB; 0: the host's default */
  FERRY_NEED_IMAGE,     /* name: path of a disk, which a copy of it is written to if it is there */
  FERRY_NEEDS,
} FerryNeed;

/** "bridge", "network", ... Pure. */
const char *ferry_need_word(FerryNeed need);
/** All words; ends with NULL. */
extern const char *const ferry_need_words[];
/** FERRY_NEEDS: there is none of that word. Pure. */
FerryNeed ferry_need_of_word(const char *word);
/** Whether only a look at the host tells, as it can't list them all. Pure. */
gboolean ferry_need_takes_look(FerryNeed need);

/** Things to look for, each once, in their order: "kind name" to {kind, name}, owned. Free with
 * g_tree_unref. */
GTree *ferry_looks_tree_new(void);
/** The first `most` of them as a new list. */
json_t *ferry_looks_tree_list(GTree *looks, gsize most);

/** What the definition whose root element is `domain` needs: a new list of {kind, name}, each once,
 * at most FERRY_DOMAIN_NEEDS_MAX. Of disks that the guest writes to, which have rules of their own,
 * only pools, volumes and secrets are among it. Pure. */
json_t *ferry_domain_needs(const xmlNode *domain);
#define FERRY_DOMAIN_NEEDS_MAX 128

/** Most things of one host, and of all, that other hosts look for. */
#define FERRY_LOOKS_MAX 256

G_END_DECLS
