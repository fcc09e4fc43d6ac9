// SPDX-License-Identifier: Apache-2.0
// Every reason that Ferry gives, where it is given, what it means and what to do.
// docs/troubleshooting.md is made of these rows (tests/policy/test_reasons_document.py), and code
// that gives a reason without a row fails that test; so a row is where a reason's words stand, and
// the only place.
#include "model/migration/reasons.h"

#define ENDED(name, text, advice)                                                                  \
  { FERRY_REASON_ENDED, name, text, advice }
#define WAITS(name, text, advice)                                                                  \
  { FERRY_REASON_WAITS, name, text, advice }
#define REFUSED(name, text, advice)                                                                \
  { FERRY_REASON_REFUSED, name, text, advice }
#define IMMOBILE(name, text, advice)                                                               \
  { FERRY_REASON_IMMOBILE, name, text, advice }
#define CONDITION(name, text, advice)                                                              \
  { FERRY_REASON_CONDITION, name, text, advice }
#define DECISION(name, text, advice)                                                               \
  { FERRY_REASON_DECISION, name, text, advice }
#define EVENT(name, text, advice)                                                                  \
  { FERRY_REASON_EVENT, name, text, advice }
#define RPC(name, text, advice)                                                                    \
  { FERRY_REASON_RPC, name, text, advice }

#define SEE_AGENT "See journalctl -u ferry-agentd on that host."
#define WITH_VIRSH "Look at the domain on both hosts with virsh"

