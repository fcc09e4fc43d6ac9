// SPDX-License-Identifier: Apache-2.0
// ferry(1) and the bash completion, made of the tables of verbs, options, kinds and flags. What a
// table cannot know stands in a template (man/ferry.1.in, completions/ferry.bash.in).
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** The manual as mdoc. In the template a line `.\" @WHAT@` stands for what is made: synopsis,
 * kinds, global (options), flags, `options VERB...` (of the first one; of each, without libvirt's
 * flags), and verbs: a section for each verb that has no `.Ss` in the template. A mark that says
 * nothing known is an error of G_OPTION_ERROR. Free with g_free. */
char *ferry_documents_man(const char *template, GError **error);
/** The completion: a line `# @WHAT@` of the template stands for a part. Same errors. Free with
 * g_free. */
char *ferry_documents_completion(const char *template, GError **error);

G_END_DECLS
