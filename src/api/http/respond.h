// SPDX-License-Identifier: Apache-2.0
// Answers.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

void ferry_respond_json(FerryRequest *req, unsigned status, json_t *value); /* takes value */
/** Whether that writes JSON without indents. */
gboolean ferry_respond_is_compact(const FerryRequest *req);
/** Answers with `text` (copied) of the media type `type`. */
void ferry_respond_text(FerryRequest *req, unsigned status, const char *type, const char *text);
/** Answers with `bytes` (a reference is taken) of the media type `type`. */
void ferry_respond_bytes(FerryRequest *req, unsigned status, const char *type, GBytes *bytes);
/** Takes `body`. */
void ferry_respond_body(FerryRequest *req, unsigned status, const char *type, FerryBody *body);
/** Whether it is answered, by bytes, a body or a stream. */
gboolean ferry_respond_is_done(const FerryRequest *req);
/** Bytes of the answer; 0: there is none, or a stream. */
gsize ferry_respond_size(const FerryRequest *req);
/** With an ETag, or 304 where the client has these bytes (borrowed) already. */
void ferry_respond_cached(FerryRequest *req, GBytes *bytes, const char *type);
/** An object in the negotiated form (borrowed). */
void ferry_respond_object(FerryRequest *req, unsigned status, const FerryKind *kind,
                          json_t *object);
/** Answers with `error` as a Status in the negotiated form, and its HTTP code. */
void ferry_respond_error(FerryRequest *req, const GError *error);
/** Adds a header to the answer that is going to be given; both are copied. */
void ferry_respond_header(FerryRequest *req, const char *name, const char *value);
/** A Warning header; text longer than 256 bytes is cut. */
void ferry_respond_warning(FerryRequest *req, const char *text);
/** `error` as Kubernetes' Status object, with a cause for each of its causes. New reference. */
json_t *ferry_status_of(const FerryRequest *req, const GError *error);
/** "virtualmachineinstances.kubevirt.io" or "nodes". Free with g_free. */
char *ferry_qualified(const FerryKind *kind);
/** Sets NOT_FOUND about the object of that kind and name, in Kubernetes' words. */
void ferry_set_not_found(GError **error, const FerryKind *kind, const char *name);
/** Turns the store's error about one object into Kubernetes' text. */
void ferry_store_error(GError **error, const FerryKind *kind, const char *name);
/** The PartialObjectMetadata of an object. New reference. */
json_t *ferry_partial_metadata(const json_t *object);

G_END_DECLS
