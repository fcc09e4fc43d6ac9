// SPDX-License-Identifier: Apache-2.0
// The core group's Event: something that happened to an object, for people.
#include "model/kinds/columns.h"
#include "model/kinds/shared_fields.h"

static const FerryField object_reference[] = {
    STR("apiVersion", "API version of the object.", .max = 317),
    STR("kind", "Kind of the object.", .max = 63),
    STR("name", "Name of the object.", .max = NAME_MAX_LENGTH),
    STR("namespace", "Namespace of the object.", .max = 63),
    STR("uid", "UID of the object.", .max = NAME_MAX_LENGTH),
    STR("resourceVersion", "Version of the object.", .max = 32),
    STR("fieldPath", "The part of the object that is meant.", .max = 1024),
    END,
};

static const FerryField event_source[] = {
    STR("component", "Program that saw it, as ferry-agentd.", .max = NAME_MAX_LENGTH),
    STR("host", "Node on which it was seen.", .max = NAME_MAX_LENGTH),
    END,
};

static const FerryField event_series[] = {
    COUNT("count", "Occurrences so far."),
    TIME("lastObservedTime", "When it was last seen."),
    END,
};

static const FerryField event_fields[] = {
    OBJ("involvedObject", object_reference, "The object it happened to.", REQUIRED),
    STR("reason", "What happened, as one CamelCase word for programs.", .max = 128),
    STR("message", "What happened, in words for people.", .max = MESSAGE_MAX_LENGTH),
    STR("type", "Normal or Warning.", .values = WORDS("Normal", "Warning")),
    COUNT("count", "How often it has happened."),
    TIME("firstTimestamp", "When it first happened."),
    TIME("lastTimestamp", "When it last happened."),
    OBJ("source", event_source, "Who saw it."),
    TIME("eventTime", "When it was first seen, with microseconds."),
    STR("reportingComponent", "Program that reports it.", .max = NAME_MAX_LENGTH),
    STR("reportingInstance", "Instance of that program.", .max = NAME_MAX_LENGTH),
    STR("action", "What was done about it.", .max = 128),
    OBJ("series", event_series, "The series of events that this one stands for."),
    OBJ("related", object_reference, "Another object that it has to do with."),
    END,
};

static const FerryColumn event_columns[] = {
    COLUMN_CELL("Last Seen", "string", ferry_cell_event_last_seen, "Time since it last happened."),
    COLUMN("Type", "string", "type", "Normal or Warning."),
    COLUMN("Reason", "string", "reason", "What happened, as one word."),
    COLUMN_CELL("Object", "string", ferry_cell_event_object, "The object it happened to."),
    COLUMN_WIDE("Subobject", "string", "involvedObject.fieldPath", "The part that is meant."),
    COLUMN_WIDE_CELL("Source", "string", ferry_cell_event_source, "Who saw it, and where."),
    COLUMN("Message", "string", "message", "What happened, in words."),
    COLUMN_WIDE_CELL("First Seen", "string", ferry_cell_event_first_seen,
                     "Time since it first happened."),
    COLUMN_WIDE("Count", "integer", "count", "How often it has happened."),
    {.name = "Name",
     .type = "string",
     .format = "name",
     .priority = 1,
     .path = "metadata.name",
     .doc = "Name of the event."},
};

const FerryKind ferry_kind_event = {
    .group = "",
    .version = "v1",
    .kind = "Event",
    .plural = "events",
    .singular = "event",
    .short_names = WORDS("ev"),
    .namespaced = TRUE,
    .verbs = FERRY_VERB_ALL,
    .read_by = FERRY_ROLE_VIEW,
    .has_status = FALSE,
    .fields = event_fields,
    .columns = event_columns,
    .n_columns = G_N_ELEMENTS(event_columns),
    .field_selectors =
        WORDS("involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
              "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
              "involvedObject.fieldPath", "reason", "type", "source", "source.component",
              "reportingComponent"),
    .doc = "Event is a report of something that happened to an object.",
};
