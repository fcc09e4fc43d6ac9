// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a defect is a row: up to four ranges of versions (libvirt and QEMU of both
// hosts), all of which must hold, what else it takes (a trait of the domain, fields of the
// configuration), its effect and a way round. All rows are by libvirt's own release notes, but for
// those that say that they were measured. Post-copy that broke and is resumed has rules of its own
// (model/flags/resume_defects.c), which refuse; these here only warn, as the move may well succeed.
#include "policy/target/version_defects.h"
#include "model/domain/domain_traits.h"
#include "model/flags/migration_flags.h"

/* From `since` on (NULL: always), before `until` (NULL: still so). */
typedef struct {
  const char *since, *until;
} VersionRange;

typedef struct {
  const char *name;
  VersionRange source_libvirt, target_libvirt, source_qemu, target_qemu;
  VersionRange either_libvirt; /* one of both hosts is enough */
  const char *trait;           /* of the domain; NULL: any */
  const char *given[3];        /* fields of the configuration that are on, or given */
  gboolean shared_disk;        /* only of a VM with a disk on storage that hosts share */
  const char *effect, *way_round;
} VersionDefect;

static const VersionDefect version_defects[] = {
    {.name = "LongTLS",
     .source_libvirt = {NULL, "11.6.0"},
     .given = {"tls"},
     .effect = "GnuTLS can kill the VM's QEMU on the source in a long migration with TLS",
     .way_round = "upgrade the source's libvirt to 11.6.0 and set migrate_tls_priority in its "
                  "qemu.conf, or migrate without TLS over a network that is trusted"},
    {.name = "CPUThreads",
     .target_libvirt = {NULL, "11.10.0"},
     .target_qemu = {"10.0.0", NULL},
     .trait = "cpu-threads",
     .effect = "the target refuses a VM with several threads a core (extra features: ht)",
     .way_round = "upgrade the target's libvirt to 11.10.0"},
    {.name = "VideoVirtio",
     .either_libvirt = {NULL, "12.5.0"},
     .trait = "video-virtio",
     .effect = "which of two virtio video devices the VM has is not told to the target, which may "
               "take the other one and then fail",
     .way_round = "install the same QEMU modules on both hosts, or upgrade libvirt to 12.5.0"},
    {.name = "CustomXMLProcessor",
     .source_libvirt = {"10.2.0", "10.3.0"},
     .given = {"destinationXML"},
     .effect = "libvirt may call a definition for the target incompatible by its processor",
     .way_round = "leave destinationXML out, or upgrade the source's libvirt to 10.3.0"},
    {.name = "TLSOfParallelDisks",
     .source_libvirt = {NULL, "10.3.0"},
     .given = {"tls", "parallel", "copyStorageAll"},
     .effect = "the disks' certificate is compared with an empty name, and the copy fails",
     .way_round = "leave parallel out, or upgrade the source's libvirt to 10.3.0"},
    {.name = "VMXToNewer",
     .source_libvirt = {NULL, "9.10.0"},
     .target_libvirt = {"9.10.0", "10.2.0"},
     .trait = "cpu-vmx",
     .effect = "the target refuses the VM's processor for extra vmx features",
     .way_round = "upgrade the target's libvirt to 10.2.0"},
    {.name = "VMXToOlder",
     .source_libvirt = {"9.10.0", "10.2.0"},
     .target_libvirt = {NULL, "9.10.0"},
     .trait = "cpu-vmx",
     .effect = "the target refuses the VM's processor for vmx features",
     .way_round = "move it to a host with libvirt 10.2.0 or newer"},
    {.name = "VMXPartsOff",
     .target_libvirt = {NULL, "10.5.0"},
     .trait = "cpu-vmx-parts-off",
     .effect = "the target expects vmx features that the VM has switched off, and refuses it",
     .way_round = "upgrade the target's libvirt to 10.5.0"},
    {.name = "RootSquash",
     .either_libvirt = {"10.1.0", "10.4.0"},
     .shared_disk = TRUE,
     .effect = "a disk on NFS with root_squash can fail the migration (Unknown error 255)",
     .way_round = "export it without root_squash, or upgrade libvirt to 10.4.0"},
    {.name = "DisksPortKept",
     .target_libvirt = {NULL, "10.1.0"},
     .given = {"disksPort"},
     .effect = "the target never gives the port back, and no later migration can use it",
     .way_round = "leave disksPort out, or upgrade the target's libvirt to 10.1.0"},
    {.name = "TPMOnNFS",
     .target_libvirt = {NULL, "12.0.0"},
     .trait = "tpm-emulator",
     .effect = "a TPM's state on shared storage of only one host, or another one, is not moved",
     .way_round = "keep the TPM's state (/var/lib/libvirt/swtpm) alike on both hosts, or upgrade "
                  "libvirt to 12.0.0"},
    {.name = "QueuesOfXML",
     .source_libvirt = {NULL, "11.4.0"},
     .trait = "interface-queues",
     .given = {"destinationXML"},
     .effect = "another number of queues in the definition for the target is not refused, and the "
               "guest's interface breaks",
     .way_round = "keep <driver queues=''> as virsh dumpxml prints it"},
    {.name = "RecoveryCalledFailed",
     .source_libvirt = {NULL, "11.0.0"},
     .given = {"postCopyResume"},
     .effect = "libvirt may call a resumed post-copy failed that goes on well",
     .way_round = "look at the VM on the target before anything else"},
    /* measured with 7.2.x, whose guests lost writes in 25 of 53 moves; none of 86 with 10.0 */
    {.name = "EmulatedWrites",
     .source_qemu = {"7.2.0", "8.0.0"},
     .trait = "emulated",
     .effect = "QEMU without KVM loses writes of a guest that runs while it moves",
     .way_round = "move it paused (--no-live)"},
};