static const FerryReason rows[] = {
    ENDED("Completed", "The VM runs on its target.", ""),
    ENDED("ForecastMade", "The forecast is in status.forecast; nothing was moved.", ""),
    ENDED("Cancelled", "A person or an Evacuation cancelled it; the VM is where it was.", ""),
    ENDED("MigrationFailed", "libvirt's call failed; the message has libvirt's words.",
          "Remove what libvirt names and try again. status.attempts has each host that was tried."),
    ENDED("HypervisorError", "The source's libvirt did not answer, or does not know the VM.",
          "Look at libvirtd on the source."),
    ENDED("HypervisorLost", "The source's libvirtd went away while the migration ran.",
          "Look at libvirtd on the source, and at the domain on both hosts with virsh."),
    ENDED("JobRefused", "The source's agent found that the migration does not fit its host.",
          "Compare the VM's UUID and name, the target and its address with what the hosts have."),
    ENDED("TargetUnreachable", "The target's address did not answer over the migration network.",
          "Look at the Network, the addresses of both Nodes, and firewalls between them."),
    ENDED(
        "TargetNameUnknown", "The name of the target's libvirtd does not resolve on the source.",
        "Add it to DNS or to /etc/hosts of the source, or give the target's agent --peer-uri with "
        "an address."),
    ENDED("TargetLibvirtUnreachable", "The source's libvirtd cannot connect to the target's.",
          "Look at libvirtd (its TLS or SSH port) on the target, and at firewalls between them."),
    ENDED(
        "TargetLoginRefused",
        "One libvirtd does not trust the other: certificate, key or "
        "password.",
        "Try on the source, as root: virsh -c PEER-URI list (the PEER-URI of the target's Node)."),
    ENDED("TargetLibvirtLost", "The connection to the target's libvirtd broke.",
          "Look at libvirtd on the target and at the management network, then migrate again."),
    ENDED("TargetPortClosed", "The port that takes the VM's data on the target is closed.",
          "Open ports 49152 to 49215 on the target to the source (migration_port_min and _max of "
          "its qemu.conf)."),
    ENDED("TargetNotPrepared", "The target's images could not be made.",
          "Look at the storage pools of the target."),
    ENDED("TargetNotReady", "The target did not get ready within 15 minutes.",
          "Look at libvirtd and the storage pools of the target, and at its agent's journal."),
    ENDED("SourceAgentNotAnswering", "The source's agent did not take the migration up.",
          SEE_AGENT),
    ENDED("SourceHostLost", "The source's agent has been silent for too long to decide the end.",
          WITH_VIRSH " before you start it anywhere."),
    ENDED("Unschedulable", "No host can take the VM; status.refusals has every host's reasons.",
          "Remove one of the reasons, or name a target."),
    ENDED("VMNotFound", "The VM is on neither host, and nothing says why.",
          "Look for the domain on both hosts with virsh before you start it anywhere."),
    ENDED("VMNotRunning", "The VM no longer runs.",
          "Start it first, or move its definition with offline: true (--offline)."),
    ENDED("StoppedMeanwhile", "The VM was stopped while it moved.",
          "Start it again where it was, if it is to run."),
    ENDED("VMLost", "Post-copy broke, and one half of the memory is gone.",
          "What the guest held in memory is lost: destroy what is left of it on either host (virsh "
          "destroy), then start it again from its disks."),
    ENDED("PostCopyFailed", "Post-copy broke, and each host holds a part of the memory.",
          "Destroy it on neither host: it cannot run until the migration is resumed, by repeating "
          "it with allowPostCopy: true and postCopyResume: true (--post-copy --postcopy-resume)."),
    ENDED("RunsOnBothHosts", "Two copies of the VM are active.",
          WITH_VIRSH " at once, and destroy the one that has run for a shorter time or is "
                     "suspended."),
    ENDED("SuspendedOnBothHosts", "The VM is suspended on both hosts, and neither goes on.",
          WITH_VIRSH ", destroy the copy on the target, then resume the one on the source."),
    ENDED("OutcomeUnknown", "Only a host that cannot be heard knows how it ended.",
          "Start it nowhere: it is decided when that host can be heard again."),
    ENDED("ForecastFailed", "The guest could not be measured.", "Look at libvirtd on the source."),
    ENDED("Stalled", "It made no progress, and the policy says to end it then (onStalling).",
          "Migrate it when it is less busy, or allow it a longer pause or post-copy."),
    ENDED("CompletionTimeout", "It was not done within the completion timeout.",
          "Allow more time (completionTimeoutPerGiB), more bandwidth, a longer pause or "
          "post-copy."),
    ENDED("DeadlineExceeded", "It was not done within the time that the intent allows.",
          "Allow more time, more bandwidth, a longer pause or post-copy."),
    ENDED("Infeasible", "Nothing that is permitted keeps the intent.",
          "The message says what would be needed: ask for less, or allow more."),
    ENDED("LinkStalled", "Not one byte was sent for a while: link or target is down.",
          "Look at the network between both hosts, and at the target."),
    ENDED("ProgressTimeout", "What remained did not become less within the progress timeout.",
          "Migrate it when it is less busy, or allow a longer pause, throttling or post-copy."),
    ENDED("SlowdownExceeded", "Auto-converge slowed the guest down by more than is allowed.",
          "Allow more of a slow-down, a longer pause or post-copy."),
    ENDED("SwitchoverTimeout", "The switch-over did not come within its time.",
          "Allow a longer pause or post-copy."),
    ENDED("Schedule", "A schedule of a policy ended it at its last step.",
          "Migrate it when it is less busy, or choose another schedule."),

    WAITS("LimitReached", "As many migrations run as the limits allow.",
          "Wait, or raise the limit that the message names."),
    WAITS("AlreadyMigrating", "Another migration of the same VM goes first.",
          "Wait for its end or cancel it."),
    WAITS("SourceNotReady", "The source's agent does not report.", SEE_AGENT),
    WAITS("Waiting", "No host can take it now, but one may soon.",
          "Wait up to five minutes; status.refusals says what each host lacks."),

    REFUSED("SameNode", "The VM runs there already.", "Choose another host."),
    REFUSED("NotTheTarget", "The migration names another host.", ""),
    REFUSED("Tried", "The migration to it has failed already.", ""),
    REFUSED("NotReady", "The node's agent does not report, or its libvirtd does not answer.",
            SEE_AGENT),
    REFUSED("Unschedulable", "The node is cordoned.", "kubectl uncordon NODE, or ferry undrain."),
    REFUSED("Tainted", "The node has a taint that keeps VMs off.",
            "kubectl taint nodes NODE KEY-, or name the node as the target."),
    REFUSED("Deleted", "The node is being deleted.", ""),
    REFUSED("NodeSelector", "The node lacks a label of addedNodeSelector.",
            "Label the node, or ask for other labels."),
    REFUSED("Architecture", "The node's processor architecture is not the source's.",
            "Choose another host."),
    REFUSED("MachineType", "The node's QEMU lacks the VM's machine type.",
            "Choose a host whose QEMU has it, or start the VM with an older machine type."),
    REFUSED("CPUModel", "The node's libvirt and QEMU lack the VM's processor model.",
            "Choose a host that has it, or start the VM with an older model."),
    REFUSED("Memory", "Too little memory is free, less what is promised to others.",
            "Free some, or choose another host."),
    REFUSED("NameTaken", "Another domain of the same name is there.",
            "Rename or remove one of the two, or give destinationName."),
    REFUSED("NotTheOtherHalf", "Post-copy resumes only where the VM's other half is.",
            "Name the host that holds it."),
    REFUSED("RunsThere", "The node reports this VM as active already.",
            WITH_VIRSH ", and stop the one that is not meant."),
    REFUSED("NoPeerURI", "The node does not say where its libvirtd is reached.",
            "Give its agent --peer-uri, or set spec.peer of the Node."),
    REFUSED("PeerConflict", "Another node claims the same peer.",
            "See the condition PeerConflict of both nodes; set spec.peer of the right one."),
    REFUSED("TCPNotAllowed", "The node's peer is plain TCP, which the cluster does not allow.",
            "Use TLS or SSH, or set allowTCPPeers of the KubeVirt object."),
    REFUSED("Network", "No migration network joins both hosts.",
            "Give both an address in the Network, or allow a way past it (the Network's "
            "spec.fallback)."),
    REFUSED("SharedStorage", "A disk's file is not on storage that both hosts share.",
            "Mount it on both, or copy the disks (copyStorageAll)."),
    REFUSED("Unsupported", "The node's libvirt or QEMU is too old for a flag that is asked for.",
            "Leave the flag out, or upgrade the host."),
    REFUSED("InboundLimit", "As many migrations enter the node as the limit allows.",
            "Wait, or raise parallelInboundMigrationsPerNode."),

    IMMOBILE("HostDeviceNotLiveMigratable", "It has a device of its host.", "Detach the device."),
    IMMOBILE("InterfaceNotLiveMigratable", "An interface is tied to its host.",
             "Connect it by a bridge or a network that every host has."),
    IMMOBILE("PersistentReservationNotLiveMigratable", "A disk holds a persistent reservation.",
             "Detach the disk, or turn reservations off."),
    IMMOBILE("VirtIOFSNotLiveMigratable", "It shares a file system of its host.", "Detach it."),
    IMMOBILE("CPUModeLiveMigratable", "Its processor is its host's own (host-passthrough).",
             "Move it only among equal hosts, or choose a named model."),
    IMMOBILE("NoTSCFrequencyNotLiveMigratable", "Its time stamp counter has no set frequency.",
             "Set the frequency in its definition."),
    IMMOBILE("HypervPassthroughNotLiveMigratable", "It takes all Hyper-V features of its host.",
             "Name the features that it needs."),
    IMMOBILE("SEVNotLiveMigratable", "Its memory is encrypted by SEV.", ""),
    IMMOBILE("SecureExecutionNotLiveMigratable", "It uses Secure Execution.", ""),
    IMMOBILE("TDXNotLiveMigratable", "It uses TDX.", ""),
    IMMOBILE("SnapshotsNotLiveMigratable", "libvirt moves no domain that has snapshots.",
             "Delete them (virsh snapshot-delete)."),
    IMMOBILE("DisksNotLiveMigratable", "Disks are on storage of its host alone.",
             "Copy them along (copyStorageAll)."),

    CONDITION("AgentReports", "The node's agent reports.", ""),
    CONDITION("LibvirtUnreachable", "The agent reports, but its libvirtd does not answer.",
              "Look at libvirtd on that host."),
    CONDITION("NodeStatusUnknown", "The node's agent has fallen silent.", SEE_AGENT),
    CONDITION("NotRenewed", "A certificate ends soon and was not renewed.", SEE_AGENT),
    CONDITION("LeftOut", "What the agent reports of some domains is invalid.",
              "status.invalidDomains says what is wrong with each."),
    CONDITION("InvalidPeer", "What the agent reports as its peer cannot be used as one.",
              "Correct --peer-uri of the agent."),
    CONDITION("HostOfAnotherNode", "The node's peer is another node's.",
              "Set spec.peer of the right one, and look at who runs the other one."),
    CONDITION("AddressOfAnotherNode", "An address of the node is another node's.",
              "Correct the address, and look at who runs the other one."),
    CONDITION("NoNodes", "No node has joined yet.", ""),
    CONDITION("AllNodesConnected", "Every node has an address in the network.", ""),
    CONDITION("NodesWithoutAddress", "Some nodes have no address in the network.",
              "Give them one."),
    CONDITION("StartedElsewhere", "A migration that Ferry did not start is under way.",
              "Leave it alone, or end it with virsh."),
    CONDITION("SameUUIDTwice", "Two hosts report the same UUID as active.",
              WITH_VIRSH ", and stop the one that is not meant."),
    CONDITION("HostSilent", "The VM's host is silent, and another one reports it as active.",
              "If that host is dead and stays so: ferry delete node NODE --force."),
    CONDITION("NameUsedTwice", "Two domains have the same name, so one goes by another.",
              "Rename one of the two."),
    CONDITION("NotMovable", "Domains are active on the node that nothing moves.",
              "status.vms of the Evacuation says what each needs."),
    CONDITION("Evacuation", "The node is cordoned by an Evacuation.", ""),
    CONDITION("Evacuated", "All VMs have left the node.", ""),
    CONDITION("VMsRemain", "Some VMs could not leave the node.",
              "status.vms says why; ferry drain tries again."),
    CONDITION("NodeNotFound", "There is no such node any more.", ""),
    CONDITION("NoProgress", "A migration has made no progress for its stalling limit.",
              "Cancel it, allow a longer pause, or switch to post-copy (ferry change)."),
    CONDITION("Progressing", "A migration that stalled goes on.", ""),
    CONDITION("Ended", "The migration has ended.", ""),

    DECISION("Start", "The limit that it starts with.", ""),
    DECISION("FirstPass", "What the guest writes is known after one pass.", ""),
    DECISION("Plan", "The plan that the figures give.", ""),
    DECISION("Converging", "It ends by itself within what is allowed.", ""),
    DECISION("NotConverging", "It does not end with what has been allowed so far.", ""),
    DECISION("Cheapest", "Of what is permitted this costs the guest least.", ""),
    DECISION("Deadline", "The last moment to keep the time asked for.", ""),
    DECISION("Hold", "QEMU went beyond what was set; it is set back.", ""),
    DECISION("Feasible", "What was said of Infeasible no longer holds.", ""),
    DECISION("Requested", "A person changed it (ferry change).", ""),
    DECISION("RefusedChange", "A person's change could not be carried out.",
             "status.changes says why."),

    EVENT("Gone", "The domain is on no host any more.", ""),
    EVENT("ClaimedByAnotherHost", "A host reports as active what is another host's.",
          "See the VM's condition of that name."),
    EVENT("InvalidDomains", "See the Node's condition of that name.", ""),
    EVENT("NodeReady", "The agent reports.", ""),
    EVENT("NodeNotReady", "The agent is silent, or its libvirtd does not answer.", SEE_AGENT),
    EVENT("NodeNotSchedulable", "An Evacuation cordoned the node.", ""),
    EVENT("AddressConflict", "See the Node's condition of that name.", ""),
    EVENT("PeerChanged", "The node's peer is another one now.",
          "If nobody changed it, look at who has the agent's key."),
    EVENT("AutostartNotSet",
          "The VM was to start with its host, and that could not be set where it "
          "is now.",
          "On that host: virsh autostart VM."),
    EVENT("MigrationRetried", "It failed on one host, and another one is tried.", ""),
    EVENT("MigrationStalling", "It has made no progress for its stalling limit.", ""),
    EVENT("MigrationStallingHandled", "What onStalling says was done.", ""),
    EVENT("MigrationProgressing", "It goes on after it stalled.", ""),
    EVENT("MigrationChanged", "A change while it ran was carried out.", ""),
    EVENT("MigrationChangeRefused", "A change while it ran was not carried out.",
          "status.changes says why."),
    EVENT("NetworkFallback", "The data goes past the migration network.",
          "Give both hosts an address in it."),
    EVENT("PostCopyBroken", "Post-copy broke.", "Destroy it on neither host; see PostCopyFailed."),

    RPC("NotInProgress", "The VM does not move.", ""),
    RPC("Refused", "The change was refused.", "The message says why."),
};

