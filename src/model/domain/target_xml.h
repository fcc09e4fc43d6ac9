// SPDX-License-Identifier: Apache-2.0
// What a destinationXML says of a disk.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The attributes of the <source> of the disk `name` (its <target dev>) in a domain's XML, each as
 * a string: a new object. NULL: the XML is NULL or no XML, has a DOCTYPE, or has no source for it.
 * Pure. */
json_t *ferry_target_xml_disk_source(const char *xml, const char *name);

G_END_DECLS