static gboolean is_within(const VersionRange *range, const json_t *node, const char *field) {
  const char *version = ferry_json_str(node, field);
  if (!range->since && !range->until)
    return TRUE;
  return version && (!range->since || ferry_version_compare(version, range->since) >= 0) &&
         (!range->until || ferry_version_compare(version, range->until) < 0);
}

static gboolean is_given(const json_t *config, const char *field) {
  const json_t *value = json_object_get(config, field);
  return value && !json_is_null(value) && !json_is_false(value) &&
         !(json_is_integer(value) && json_integer_value(value) == 0);
}

static gboolean has_shared_disk(const json_t *vmi) {
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    if (ferry_json_bool(disk, "shared", FALSE))
      return TRUE;
  }
  return FALSE;
}

static gboolean defect_concerns(const VersionDefect *d, const json_t *vmi, const json_t *config) {
  const json_t *traits = ferry_json_get(vmi, "spec.domain.traits");
  if (d->trait && !ferry_json_has_word(traits, d->trait))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(d->given) && d->given[i]; i++)
    if (!is_given(config, d->given[i]))
      return FALSE;
  return !d->shared_disk || has_shared_disk(vmi);
}

#define LIBVIRT_VERSION "status.hypervisor.libvirtVersion"
#define QEMU_VERSION "status.hypervisor.qemuVersion"

static gboolean holds_between(const VersionDefect *d, const json_t *source, const json_t *target) {
  return is_within(&d->source_libvirt, source, LIBVIRT_VERSION) &&
         is_within(&d->target_libvirt, target, LIBVIRT_VERSION) &&
         (is_within(&d->either_libvirt, source, LIBVIRT_VERSION) ||
          is_within(&d->either_libvirt, target, LIBVIRT_VERSION)) &&
         is_within(&d->source_qemu, source, QEMU_VERSION) &&
         is_within(&d->target_qemu, target, QEMU_VERSION);
}

static void defects_add(json_t *out, const char *name, const char *text) {
  json_array_append_new(out, json_pack("{ss,so}", "name", name, "message", ferry_json_text(text)));
}

/* What the source's libvirt knows and the target's is too old for: it is dropped without a word. */
static void add_dropped(json_t *out, const json_t *vmi, const json_t *target) {
  const char *version = ferry_json_str(target, LIBVIRT_VERSION);
  gsize i;
  json_t *trait;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.traits"), i, trait) {
    const char *word = json_string_value(trait), *since = ferry_domain_trait_since(word);
    if (!since || !version || ferry_version_compare(version, since) >= 0 ||
        ferry_domain_trait_is_refused(word)) /* needs_rules.c says that */
      continue;
    g_autofree char *text = g_strdup_printf(
        "the libvirt of %s (%s) doesn't know <%s> (%s), which came with %s, and drops it without a "
        "word: the VM no longer has it there; choose a host with a newer libvirt",
        ferry_json_text_at(target, "metadata.name"), version, ferry_domain_trait_place(word), word,
        since);
    defects_add(out, "SettingDropped", text);
  }
}

json_t *ferry_version_defects(const json_t *vmi, const json_t *config, const json_t *source,
                              const json_t *target) {
  json_t *out = json_array();
  for (gsize i = 0; i < G_N_ELEMENTS(version_defects); i++) {
    const VersionDefect *d = &version_defects[i];
    if (!defect_concerns(d, vmi, config) || !holds_between(d, source, target))
      continue;
    g_autofree char *text = g_strdup_printf(
        "known defect between %s (libvirt %s, QEMU %s) and %s (libvirt %s, QEMU "
        "%s): %s; %s (%s)",
        ferry_json_text_at(source, "metadata.name"), ferry_json_text_at(source, LIBVIRT_VERSION),
        ferry_json_text_at(source, QEMU_VERSION), ferry_json_text_at(target, "metadata.name"),
        ferry_json_text_at(target, LIBVIRT_VERSION), ferry_json_text_at(target, QEMU_VERSION),
        d->effect, d->way_round, d->name);
    defects_add(out, d->name, text);
  }
  add_dropped(out, vmi, target);
  return out;
}