static const struct {
  const char *title, *field;
} kinds[FERRY_REASON_KINDS] = {
    [FERRY_REASON_ENDED] = {"A migration that has ended", "`status.reason` of a migration"},
    [FERRY_REASON_WAITS] = {"A migration that waits",
                            "`status.queue.reason` and `status.reason` of a migration"},
    [FERRY_REASON_REFUSED] = {"A host that cannot take the VM",
                              "`status.refusals[].reasons[]` of a migration, and `ferry check`"},
    [FERRY_REASON_IMMOBILE] = {"A VM that cannot move live",
                               "the conditions `LiveMigratable` and `StorageLiveMigratable` of a "
                               "VM, which KubeVirt names so"},
    [FERRY_REASON_CONDITION] = {"Other conditions", "`status.conditions[].reason`"},
    [FERRY_REASON_DECISION] = {"Decisions while it runs",
                               "`status.decisions[].code` of a migration, besides the reasons it "
                               "may end with"},
    [FERRY_REASON_EVENT] = {"Events", "`reason` of an Event, besides all of the above"},
    [FERRY_REASON_RPC] = {"The agent's local socket", "`reason` of an answer"},
};

const FerryReason *ferry_reasons(gsize *n) {
  *n = G_N_ELEMENTS(rows);
  return rows;
}

