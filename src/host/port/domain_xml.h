// SPDX-License-Identifier: Apache-2.0
// What is read of a domain's XML, whatever driver it came from.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The namespace of Ferry's element in a domain's <metadata>. */
#define FERRY_METADATA_NS "https://ferry.migration/v1"
#define FERRY_DOMAIN_XML_MAX_BYTES (4 * 1024 * 1024)
#define FERRY_DOMAIN_XML_MAX_TEXT 4096 /* bytes of one text in it */

/** Reads a domain's XML (from outside, so with limits: no network, no entities, bounded size and
 * numbers) into a record: uuid, name, namespace, labels, annotations, memoryBytes, vcpus, cpuModel,
 * machineType, disks, interfaces, hostDevices, filesystems, migrationPolicy; and only where the
 * domain has it: invariantTSC, tscFrequencyHz, hypervPassthrough, hypervReenlightenment,
 * launchSecurity, a disk's reservations. State is not in XML.
 * INVALID with what is wrong. Pure. */
json_t *ferry_domain_xml_parse(const char *xml, gsize len, GError **error);

G_END_DECLS
