// SPDX-License-Identifier: Apache-2.0
// Reviews of access.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** (Self|Local)SubjectAccessReview, SelfSubjectRulesReview and SelfSubjectReview. FerryHandler. */
gboolean ferry_serve_review(FerryRequest *req, GError **error);

G_END_DECLS
