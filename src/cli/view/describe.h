// SPDX-License-Identifier: Apache-2.0
// An object in readable sections. Pure: text from an object and its events.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** The text of `ferry describe`. `events` is a json array or NULL (left out); ages are against
 * `now_ms` (epoch). Free with g_free. */
char *ferry_describe(const json_t *object, json_t *events, gint64 now_ms);

/** A section on the VMs (a json array) of a host. Free with g_free. */
char *ferry_describe_vms(json_t *vms);

G_END_DECLS
