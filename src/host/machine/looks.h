// SPDX-License-Identifier: Apache-2.0
// Whether a thing that a VM of another host names is here: what only a look at this machine tells.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Whether `path` leads where other hosts' VMs have nothing to be looked for: another host's word
 * is no reason to tell what lies in this one's /root, /home, /etc and the like, nor a path with
 * "..". Pure. */
gboolean ferry_look_is_private(const char *path);

/** What is here of what {kind, name} of `look` names, as an entry of a Node's status.resources;
 * NULL: it can't be looked at, or is private. A file system that hangs makes this hang. */
json_t *ferry_look(const json_t *look);

/** Whether somebody listens on `port` of `address` (or of all addresses), by a text as the kernel's
 * /proc/net/tcp (`ipv6`: tcp6). Pure. */
gboolean ferry_look_is_listening(const char *table, gboolean ipv6, const char *address,
                                 guint16 port);

/** The huge pages of the machine, as entries of a Node's status.resources; `directory` is
 * /sys/kernel/mm/hugepages, `meminfo` the text of /proc/meminfo (NULL: which size is the default is
 * not known). A new list. */
json_t *ferry_look_hugepages(const char *directory, const char *meminfo);

G_END_DECLS
