// SPDX-License-Identifier: Apache-2.0
// What a definition for the target (destinationXML, persistentXML) may make the target host do.
#pragma once
#include "base/json.h"
#include <libxml/tree.h>

G_BEGIN_DECLS

/** Adds a cause to `causes` for each thing in the definition `domain` (its root element) that the
 * VM's own definition lacks, as its host's agent reports it: a program, boot file, label, foreign
 * element or host device; and, unless `unsafe`, any other device, socket or file, a disk by
 * another target name, an interface by another MAC address. `field`: "spec.destinationXML". Pure.
 */
void ferry_target_xml_rules_check(const xmlNode *domain, const json_t *vmi, const char *field,
                                  gboolean unsafe, GError *causes);

G_END_DECLS
