// SPDX-License-Identifier: Apache-2.0
// The trace of a migration: the annotation that its creator chose, else the trace of the request,
// else a new one. From here it goes with the object to the controllers and to the agent.
#include "api/resource/trace.h"
#include "base/trace.h"

void ferry_trace_object(FerryRequest *req, json_t *object) {
  json_t *meta = json_object_get(object, "metadata");
  json_t *annotations = json_object_get(meta, "annotations");
  if (ferry_trace_is_valid(json_string_value(json_object_get(annotations, FERRY_TRACE_ANNOTATION))))
    return;
  g_autofree char *trace = ferry_trace_parse(req->asked.traceparent);
  if (!trace)
    trace = ferry_trace_new();
  if (!json_is_object(annotations)) {
    annotations = json_object();
    json_object_set_new(meta, "annotations", annotations);
  }
  json_object_set_new(annotations, FERRY_TRACE_ANNOTATION, json_string(trace));
}
