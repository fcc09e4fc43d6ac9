// SPDX-License-Identifier: Apache-2.0
// Prints docs/flags.md, made of the table of migration flags.
#include "model/schema/migration_flags_doc.h"
#include "policy/flags/migration_flags_rules.h"
#include <stdio.h>

static char *flags_doc_markdown(void) {
  g_autofree char *table = ferry_migration_flags_markdown();
  g_autofree char *rules = ferry_migration_flags_rules_markdown();
  return g_strdup_printf(
      "# Migration flags\n\n"
      "Every flag and typed parameter of libvirt's migration. Made by "
      "`build/src/policy/flags-doc markdown` from the table in "
      "`src/model/flags/migration_flags_table.h` and the rules in "
      "`src/policy/flags/migration_flags_rules.c`.\n\n"
      "Each is a field of a VirtualMachineInstanceMigration's `spec`, and an option of `ferry "
      "migrate` and `ferry check`, named as virsh names it. Sizes and rates are bytes; quantities "
      "such as `64Mi` are accepted. A host that lacks a flag is refused as source or target, by "
      "name and version.\n\n"
      "## Fields\n\n%s\n"
      "## Rules\n\n"
      "Checked when a migration is created, all at once, before anything starts. Besides: names of "
      "disks must be the VM's and writable, disks whose files only their host has must be copied "
      "or `unsafeMigrationOverride` be said, disks on storage that both hosts share are not copied "
      "(`migrateDisks` may name one under `unsafeMigrationOverride` only), the listen address must "
      "be the target's, the xbzrle cache a power of two, and a parallel migration that compresses "
      "must name its method. From values "
      "that are left out Ferry chooses what fits: a tunnelled migration goes without TLS of its "
      "own (also where a weaker layer, such as the cluster's, says `disableTLS: false`), and a "
      "parallel one gets a connection for each 10 Gbit/s of the slower link (4 Gbit/s "
      "with TLS), from 2 to 16.\n\n%s",
      table, rules);
}

int main(int argc, char **argv) {
  if (argc != 2 || !g_str_equal(argv[1], "markdown")) {
    fputs("usage: flags-doc markdown\n", stderr);
    return 2;
  }
  g_autofree char *text = flags_doc_markdown();
  fputs(text, stdout);
  return 0;
}