const FerryReason *ferry_reason_find(FerryReasonKind kind, const char *name) {
  for (gsize i = 0; name && i < G_N_ELEMENTS(rows); i++)
    if (rows[i].kind == kind && g_str_equal(rows[i].name, name))
      return &rows[i];
  return NULL;
}

char *ferry_reasons_markdown(void) {
  GString *out = g_string_new(
      "# Troubleshooting\n\n"
      "What Ferry does not do it gives a reason for: one word for programs, and a message with the "
      "names and numbers of the case. `ferry describe vmim NAME` shows them, `ferry explain NAME` "
      "the decisions, `ferry check VM` what stands in the way now. Below is every word; how an end "
      "is decided is in [outcomes.md](outcomes.md). Made by `build/src/policy/reasons-doc` from "
      "`src/model/migration/reasons.c`.\n");
  for (guint kind = 0; kind < FERRY_REASON_KINDS; kind++) {
    g_string_append_printf(out,
                           "\n## %s\n\nIn %s.\n\n| reason | what it means | what to do |\n"
                           "|---|---|---|\n",
                           kinds[kind].title, kinds[kind].field);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
      if (rows[i].kind == kind)
        g_string_append_printf(out, "| `%s` | %s | %s |\n", rows[i].name, rows[i].text,
                               rows[i].advice);
  }
  return g_string_free(out, FALSE);
}
