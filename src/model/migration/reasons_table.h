// SPDX-License-Identifier: Apache-2.0
// THE table of reasons: one row each, of where the word stands (FerryReasonKind), its enumerator,
// the word, what it means (one sentence) and what to do (one or two; "": nothing). A row is
// expanded into FerryReason (reasons.h) and its text (reasons.c), of which docs/troubleshooting.md
// is made. Nothing else in src has these words (tests/tree/check-words).
#pragma once

#define FERRY_REASONS(ROW)                                                                         \
  /* a migration that has ended */                                                                 \
  ROW(ENDED, COMPLETED, "Completed", "The VM runs on its target.", "")                             \
  ROW(ENDED, FORECAST_MADE, "ForecastMade",                                                        \
      "The forecast is in status.forecast; nothing was moved.", "")                                \
  ROW(ENDED, CANCELLED, "Cancelled",                                                               \
      "A person or an Evacuation cancelled it; the VM is where it was.", "")                       \
  ROW(ENDED, MIGRATION_FAILED, "MigrationFailed",                                                  \
      "libvirt's call failed; the message has libvirt's words.",                                   \
      "Remove what libvirt names and try again. status.attempts has each host that was tried.")    \
  ROW(ENDED, HYPERVISOR_ERROR, "HypervisorError",                                                  \
      "The source's libvirt, or the VM's QEMU, did not answer, or does not know the VM.",          \
      "Look at libvirtd on the source, and at the VM's QEMU.")                                     \
  ROW(ENDED, HYPERVISOR_LOST, "HypervisorLost",                                                    \
      "The source's libvirtd went away while the migration ran.",                                  \
      "Look at libvirtd on the source, and at the domain on both hosts with virsh.")               \
  ROW(ENDED, JOB_REFUSED, "JobRefused",                                                            \
      "The source's agent found that the migration does not fit its host.",                        \
      "Compare the VM's UUID and name, the target and its address with what the hosts have.")      \
  ROW(ENDED, TARGET_UNREACHABLE, "TargetUnreachable",                                              \
      "The target's address did not answer over the migration network.",                           \
      "Look at the Network, the addresses of both Nodes, and firewalls between them.")             \
  ROW(ENDED, WRONG_WAY, "WrongWay",                                                                \
      "The source's routes lead data past the network that the migration is to take.",             \
      "Add the route that the message names on the source, or correct the Network.")               \
  ROW(ENDED, TARGET_NAME_UNKNOWN, "TargetNameUnknown",                                             \
      "The name of the target's libvirtd does not resolve on the source.",                         \
      "Add it to DNS or to /etc/hosts of the source, or give the target's agent --peer-uri with "  \
      "an address.")                                                                               \
  ROW(ENDED, TARGET_LIBVIRT_UNREACHABLE, "TargetLibvirtUnreachable",                               \
      "The source's libvirtd cannot connect to the target's.",                                     \
      "Look at libvirtd (its TLS or SSH port) on the target, and at firewalls between them.")      \
  ROW(ENDED, TARGET_LOGIN_REFUSED, "TargetLoginRefused",                                           \
      "One libvirtd does not trust the other: certificate, key or password.",                      \
      "ferry host trust NAME sets libvirt's TLS up on a host that has none; ferry migrate "        \
      "--no-p2p goes without, where the agent itself may connect to both.")                        \
  ROW(ENDED, TARGET_LIBVIRT_LOST, "TargetLibvirtLost",                                             \
      "The connection to the target's libvirtd broke.",                                            \
      "Look at libvirtd on the target and at the management network, then migrate again.")         \
  ROW(ENDED, TARGET_PORT_CLOSED, "TargetPortClosed",                                               \
      "The port that takes the VM's data on the target is closed.",                                \
      "Open ports 49152 to 49215 on the target to the source (migration_port_min and _max of "     \
      "its qemu.conf).")                                                                           \
  ROW(ENDED, TARGET_NOT_PREPARED, "TargetNotPrepared", "The target's images could not be made.",   \
      "Look at the storage pools of the target.")                                                  \
  ROW(ENDED, TARGET_NOT_READY, "TargetNotReady",                                                   \
      "The target did not get ready within 15 minutes.",                                           \
      "Look at libvirtd and the storage pools of the target, and at its agent's journal.")         \
  ROW(ENDED, SOURCE_AGENT_NOT_ANSWERING, "SourceAgentNotAnswering",                                \
      "The source's agent did not take the migration up.", SEE_AGENT)                              \
  ROW(ENDED, SOURCE_HOST_LOST, "SourceHostLost",                                                   \
      "The source's agent has been silent for too long to decide the end.",                        \
      WITH_VIRSH " before you start it anywhere.")                                                 \
  ROW(ENDED, UNSCHEDULABLE, "Unschedulable",                                                       \
      "No host can take the VM; status.refusals has every host's reasons.",                        \
      "Remove one of the reasons, or name a target.")                                              \
  ROW(ENDED, VM_NOT_FOUND, "VMNotFound", "The VM is on neither host, and nothing says why.",       \
      "Look for the domain on both hosts with virsh before you start it anywhere.")                \
  ROW(ENDED, VM_NOT_RUNNING, "VMNotRunning", "The VM no longer runs.",                             \
      "Start it first, or move its definition with offline: true (--offline).")                    \
  ROW(ENDED, VM_IN_DOUBT, "VMInDoubt",                                                             \
      "An earlier migration has left the VM suspended on its host, as it is not known whether "    \
      "its other copy runs.",                                                                      \
      "Wait until that is known, or say which copy goes on: ferry resolve VM --keep HOST.")        \
  ROW(ENDED, STOPPED_MEANWHILE, "StoppedMeanwhile", "The VM was stopped while it moved.",          \
      "Start it again where it was, if it is to run.")                                             \
  ROW(ENDED, VM_LOST, "VMLost", "Post-copy broke, and one half of the memory is gone.",            \
      "What the guest held in memory is lost: destroy what is left of it on either host (virsh "   \
      "destroy), then start it again from its disks.")                                             \
  ROW(ENDED, POST_COPY_FAILED, "PostCopyFailed",                                                   \
      "Post-copy broke, and each host holds a part of the memory.",                                \
      "Destroy it on neither host: it cannot run until the migration is resumed. How, or what "    \
      "must come first where the target's libvirt would die of that, the message says.")           \
  ROW(ENDED, RUNS_ON_BOTH_HOSTS, "RunsOnBothHosts", "Two copies of the VM are active.",            \
      WITH_VIRSH " first, then say which copy goes on (ferry resolve VM --keep HOST): the other "  \
                 "one is destroyed.")                                                              \
  ROW(ENDED, SUSPENDED_ON_BOTH_HOSTS, "SuspendedOnBothHosts",                                      \
      "The VM is suspended on both hosts, and neither goes on.",                                   \
      WITH_VIRSH " first, then say which copy goes on (ferry resolve VM --keep HOST): the other "  \
                 "one is destroyed.")                                                              \
  ROW(ENDED, OUTCOME_UNKNOWN, "OutcomeUnknown",                                                    \
      "Only a host that cannot be heard knows how it ended.",                                      \
      "Start it nowhere: it is decided when that host can be heard again.")                        \
  ROW(ENDED, PAUSE_NOT_PROMISED, "PauseNotPromised",                                               \
      "The intent is strict, and in more than 5 of 100 cases the pause would be longer; nothing "  \
      "was begun.",                                                                                \
      "Allow a longer pause, more bandwidth or a slow-down, name another host, or do without "     \
      "strict.")                                                                                   \
  ROW(ENDED, FORECAST_FAILED, "ForecastFailed", "The guest could not be measured.",                \
      "Look at libvirtd on the source.")                                                           \
  ROW(ENDED, STALLED, "Stalled",                                                                   \
      "It made no progress, and the policy says to end it then (onStalling).",                     \
      "Migrate it when it is less busy, or allow it a longer pause or post-copy.")                 \
  ROW(ENDED, COMPLETION_TIMEOUT, "CompletionTimeout",                                              \
      "It was not done within the completion timeout.",                                            \
      "Allow more time (completionTimeoutPerGiB), more bandwidth, a longer pause or "              \
      "post-copy.")                                                                                \
  ROW(ENDED, DEADLINE_EXCEEDED, "DeadlineExceeded",                                                \
      "It was not done within the time that the intent allows.",                                   \
      "Allow more time, more bandwidth, a longer pause or post-copy.")                             \
  ROW(ENDED, INFEASIBLE, "Infeasible", "Nothing that is permitted keeps the intent.",              \
      "The message says what would be needed: ask for less, or allow more.")                       \
  ROW(ENDED, LINK_STALLED, "LinkStalled",                                                          \
      "Not one byte was sent for a while: link or target is down.",                                \
      "Look at the network between both hosts, and at the target.")                                \
  ROW(ENDED, PROGRESS_TIMEOUT, "ProgressTimeout",                                                  \
      "What remained did not become less within the progress timeout.",                            \
      "Migrate it when it is less busy, or allow a longer pause, throttling or post-copy.")        \
  ROW(ENDED, SLOWDOWN_EXCEEDED, "SlowdownExceeded",                                                \
      "Auto-converge slowed the guest down by more than is allowed.",                              \
      "Allow more of a slow-down, a longer pause or post-copy.")                                   \
  ROW(ENDED, SWITCHOVER_TIMEOUT, "SwitchoverTimeout",                                              \
      "The switch-over did not come within its time.", "Allow a longer pause or post-copy.")       \
  ROW(ENDED, SCHEDULE, "Schedule", "A schedule of a policy ended it at its last step.",            \
      "Migrate it when it is less busy, or choose another schedule.")                              \
  /* one that waits */                                                                             \
  ROW(WAITS, LIMIT_REACHED, "LimitReached", "As many migrations run as the limits allow.",         \
      "Wait, or raise the limit that the message names.")                                          \
  ROW(WAITS, NOT_YET, "NotYet", "The time at which it may begin has not come.",                    \
      "Wait, or cancel it and migrate without --at.")                                              \
  ROW(WAITS, ALREADY_MIGRATING, "AlreadyMigrating",                                                \
      "Another migration of the same VM goes first.", "Wait for its end or cancel it.")            \
  ROW(WAITS, SOURCE_NOT_READY, "SourceNotReady",                                                   \
      "The source's agent, or its libvirtd, does not report.", SEE_AGENT)                          \
  ROW(WAITS, FROZEN, "Frozen", "A person has frozen Ferry: nothing new starts.",                   \
      "ferry unfreeze lets it start; the message says who froze, and why.")                        \
  ROW(WAITS, WAITING, "Waiting", "No host can take it now, but one may soon.",                     \
      "Wait up to five minutes; status.refusals says what each host lacks.")                       \
  /* a host that cannot take the VM */                                                             \
  ROW(REFUSED, SAME_NODE, "SameNode", "The VM runs there already.", "Choose another host.")        \
  ROW(REFUSED, NOT_THE_TARGET, "NotTheTarget", "The migration names another host.", "")            \
  ROW(REFUSED, TRIED, "Tried", "The migration to it has failed already.", "")                      \
  ROW(REFUSED, NOT_READY, "NotReady",                                                              \
      "The node's agent does not report, or its libvirtd does not answer.", SEE_AGENT)             \
  ROW(REFUSED, NODE_UNSCHEDULABLE, "Unschedulable", "The node is cordoned.",                       \
      "kubectl uncordon NODE, or ferry undrain.")                                                  \
  ROW(REFUSED, TAINTED, "Tainted", "The node has a taint that keeps VMs off.",                     \
      "kubectl taint nodes NODE KEY-, or name the node as the target.")                            \
  ROW(REFUSED, DELETED, "Deleted", "The node is being deleted.", "")                               \
  ROW(REFUSED, NODE_SELECTOR, "NodeSelector", "The node lacks a label of addedNodeSelector.",      \
      "Label the node, or ask for other labels.")                                                  \
  ROW(REFUSED, ARCHITECTURE, "Architecture",                                                       \
      "The node's processor architecture is not the source's.", "Choose another host.")            \
  ROW(REFUSED, MACHINE_TYPE, "MachineType", "The node's QEMU lacks the VM's machine type.",        \
      "Choose a host whose QEMU has it, or start the VM with an older machine type.")              \
  ROW(REFUSED, LOCK_MANAGER, "LockManager",                                                        \
      "The two hosts lock guests' disks by different lock managers.",                              \
      "Set lock_manager in /etc/libvirt/qemu.conf to the same on both hosts and restart libvirtd " \
      "there.")                                                                                    \
  ROW(REFUSED, CPU_MODEL, "CPUModel",                                                              \
      "The node's libvirt and QEMU lack the VM's processor model.",                                \
      "Choose a host that has it, or start the VM with an older model.")                           \
  ROW(REFUSED, SAME_HOST_UUID, "SameHostUUID",                                                     \
      "Both hosts' libvirtd have one UUID, and take each other for themselves.",                   \
      "Give one of them another host_uuid in /etc/libvirt/libvirtd.conf and restart it.")          \
  ROW(REFUSED, BRIDGE_MISSING, "BridgeMissing", "The node lacks the bridge of an interface.",      \
      "Make the bridge there, or give the interface another one by destinationXML (--xml).")       \
  ROW(REFUSED, INTERFACE_MISSING, "InterfaceMissing",                                              \
      "The node lacks the interface that one of the VM's is put on (macvtap).",                    \
      "Choose a host that has it, or name another one by destinationXML (--xml).")                 \
  ROW(REFUSED, NETWORK_MISSING, "NetworkMissing",                                                  \
      "The node's libvirt lacks the network of an interface, or it is not active.",                \
      "On that host: virsh net-define and virsh net-start.")                                       \
  ROW(REFUSED, POOL_MISSING, "PoolMissing",                                                        \
      "The node's libvirt lacks the storage pool of a disk, or it is not active.",                 \
      "On that host: virsh pool-define and virsh pool-start.")                                     \
  ROW(REFUSED, VOLUME_MISSING, "VolumeMissing", "The node's pool lacks the volume of a disk.",     \
      "On that host: virsh pool-refresh, if it is there; else copy the disk.")                     \
  ROW(REFUSED, SECRET_MISSING, "SecretMissing",                                                    \
      "The node's libvirt lacks the secret that opens a disk, or its value.",                      \
      "On that host: virsh secret-define and virsh secret-set-value.")                             \
  ROW(REFUSED, FILE_MISSING, "FileMissing", "The node lacks a file that the VM is started with.",  \
      "Copy it there, or leave it out of the VM (an ISO: virsh change-media --eject).")            \
  ROW(REFUSED, DIRECTORY_MISSING, "DirectoryMissing",                                              \
      "The node lacks a directory in which a file of the VM is written.",                          \
      "Make the directory there.")                                                                 \
  ROW(REFUSED, ADDRESS_MISSING, "AddressMissing",                                                  \
      "The node lacks the address that the VM's display listens on.",                              \
      "Let it listen on an address that all hosts have, or give one by destinationXML (--xml).")   \
  ROW(REFUSED, PORT_TAKEN, "PortTaken",                                                            \
      "Another program of the node listens on the port of the VM's display.",                      \
      "End that program, or give the display a free port (autoport='yes').")                       \
  ROW(REFUSED, HUGEPAGES_MISSING, "HugepagesMissing",                                              \
      "The node has no huge pages of the VM's size, or none that is free.",                        \
      "On that host: sysctl vm.nr_hugepages, or virsh allocpages.")                                \
  ROW(REFUSED, SETTING_UNKNOWN, "SettingUnknown",                                                  \
      "The node's libvirt is too old for a setting of the VM, and refuses it.",                    \
      "Choose a host with a newer libvirt, or take the setting out of the VM.")                    \
  ROW(REFUSED, DISK_MISMATCH, "DiskMismatch",                                                      \
      "Where a disk is to be copied to, the node has an image of another size.",                   \
      "Look at it there, and remove it, or make it the disk's size (qemu-img resize).")            \
  ROW(REFUSED, UUID_TAKEN, "UUIDTaken", "The node has the VM's UUID under another name.",          \
      "Look at both with virsh, and undefine the one that is not wanted.")                         \
  ROW(REFUSED, MEMORY, "Memory", "Too little memory is free, less what is promised to others.",    \
      "Free some, or choose another host.")                                                        \
  ROW(REFUSED, HEADROOM, "Headroom",                                                               \
      "Less memory or processors would stay free there than a policy wants.",                      \
      "Name the host, choose another one, or change memoryReservePercent or "                      \
      "maxProcessorOvercommit.")                                                                   \
  ROW(REFUSED, AFFINITY, "Affinity",                                                               \
      "The node lacks a label, or a VM, that the VM is to be with.",                               \
      "Label the node, or change the nodeAffinity or vmAffinity that the message names.")          \
  ROW(REFUSED, ANTI_AFFINITY, "AntiAffinity",                                                      \
      "The node has a VM that the VM is to be apart from.",                                        \
      "Move that VM, or change the vmAntiAffinity that the message names.")                        \
  ROW(REFUSED, NAME_TAKEN, "NameTaken", "Another domain of the same name is there.",               \
      "Rename or remove one of the two, or give destinationName.")                                 \
  ROW(REFUSED, NOT_THE_OTHER_HALF, "NotTheOtherHalf",                                              \
      "Post-copy resumes only where the VM's other half is.", "Name the host that holds it.")      \
  ROW(REFUSED, RUNS_THERE, "RunsThere", "The node reports this VM as active already.",             \
      WITH_VIRSH ", and stop the one that is not wanted.")                                         \
  ROW(REFUSED, NO_PEER_URI, "NoPeerURI", "The node does not say where its libvirtd is reached.",   \
      "ferry host trust NAME sets libvirt's TLS up there; or give its agent --peer-uri.")          \
  ROW(REFUSED, PEER_CONFLICT, "PeerConflict", "Another node claims the same peer.",                \
      "See the condition PeerConflict of both nodes; set spec.peer of the right one.")             \
  ROW(REFUSED, TCP_NOT_ALLOWED, "TCPNotAllowed",                                                   \
      "The node's peer is plain TCP, which the cluster does not allow.",                           \
      "Use TLS or SSH, or set allowTCPPeers of the KubeVirt object.")                              \
  ROW(REFUSED, NETWORK, "Network", "No migration network joins both hosts.",                       \
      "Give both an address in the Network, or allow a way past it (the Network's "                \
      "spec.fallback).")                                                                           \
  ROW(REFUSED, SHARED_STORAGE, "SharedStorage",                                                    \
      "A disk's file is not on storage that both hosts share.",                                    \
      "Mount it on both, or copy the disks (copyStorageAll).")                                     \
  ROW(REFUSED, UNSUPPORTED, "Unsupported",                                                         \
      "The node's libvirt or QEMU is too old for a flag that is asked for.",                       \
      "Leave the flag out, or upgrade the host.")                                                  \
  ROW(REFUSED, INBOUND_LIMIT, "InboundLimit",                                                      \
      "As many migrations enter the node as the limit allows.",                                    \
      "Wait, or raise parallelInboundMigrationsPerNode.")                                          \
  ROW(REFUSED, LINK_FULL, "LinkFull",                                                              \
      "Migrations under way leave less of a link than the Network's leastRate.",                   \
      "Wait, or lower spec.leastRate of the Network.")                                             \
  /* a VM that cannot move live */                                                                 \
  ROW(IMMOBILE, HOST_DEVICE_NOT_LIVE_MIGRATABLE, "HostDeviceNotLiveMigratable",                    \
      "It has a device of its host.", "Detach the device.")                                        \
  ROW(IMMOBILE, INTERFACE_NOT_LIVE_MIGRATABLE, "InterfaceNotLiveMigratable",                       \
      "An interface is tied to its host.",                                                         \
      "Connect it by a bridge or a network that every host has.")                                  \
  ROW(IMMOBILE, PERSISTENT_RESERVATION_NOT_LIVE_MIGRATABLE,                                        \
      "PersistentReservationNotLiveMigratable", "A disk holds a persistent reservation.",          \
      "Detach the disk, or turn reservations off.")                                                \
  ROW(IMMOBILE, VIRTIOFS_NOT_LIVE_MIGRATABLE, "VirtIOFSNotLiveMigratable",                         \
      "It shares a file system of its host.", "Detach it.")                                        \
  ROW(IMMOBILE, CPU_MODE_LIVE_MIGRATABLE, "CPUModeLiveMigratable",                                 \
      "Its processor is its host's own (host-passthrough).",                                       \
      "Move it only among equal hosts, or choose a named model.")                                  \
  ROW(IMMOBILE, NO_TSC_FREQUENCY_NOT_LIVE_MIGRATABLE, "NoTSCFrequencyNotLiveMigratable",           \
      "Its time stamp counter has no set frequency.", "Set the frequency in its definition.")      \
  ROW(IMMOBILE, HYPERV_PASSTHROUGH_NOT_LIVE_MIGRATABLE, "HypervPassthroughNotLiveMigratable",      \
      "It takes all Hyper-V features of its host.", "Name the features that it needs.")            \
  ROW(IMMOBILE, SEV_NOT_LIVE_MIGRATABLE, "SEVNotLiveMigratable",                                   \
      "Its memory is encrypted by SEV.", "")                                                       \
  ROW(IMMOBILE, SECURE_EXECUTION_NOT_LIVE_MIGRATABLE, "SecureExecutionNotLiveMigratable",          \
      "It uses Secure Execution.", "")                                                             \
  ROW(IMMOBILE, TDX_NOT_LIVE_MIGRATABLE, "TDXNotLiveMigratable", "It uses TDX.", "")               \
  ROW(IMMOBILE, SNAPSHOTS_NOT_LIVE_MIGRATABLE, "SnapshotsNotLiveMigratable",                       \
      "libvirt moves no domain that has snapshots.", "Delete them (virsh snapshot-delete).")       \
  ROW(IMMOBILE, MANAGED_SAVE_NOT_LIVE_MIGRATABLE, "ManagedSaveNotLiveMigratable",                  \
      "Its memory is in a file of its host (managed save), which a migration would leave behind.", \
      "Start it on its host first, or give that memory up (virsh managedsave-remove).")            \
  ROW(IMMOBILE, QEMU_SILENT, "QEMUSilent",                                                         \
      "Its QEMU does not answer its monitor, so that libvirt can do nothing with it.",             \
      "Look at that process on its host: stopped, or waiting for storage.")                        \
  ROW(IMMOBILE, POST_COPY_FAILED_NOT_LIVE_MIGRATABLE, "PostCopyFailedNotLiveMigratable",           \
      "A post-copy migration of it broke: no host has the whole of its memory.",                   \
      "Go on where the migration says so (ferry migrate VM --to HOST --post-copy "                 \
      "--postcopy-resume); else destroy what is left (virsh destroy) and start it again.")         \
  ROW(IMMOBILE, BLOCK_JOB_NOT_LIVE_MIGRATABLE, "BlockJobNotLiveMigratable",                        \
      "A disk is being copied; libvirt moves no VM meanwhile.",                                    \
      "Wait for its end, or end it (virsh blockjob VM DISK --abort).")                             \
  ROW(IMMOBILE, DEVICE_NOT_LIVE_MIGRATABLE, "DeviceNotLiveMigratable",                             \
      "QEMU says that a device of it cannot move.",                                                \
      "Detach what QEMU names, or have the guest unmount it.")                                     \
  ROW(IMMOBILE, DISKS_NOT_LIVE_MIGRATABLE, "DisksNotLiveMigratable",                               \
      "Disks are on storage of its host alone.", "Copy them along (copyStorageAll).")              \
  /* other conditions */                                                                           \
  ROW(CONDITION, AGENT_REPORTS, "AgentReports", "The node's agent reports.", "")                   \
  ROW(CONDITION, LIBVIRT_UNREACHABLE, "LibvirtUnreachable",                                        \
      "The agent reports, but its libvirtd does not answer.", "Look at libvirtd on that host.")    \
  ROW(CONDITION, REMOTE_AGENT, "RemoteAgent",                                                      \
      "The host's agent runs on another machine, and can't hold a copy of a VM in time.",          \
      "Start ferry-agentd on the host itself, or give both hosts a lock manager.")                 \
  ROW(CONDITION, CONNECTIONS_NOT_READABLE, "ConnectionsNotReadable",                               \
      "The host's agent can't read or set which connections its kernel tracks.",                   \
      "Start ferry-agentd on the host itself, as root.")                                           \
  ROW(CONDITION, NODE_STATUS_UNKNOWN, "NodeStatusUnknown", "The node's agent has fallen silent.",  \
      SEE_AGENT)                                                                                   \
  ROW(CONDITION, NOT_ROTATED, "NotRotated", "The last credential of a user ends soon.",            \
      "ferry user rotate NAME makes a new one.")                                                   \
  ROW(CONDITION, NOT_RENEWED, "NotRenewed", "A certificate ends soon and was not renewed.",        \
      SEE_AGENT)                                                                                   \
  ROW(CONDITION, CERTIFICATE_GIVEN, "CertificateGiven",                                            \
      "The host has a certificate by which other hosts' libvirtds know it.", "")                   \
  ROW(CONDITION, TRUST_NOT_SET_UP, "TrustNotSetUp",                                                \
      "libvirt's TLS could not be set up on the host.",                                            \
      "Do what the message says, then ferry host trust NAME again.")                               \
  ROW(CONDITION, CA_NOT_CHANGED, "CANotChanged", "ferryd's certificate authority ends soon.",      \
      "ferryd ca rotate begin, then, when every agent has come, ferryd ca rotate finish.")         \
  ROW(CONDITION, LEFT_OUT, "LeftOut", "What the agent reports of some domains is invalid.",        \
      "status.invalidDomains says what is wrong with each.")                                       \
  ROW(CONDITION, INVALID_PEER, "InvalidPeer",                                                      \
      "What the agent reports as its peer cannot be used as one.",                                 \
      "Correct --peer-uri of the agent.")                                                          \
  ROW(CONDITION, HOST_OF_ANOTHER_NODE, "HostOfAnotherNode", "The node's peer is another node's.",  \
      "Set spec.peer of the right one, and look at who runs the other one.")                       \
  ROW(CONDITION, ADDRESS_OF_ANOTHER_NODE, "AddressOfAnotherNode",                                  \
      "An address of the node is another node's.",                                                 \
      "Correct the address, and look at who runs the other one.")                                  \
  ROW(CONDITION, NO_NODES, "NoNodes", "No node has joined yet.", "")                               \
  ROW(CONDITION, ALL_NODES_CONNECTED, "AllNodesConnected",                                         \
      "Every node has an address in the network.", "")                                             \
  ROW(CONDITION, NOT_IN_NETWORK, "NotInNetwork",                                                   \
      "The host is not in a network that has the role migration, or is required: its interface "   \
      "is down or has no address in it.",                                                          \
      "Look at the interface that the message names.")                                             \
  ROW(CONDITION, NODES_WITHOUT_ADDRESS, "NodesWithoutAddress",                                     \
      "Some nodes have no address in the network.", "Give them one.")                              \
  ROW(CONDITION, STARTED_ELSEWHERE, "StartedElsewhere",                                            \
      "A migration that Ferry did not start is under way.",                                        \
      "Leave it alone, or end it with virsh.")                                                     \
  ROW(CONDITION, SAME_UUID_TWICE, "SameUUIDTwice", "Two hosts report the same UUID as active.",    \
      WITH_VIRSH ", and stop the one that is not wanted.")                                         \
  ROW(CONDITION, HOST_SILENT, "HostSilent",                                                        \
      "The VM's host is silent, and another one reports it as active.",                            \
      "If that host is dead and stays so: ferry delete node NODE --force.")                        \
  ROW(CONDITION, NAME_USED_TWICE, "NameUsedTwice",                                                 \
      "Two domains have the same name, so one goes by another.", "Rename one of the two.")         \
  ROW(CONDITION, NOT_MOVABLE, "NotMovable", "Domains are active on the node that nothing moves.",  \
      "status.vms of the Evacuation says what each needs.")                                        \
  ROW(CONDITION, EVACUATION, "Evacuation", "The node is cordoned by an Evacuation.", "")           \
  ROW(CONDITION, EVACUATED, "Evacuated", "All VMs have left the node.", "")                        \
  ROW(CONDITION, VMS_REMAIN, "VMsRemain", "Some VMs could not leave the node.",                    \
      "status.vms says why; ferry drain tries again.")                                             \
  ROW(CONDITION, DEADLINE_OVER, "DeadlineOver",                                                    \
      "The deadline of an Evacuation is over, and VMs are there yet; it goes on.",                 \
      "status.vms says what each waits for; ferry undrain HOST ends it.")                          \
  ROW(CONDITION, NODE_NOT_FOUND, "NodeNotFound", "There is no such node any more.", "")            \
  ROW(CONDITION, ROLLED_OUT, "RolledOut", "Every host was emptied, said to be done and opened.",   \
      "")                                                                                          \
  ROW(CONDITION, HOSTS_LOST, "HostsLost", "Some hosts of the Rollout are not there any more.",     \
      "status.hosts says which; the others are done.")                                             \
  ROW(CONDITION, HOST_NOT_EMPTY, "HostNotEmpty", "VMs stay on a host that a Rollout empties.",     \
      "status.hosts says which and why: fix that, move or stop them. It is tried again each "      \
      "minute, "                                                                                   \
      "or at once with ferry rollout stop and resume.")                                            \
  ROW(CONDITION, NO_PROGRESS, "NoProgress",                                                        \
      "A migration has made no progress for its stalling limit.",                                  \
      "Cancel it, allow a longer pause, or switch to post-copy (ferry change).")                   \
  ROW(CONDITION, PROGRESSING, "Progressing", "A migration that stalled goes on.", "")              \
  ROW(CONDITION, ENDED, "Ended", "The migration has ended.", "")                                   \
  /* decisions while it runs */                                                                    \
  ROW(DECISION, AMBIGUOUS, "Ambiguous",                                                            \
      "libvirt resumed the guest after its switch-over: it waits until it is known that its "      \
      "other copy does not run.",                                                                  \
      "Nothing: it goes on, or ends here, as soon as the other host can be asked. Where both "     \
      "copies are suspended, or to end it sooner: ferry resolve VM --keep HOST.")                  \
  ROW(DECISION, START, "Start", "The limit that it starts with.", "")                              \
  ROW(DECISION, FIRST_PASS, "FirstPass", "What the guest writes is known after one pass.", "")     \
  ROW(DECISION, PLAN, "Plan", "The plan that the figures give.", "")                               \
  ROW(DECISION, CONVERGING, "Converging", "It ends by itself within what is allowed.", "")         \
  ROW(DECISION, NOT_CONVERGING, "NotConverging",                                                   \
      "It does not end with what has been allowed so far.", "")                                    \
  ROW(DECISION, CHEAPEST, "Cheapest", "Of what is permitted this costs the guest least.", "")      \
  ROW(DECISION, DEADLINE, "Deadline", "The last moment to keep the time asked for.", "")           \
  ROW(DECISION, HOLD, "Hold", "QEMU went beyond what was set; it is set back.", "")                \
  ROW(DECISION, DOUBTFUL, "Doubtful",                                                              \
      "Perhaps nothing that is permitted keeps the intent; the message says how probable that is " \
      "and what would be needed then.",                                                            \
      "")                                                                                          \
  ROW(DECISION, OBSERVED, "Observed",                                                              \
      "What the intent would decide; with observeOnly something else acts.", "")                   \
  ROW(DECISION, FEASIBLE, "Feasible", "What was said of Infeasible no longer holds.", "")          \
  ROW(DECISION, REQUESTED, "Requested", "A person changed it (ferry change).", "")                 \
  ROW(DECISION, REFUSED_CHANGE, "RefusedChange", "A person's change could not be carried out.",    \
      "status.changes says why.")                                                                  \
  /* Events */                                                                                     \
  ROW(EVENT, GONE, "Gone", "The domain is no longer on any host.", "")                             \
  ROW(EVENT, CLAIMED_BY_ANOTHER_HOST, "ClaimedByAnotherHost",                                      \
      "A host reports as active what is another host's.", "See the VM's condition of that name.")  \
  ROW(EVENT, INVALID_DOMAINS, "InvalidDomains", "See the Node's condition of that name.", "")      \
  ROW(EVENT, NODE_READY, "NodeReady", "The agent reports.", "")                                    \
  ROW(EVENT, NODE_NOT_READY, "NodeNotReady",                                                       \
      "The agent is silent, or its libvirtd does not answer.", SEE_AGENT)                          \
  ROW(EVENT, NODE_NOT_SCHEDULABLE, "NodeNotSchedulable", "An Evacuation cordoned the node.", "")   \
  ROW(EVENT, NODE_SCHEDULABLE, "NodeSchedulable", "A Rollout opened the node again.", "")          \
  ROW(EVENT, HOST_EMPTY, "HostEmpty", "A Rollout has emptied the host and waits.",                 \
      "Do with it what is to be done, then say so: ferry rollout done HOST.")                      \
  ROW(EVENT, ROLLOUT_ENDED, "RolloutEnded", "A Rollout was deleted; its hosts stay as they are.",  \
      "ferry undrain HOST opens those that are still cordoned.")                                   \
  ROW(EVENT, ADDRESS_CONFLICT, "AddressConflict", "See the Node's condition of that name.", "")    \
  ROW(EVENT, PEER_CHANGED, "PeerChanged", "The node's peer is another one now.",                   \
      "If nobody changed it, look at who has the agent's key.")                                    \
  ROW(EVENT, AUTOSTART_NOT_SET, "AutostartNotSet",                                                 \
      "The VM was to start with its host, and that could not be set where it is now.",             \
      "On that host: virsh autostart VM.")                                                         \
  ROW(EVENT, DISKS_LOCKED, "DisksLocked",                                                          \
      "A suspended copy of the VM was to go on, and libvirt's lock manager or QEMU refused it: "   \
      "another process holds the VM's disks, most likely its copy on the other host.",             \
      "Nothing is lost: it stays suspended, and goes on once they are free. Look where the VM "    \
      "runs (virsh domstate on both hosts), and for a QEMU that libvirt has forgotten (pgrep -af " \
      "guest=NAME); ferry resolve VM --keep HOST ends the doubt.")                                 \
  ROW(EVENT, LEFTOVERS_REMOVED, "LeftoversRemoved",                                                \
      "What a migration had left is gone: images, a copy that waited or a definition on the "      \
      "target of one that failed, a definition on the source of one that succeeded.",              \
      "")                                                                                          \
  ROW(EVENT, LEFT_BEHIND, "LeftBehind",                                                            \
      "Something came to the target for a migration that failed and is still there: an image "     \
      "that is in use or not as it was made, or a definition that is not that of the VM.",         \
      "Look at it there, and remove it if nobody needs it.")                                       \
  ROW(EVENT, CARRIED_ALONG, "CarriedAlong",                                                        \
      "Ferry gave the target what libvirt does not move: checkpoints, a definition that was "      \
      "stored while the VM moved, or the NVRAM of a VM that is off.",                              \
      "")                                                                                          \
  ROW(EVENT, LOST_ON_THE_WAY, "LostOnTheWay", "Something of the VM did not come along.",           \
      "The message says what: make it again on the target, with virsh.")                           \
  ROW(EVENT, CHANGED_ON_THE_WAY, "ChangedOnTheWay",                                                \
      "Something of the VM is not as it was before the migration.",                                \
      "The message says what: look at it with virsh dumpxml on the target; a medium that was "     \
      "ejected comes back with virsh change-media.")                                               \
  ROW(EVENT, FLOWS_CARRIED, "FlowsCarried",                                                        \
      "The target's kernel was told of the connections that the VM had established.", "")          \
  ROW(EVENT, FLOWS_NOT_CARRIED, "FlowsNotCarried",                                                 \
      "Some of the VM's connections are not known on the target, whose firewall may drop them.",   \
      "The message says which and why: programs in the VM, or their peers, connect again.")        \
  ROW(EVENT, ANNOUNCEMENT_REPEATED, "AnnouncementRepeated",                                        \
      "The network was not told by QEMU where the VM is now; the target's agent told it.",         \
      "Look at what drops broadcasts of guests (RARP, ARP) on that host.")                         \
  ROW(EVENT, ANNOUNCEMENT_NOT_SEEN, "AnnouncementNotSeen",                                         \
      "No announcement of the VM's new place left its host.",                                      \
      "Send something from the VM, and look at what drops broadcasts (RARP, ARP) on that host.")   \
  ROW(EVENT, MIGRATION_RETRIED, "MigrationRetried",                                                \
      "It failed on one host, and another one is tried.", "")                                      \
  ROW(EVENT, MIGRATION_STALLING, "MigrationStalling",                                              \
      "It has made no progress for its stalling limit.", "")                                       \
  ROW(EVENT, MIGRATION_STALLING_HANDLED, "MigrationStallingHandled",                               \
      "What onStalling says was done.", "")                                                        \
  ROW(EVENT, MIGRATION_PROGRESSING, "MigrationProgressing", "It goes on after it stalled.", "")    \
  ROW(EVENT, MIGRATION_CHANGED, "MigrationChanged", "A change while it ran was carried out.", "")  \
  ROW(EVENT, MIGRATION_CHANGE_REFUSED, "MigrationChangeRefused",                                   \
      "A change while it ran was not carried out.", "status.changes says why.")                    \
  ROW(EVENT, SETTING_IGNORED, "SettingIgnored",                                                    \
      "The VM's own words (its domain's metadata) say something that Ferry does not read, or "     \
      "that means "                                                                                \
      "another thing than it seems.",                                                              \
      "Correct what the message names in the domain's <metadata>.")                                \
  ROW(EVENT, NETWORK_LOST, "NetworkLost",                                                          \
      "The host is not in the migration network any more: see its condition NetworkUnavailable.",  \
      "Look at the interface that the message names.")                                             \
  ROW(EVENT, NETWORK_BACK, "NetworkBack", "The host is in the migration network again.", "")       \
  ROW(EVENT, NETWORK_FALLBACK, "NetworkFallback", "The data goes past the migration network.",     \
      "Give both hosts an address in it.")                                                         \
  ROW(EVENT, POST_COPY_BROKEN, "PostCopyBroken", "Post-copy broke.",                               \
      "Destroy it on neither host: Ferry resumes it where the hosts' versions can, and "           \
      "status.migrationState.recovery says how far that is.")                                      \
  ROW(EVENT, POST_COPY_RECOVERED, "PostCopyRecovered",                                             \
      "Post-copy had broken and was resumed: the VM is whole again.", "")                          \
  /* the agent's local socket */                                                                   \
  ROW(RPC, NOT_IN_PROGRESS, "NotInProgress", "The VM does not move.", "")                          \
  ROW(RPC, REFUSED, "Refused", "The change was refused.", "The message says why.")
