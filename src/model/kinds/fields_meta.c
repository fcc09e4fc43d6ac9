// SPDX-License-Identifier: Apache-2.0
// The table of metadata, which all kinds share. Rules beyond types and limits are in
// validate_meta.c.
#include "model/kinds/shared_fields.h"

static const FerryField owner_reference[] = {
    STR("apiVersion", "API version of the owner.", REQUIRED, .max = 317),
    STR("kind", "Kind of the owner.", REQUIRED, .max = 63),
    STR("name", "Name of the owner.", REQUIRED, .max = NAME_MAX_LENGTH),
    STR("uid", "UID of the owner.", REQUIRED, .max = 128),
    BOOL("controller", "Whether this owner manages the object."),
    BOOL("blockOwnerDeletion", "Whether the owner waits for this object when it is deleted."),
    END,
};

static const FerryField managed_fields[] = {
    STR("manager", "Program that wrote the fields.", .max = 128),
    STR("operation", "How it wrote them.", .values = WORDS("Apply", "Update")),
    STR("apiVersion", "API version of the fields.", .max = 317),
    TIME("time", "When it last wrote them."),
    STR("fieldsType", "Format of fieldsV1; always FieldsV1.", .max = 32),
    ANY("fieldsV1", "The set of fields, as a tree."),
    STR("subresource", "Subresource it wrote through, if any.", .max = 64),
    END,
};

const FerryField ferry_fields_object_meta[] = {
    STR("name", "Name, unique within kind and namespace; cannot be changed.",
        .max = NAME_MAX_LENGTH),
    STR("generateName",
        "Beginning of a name that the server completes with 5 random characters "
        "where name is empty.",
        .max = NAME_MAX_LENGTH),
    STR("namespace", "Namespace of the object; empty for kinds that belong to the cluster.",
        .pattern = "dns-label", .max = 63),
    STR("selfLink", "Not used any more; accepted and ignored."),
    STR("uid",
        "Identity of the object over its whole life; set by the server. For a "
        "VirtualMachineInstance it is libvirt's UUID.",
        .max = 128),
    STR("resourceVersion", "Version of the object, for optimistic locking; set by the server.",
        .max = 32),
    COUNT("generation", "Number of changes of spec; set by the server."),
    TIME("creationTimestamp", "When the object was created; set by the server."),
    TIME("deletionTimestamp", "When deletion was asked for; the object goes when finalizers is "
                              "empty."),
    SECONDS("deletionGracePeriodSeconds", "Time given to end gracefully; set by the server.",
            NOT_NEGATIVE),
    MAP("labels", "Keys and values to select objects by.", .flags = FERRY_FIELD_LABELS),
    MAP("annotations", "Keys and values for tools, up to 256 KiB altogether.",
        .flags = FERRY_FIELD_ANNOTATIONS),
    OBJS("ownerReferences", owner_reference, "Objects that this one belongs to.",
         .merge_key = "uid", .max = 64),
    STRS("finalizers", "What must be done before a deleted object goes.", .flags = FERRY_FIELD_SET,
         .max = 64),
    OBJS("managedFields", managed_fields, "Who wrote which field; kept by the server.", .max = 200),
    END,
};
