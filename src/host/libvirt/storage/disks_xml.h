// SPDX-License-Identifier: Apache-2.0
// The XML of disks, volumes and pools. Pure.
#pragma once
#include <glib.h>
#include <jansson.h>

/** The disks of a domain's XML: a new list of {name, type, path, pool (for volumes), format,
 * readonly, shareable, backing, backingFormat}, only what is there. The limits are those of
 * ferry_domain_xml_parse. NULL: it cannot be parsed. Pure. */
json_t *ferry_disks_xml_parse(const char *xml);
/** The XML of a volume, by an element of ferry_host_job_disks_plan. Free with g_free. Pure. */
char *ferry_disks_volume_xml(const json_t *disk);
/** The XML of a directory pool. Free with g_free. Pure. */
char *ferry_disks_pool_xml(const char *name, const char *directory);
/** Capacity and format (may be NULL; free with g_free) of a volume's XML. FALSE: it cannot be
 * parsed. Pure. */
gboolean ferry_disks_volume_parse(const char *xml, gint64 *capacity, char **format);
/** /pool/target/path of a pool's XML, or NULL. Free with g_free. Pure. */
char *ferry_disks_pool_path(const char *xml);
/** The file of the NVRAM in a domain's XML; NULL: it has none, or none that is a file. Free with
 * g_free. Pure. */
char *ferry_disks_nvram_path(const char *xml);
