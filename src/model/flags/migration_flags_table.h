// SPDX-License-Identifier: Apache-2.0
// THE table of libvirt's migration flags and parameters: one row each, and nothing else in Ferry
// knows their names, types, ranges or versions. A row is a FerryField (name, type, range and doc
// sentence of the spec) followed by members of FerryMigrationFlag. It is expanded into the fields
// of a migration's spec (kinds_vmim.c) and into ferry_migration_flags (migration_flags.c). What the
// KubeVirt object says of all migrations, too, is a CLUSTER_ROW; what a MigrationPolicy may say
// besides, a POLICY_ROW.
#pragma once
#include "model/field/rows.h"

#define DISK_NAMES .flags = FERRY_FIELD_SET, .max = 256
#define FROM_ONE .min = 1, .max = G_MAXINT64

#define FERRY_MIGRATION_FLAGS(ROW, CLUSTER_ROW, POLICY_ROW)                                        \
  /* how the VM moves */                                                                           \
  ROW(BOOL("live", "Keep the guest running while its memory is copied."), .group = "Mode",         \
      .option = "live", .negative = "no-live", .libvirt = "VIR_MIGRATE_LIVE", .flag = 1u << 0,     \
      .since_libvirt = "0.3.2", .def = "true")                                                     \
  ROW(BOOL("peerToPeer", "Let the source's libvirtd talk to the target's, so that the migration "  \
                         "needs no agent to go on."),                                              \
      .offline = TRUE, .option = "p2p", .negative = "no-p2p", .libvirt = "VIR_MIGRATE_PEER2PEER",  \
      .flag = 1u << 1, .since_libvirt = "0.7.2", .def = "true")                                    \
  ROW(BOOL("tunnelled", "Send the data through libvirtd's own connection, which encrypts it."),    \
      .option = "tunnelled", .negative = "no-tunnelled", .libvirt = "VIR_MIGRATE_TUNNELLED",       \
      .flag = 1u << 2, .since_libvirt = "0.7.2", .def = "false")                                   \
  ROW(BOOL("offline", "Move only the definition; the VM is neither started nor stopped."),         \
      .offline = TRUE, .option = "offline", .libvirt = "VIR_MIGRATE_OFFLINE", .flag = 1u << 10,    \
      .since_libvirt = "1.0.1", .def = "false", .own = TRUE)                                       \
  ROW(BOOL("paused", "Leave the guest paused on the target."), .option = "suspend",                \
      .libvirt = "VIR_MIGRATE_PAUSED", .flag = 1u << 5, .since_libvirt = "0.7.5", .def = "false",  \
      .own = TRUE)                                                                                 \
  ROW(BOOL("persistDestination", "Define the VM persistently on the target."), .offline = TRUE,    \
      .option = "persistent", .negative = "no-persistent", .libvirt = "VIR_MIGRATE_PERSIST_DEST",  \
      .flag = 1u << 3, .since_libvirt = "0.7.3", .def = "as the VM is on the source")              \
  ROW(BOOL("undefineSource", "Remove the VM's definition from the source once it has moved."),     \
      .offline = TRUE, .option = "undefinesource", .negative = "no-undefinesource",                \
      .libvirt = "VIR_MIGRATE_UNDEFINE_SOURCE", .flag = 1u << 4, .since_libvirt = "0.7.3",         \
      .def = "true where the VM is persistent")                                                    \
  ROW(BOOL(                                                                                        \
          "changeProtection",                                                                      \
          "Refuse changes of the VM's definition while it moves. libvirt does so by itself, too, " \
          "so false changes nothing."),                                                            \
      .offline = TRUE, .option = "change-protection", .libvirt = "VIR_MIGRATE_CHANGE_PROTECTION",  \
      .flag = 1u << 8, .since_libvirt = "0.9.4", .def = "true where both hosts can")               \
  CLUSTER_ROW(                                                                                     \
      BOOL("unsafeMigrationOverride",                                                              \
           "Migrate even where libvirt calls it unsafe for the disks, or where the VM is not "     \
           "LiveMigratable.",                                                                      \
           .fallback = "false", .right = "unsafe"),                                                \
      .offline = TRUE, .option = "unsafe", .negative = "no-unsafe",                                \
      .libvirt = "VIR_MIGRATE_UNSAFE", .flag = 1u << 9, .since_libvirt = "0.9.11", .def = "false") \
  ROW(BOOL("abortOnError", "Give the migration up when a disk of the guest has an I/O error."),    \
      .option = "abort-on-error", .negative = "no-abort-on-error",                                 \
      .libvirt = "VIR_MIGRATE_ABORT_ON_ERROR", .flag = 1u << 12, .since_libvirt = "1.1.0",         \
      .def = "true")                                                                               \
  /* memory that changes faster than it can be sent */                                             \
  POLICY_ROW(BOOL("allowAutoConverge", "Allow the guest's processors to be slowed down.",          \
                  .fallback = "false"),                                                            \
             .group = "Convergence", .option = "auto-converge", .negative = "no-auto-converge",    \
             .libvirt = "VIR_MIGRATE_AUTO_CONVERGE", .flag = 1u << 13, .since_libvirt = "1.2.3",   \
             .since_qemu = "1.6.0", .def = "false")                                                \
  ROW(PERCENT("autoConvergeInitial", "First slow-down of the processors.", .min = 1, .max = 99),   \
      .option = "auto-converge-initial", .arg = "PERCENT",                                         \
      .libvirt = "VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL", .param = "auto_converge.initial",      \
      .type = FERRY_PARAM_INT, .since_libvirt = "2.0.0", .since_qemu = "2.5.0")                    \
  ROW(PERCENT("autoConvergeIncrement", "Each further slow-down.", .min = 1, .max = 99),            \
      .option = "auto-converge-increment", .arg = "PERCENT",                                       \
      .libvirt = "VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT", .param = "auto_converge.increment",  \
      .type = FERRY_PARAM_INT, .since_libvirt = "2.0.0", .since_qemu = "2.5.0")                    \
  POLICY_ROW(                                                                                      \
      BOOL("allowPostCopy",                                                                        \
           "Allow the VM to switch over first and fetch the rest of its memory afterwards.",       \
           .fallback = "false"),                                                                   \
      .option = "post-copy", .alias = "postcopy", .negative = "no-post-copy",                      \
      .libvirt = "VIR_MIGRATE_POSTCOPY", .flag = 1u << 15, .since_libvirt = "1.3.3",               \
      .since_qemu = "2.5.0", .def = "false")                                                       \
  ROW(RATE_QUANTITY("postCopyBandwidth", "Most to send after the switch-over.", FROM_ONE),         \
      .option = "postcopy-bandwidth", .arg = "RATE",                                               \
      .libvirt = "VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY", .param = "bandwidth.postcopy",            \
      .type = FERRY_PARAM_ULLONG, .scale = 1 << 20, .since_libvirt = "5.1.0",                      \
      .since_qemu = "3.0.0", .def = "bandwidthPerMigration")                                       \
  ROW(BOOL("postCopyResume", "Resume a post-copy migration whose connection broke."),              \
      .option = "postcopy-resume", .libvirt = "VIR_MIGRATE_POSTCOPY_RESUME", .flag = 1u << 19,     \
      .since_libvirt = "8.5.0", .since_qemu = "3.0.0", .def = "false", .own = TRUE)                \
  ROW(RATE_QUANTITY("availableSwitchoverBandwidth",                                                \
                    "Rate to reckon with when the pause is predicted.", FROM_ONE),                 \
      .option = "available-switchover-bandwidth", .arg = "RATE",                                   \
      .libvirt = "VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER",                                   \
      .param = "bandwidth.avail.switchover", .type = FERRY_PARAM_ULLONG, .scale = 1 << 20,         \
      .since_libvirt = "11.1.0", .since_qemu = "8.2.0",                                            \
      .def = "half of the link's speed, where the intent runs under a bandwidth limit")            \
  /* how the data travels */                                                                       \
  POLICY_ROW(RATE_QUANTITY("bandwidthPerMigration",                                                \
                           "Most to send, as a quantity such as 64Mi; 0 is unlimited.",            \
                           NOT_NEGATIVE, .fallback = "0", .zero = "unlimited"),                    \
             .group = "Transport", .option = "bandwidth", .arg = "RATE",                           \
             .libvirt = "VIR_MIGRATE_PARAM_BANDWIDTH", .param = "bandwidth",                       \
             .type = FERRY_PARAM_ULLONG, .scale = 1 << 20, .since_libvirt = "1.1.0", .def = "0")   \
  CLUSTER_ROW(BOOL("disableTLS", "Send the data without encryption.", .right = "unsafe"),          \
              .option = "tls", .negative = "no-tls", .libvirt = "VIR_MIGRATE_TLS",                 \
              .flag = 1u << 16, .inverted = TRUE,                                                  \
              .opposite = "Encrypt the migration's data, which is the default",                    \
              .since_libvirt = "3.2.0", .since_qemu = "2.7.0", .def = "false")                     \
  ROW(STR("tlsDestination", "DNS name or address that the target's certificate must have.",        \
          .pattern = "tls-name", .max = FERRY_DNS_NAME_MAX, .right = "uris"),                      \
      .option = "tls-destination", .arg = "NAME", .libvirt = "VIR_MIGRATE_PARAM_TLS_DESTINATION",  \
      .param = "tls.destination", .type = FERRY_PARAM_STRING, .since_libvirt = "6.0.0",            \
      .own = TRUE)                                                                                 \
  POLICY_ROW(BOOL("parallel", "Send memory over several connections at once."),                    \
             .option = "parallel", .negative = "no-parallel", .libvirt = "VIR_MIGRATE_PARALLEL",   \
             .flag = 1u << 17, .since_libvirt = "5.2.0", .since_qemu = "4.0.0", .def = "false")    \
  POLICY_ROW(INT("parallelConnections", "Number of connections of a parallel migration.",          \
                 .unit = FERRY_UNIT_COUNT, .min = 1, .max = 255),                                  \
             .option = "parallel-connections", .arg = "NUMBER",                                    \
             .libvirt = "VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS", .param = "parallel.connections", \
             .type = FERRY_PARAM_INT, .since_libvirt = "5.2.0", .since_qemu = "4.0.0",             \
             .def = "by the link's speed and the hosts' processors")                               \
  ROW(BOOL("zeroCopy", "Send memory without copying it to the kernel first; locks it."),           \
      .option = "zerocopy", .negative = "no-zerocopy", .libvirt = "VIR_MIGRATE_ZEROCOPY",          \
      .flag = 1u << 20, .since_libvirt = "8.5.0", .since_qemu = "7.1.0", .def = "false")           \
  ROW(BOOL("rdmaPinAll", "Lock the guest's whole memory before an RDMA migration starts."),        \
      .option = "rdma-pin-all", .negative = "no-rdma-pin-all",                                     \
      .libvirt = "VIR_MIGRATE_RDMA_PIN_ALL", .flag = 1u << 14, .since_libvirt = "1.2.9",           \
      .def = "false")                                                                              \
  ROW(STR("migrateURI", "Where the data goes: tcp://HOST[:PORT], rdma://HOST or unix:///PATH.",    \
          .pattern = "migrate-uri", .max = 2048, .right = "uris"),                                 \
      .option = "migrateuri", .arg = "URI", .libvirt = "VIR_MIGRATE_PARAM_URI",                    \
      .param = "migrate_uri", .type = FERRY_PARAM_STRING, .since_libvirt = "1.1.0", .own = TRUE,   \
      .def = "the target's address on the migration's network")                                    \
  ROW(STR("listenAddress", "Address at which the target waits for the data.", .pattern = "ip",     \
          .max = 64, .right = "uris"),                                                             \
      .option = "listen-address", .arg = "ADDRESS", .libvirt = "VIR_MIGRATE_PARAM_LISTEN_ADDRESS", \
      .param = "listen_address", .type = FERRY_PARAM_STRING, .since_libvirt = "1.1.4",             \
      .own = TRUE, .def = "the target's address on the migration's network")                       \
  ROW(STR("graphicsURI", "Where viewers of the guest's display go: spice://HOST:PORT.",            \
          .pattern = "spice-uri", .max = 2048, .right = "uris"),                                   \
      .option = "graphicsuri", .arg = "URI", .libvirt = "VIR_MIGRATE_PARAM_GRAPHICS_URI",          \
      .param = "graphics_uri", .type = FERRY_PARAM_STRING, .since_libvirt = "1.1.0", .own = TRUE)  \
  /* compression */                                                                                \
  ROW(BOOL("compressed", "Compress the memory that is sent."), .group = "Compression",             \
      .option = "compressed", .negative = "no-compressed", .libvirt = "VIR_MIGRATE_COMPRESSED",    \
      .flag = 1u << 11, .since_libvirt = "1.0.3", .def = "false")                                  \
  ROW(STRS("compressionMethods", "How to compress: xbzrle or mt; zlib or zstd where parallel.",    \
           .values = WORDS("xbzrle", "mt", "zlib", "zstd"), .flags = FERRY_FIELD_SET, .max = 4),   \
      .option = "comp-methods", .arg = "LIST", .libvirt = "VIR_MIGRATE_PARAM_COMPRESSION",         \
      .param = "compression", .type = FERRY_PARAM_STRINGS, .since_libvirt = "1.3.4",               \
      .def = "xbzrle")                                                                             \
  ROW(INT("compressionMTLevel", "Level of the method mt; 0 does not compress.",                    \
          .unit = FERRY_UNIT_NUMBER, .min = 0, .max = 9),                                          \
      .option = "comp-mt-level", .arg = "LEVEL",                                                   \
      .libvirt = "VIR_MIGRATE_PARAM_COMPRESSION_MT_LEVEL", .param = "compression.mt.level",        \
      .type = FERRY_PARAM_INT, .since_libvirt = "1.3.4", .since_qemu = "2.4.0",                    \
      .until_qemu = "9.1.0")                                                                       \
  ROW(INT("compressionMTThreads", "Threads that compress on the source with the method mt.",       \
          .unit = FERRY_UNIT_COUNT, .min = 1, .max = 255),                                         \
      .option = "comp-mt-threads", .arg = "NUMBER",                                                \
      .libvirt = "VIR_MIGRATE_PARAM_COMPRESSION_MT_THREADS", .param = "compression.mt.threads",    \
      .type = FERRY_PARAM_INT, .since_libvirt = "1.3.4", .since_qemu = "2.4.0",                    \
      .until_qemu = "9.1.0")                                                                       \
  ROW(INT("compressionMTDThreads", "Threads that decompress on the target with the method mt.",    \
          .unit = FERRY_UNIT_COUNT, .min = 1, .max = 255),                                         \
      .option = "comp-mt-dthreads", .arg = "NUMBER",                                               \
      .libvirt = "VIR_MIGRATE_PARAM_COMPRESSION_MT_DTHREADS", .param = "compression.mt.dthreads",  \
      .type = FERRY_PARAM_INT, .since_libvirt = "1.3.4", .since_qemu = "2.4.0",                    \
      .until_qemu = "9.1.0")                                                                       \
  ROW(QUANTITY("compressionXBZRLECache",                                                           \
               "Cache of the method xbzrle, a power of two such as 64Mi.", .min = 4096,            \
               .max = G_MAXINT64),                                                                 \
      .option = "comp-xbzrle-cache", .arg = "SIZE",                                                \
      .libvirt = "VIR_MIGRATE_PARAM_COMPRESSION_XBZRLE_CACHE",                                     \
      .param = "compression.xbzrle.cache", .type = FERRY_PARAM_ULLONG, .since_libvirt = "1.3.4",   \
      .def = "QEMU's, 64Mi")                                                                       \
  ROW(INT("compressionZlibLevel", "Level of the method zlib; 0 does not compress.",                \
          .unit = FERRY_UNIT_NUMBER, .min = 0, .max = 9),                                          \
      .option = "comp-zlib-level", .arg = "LEVEL",                                                 \
      .libvirt = "VIR_MIGRATE_PARAM_COMPRESSION_ZLIB_LEVEL", .param = "compression.zlib.level",    \
      .type = FERRY_PARAM_INT, .since_libvirt = "9.4.0", .since_qemu = "5.0.0",                    \
      .def = "QEMU's, 1")                                                                          \
  ROW(INT("compressionZstdLevel", "Level of the method zstd; 0 does not compress.",                \
          .unit = FERRY_UNIT_NUMBER, .min = 0, .max = 20),                                         \
      .option = "comp-zstd-level", .arg = "LEVEL",                                                 \
      .libvirt = "VIR_MIGRATE_PARAM_COMPRESSION_ZSTD_LEVEL", .param = "compression.zstd.level",    \
      .type = FERRY_PARAM_INT, .since_libvirt = "9.4.0", .since_qemu = "5.0.0",                    \
      .def = "QEMU's, 1")                                                                          \
  /* disks that are not shared */                                                                  \
  ROW(BOOL("copyStorageAll", "Copy the disks too, whole."), .group = "Disks",                      \
      .option = "copy-storage-all", .negative = "no-copy-storage-all",                             \
      .libvirt = "VIR_MIGRATE_NON_SHARED_DISK", .flag = 1u << 6, .since_libvirt = "0.8.2",         \
      .def = "false")                                                                              \
  ROW(BOOL("copyStorageIncremental", "Copy only the top image of each disk's backing chain; the "  \
                                     "rest must be on the target."),                               \
      .option = "copy-storage-inc", .negative = "no-copy-storage-inc",                             \
      .libvirt = "VIR_MIGRATE_NON_SHARED_INC", .flag = 1u << 7, .since_libvirt = "0.8.2",          \
      .def = "false")                                                                              \
  ROW(BOOL("copyStorageSynchronousWrites",                                                         \
           "Let the guest's writes wait for the copy, so that it converges."),                     \
      .option = "copy-storage-synchronous-writes",                                                 \
      .negative = "no-copy-storage-synchronous-writes",                                            \
      .libvirt = "VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES", .flag = 1u << 18,                    \
      .since_libvirt = "8.0.0", .since_qemu = "3.0.0", .def = "false")                             \
  ROW(STRS("migrateDisks", "Disks to copy, by target name such as vda.", DISK_NAMES),              \
      .option = "migrate-disks", .arg = "LIST", .libvirt = "VIR_MIGRATE_PARAM_MIGRATE_DISKS",      \
      .param = "migrate_disks", .type = FERRY_PARAM_STRINGS, .since_libvirt = "1.2.17",            \
      .own = TRUE,                                                                                 \
      .def = "all that are neither read-only, nor shareable, nor on storage that hosts share")     \
  ROW(STRS("migrateDisksDetectZeroes", "Disks whose zero blocks are not sent, by target name.",    \
           DISK_NAMES),                                                                            \
      .option = "migrate-disks-detect-zeroes", .arg = "LIST",                                      \
      .libvirt = "VIR_MIGRATE_PARAM_MIGRATE_DISKS_DETECT_ZEROES",                                  \
      .param = "migrate_disks_detect_zeroes", .type = FERRY_PARAM_STRINGS,                         \
      .since_libvirt = "10.9.0", .own = TRUE)                                                      \
  ROW(INT("disksPort", "Port of the target that takes the disks; 0 lets libvirt choose.",          \
          .unit = FERRY_UNIT_NUMBER, .min = 0, .max = 65535, .right = "uris"),                     \
      .option = "disks-port", .arg = "PORT", .libvirt = "VIR_MIGRATE_PARAM_DISKS_PORT",            \
      .param = "disks_port", .type = FERRY_PARAM_INT, .since_libvirt = "1.3.3", .own = TRUE,       \
      .def = "0")                                                                                  \
  ROW(STR("disksURI", "Where the disks go: tcp://HOST[:PORT] or unix:///PATH.",                    \
          .pattern = "disks-uri", .max = 2048, .right = "uris"),                                   \
      .option = "disks-uri", .arg = "URI", .libvirt = "VIR_MIGRATE_PARAM_DISKS_URI",               \
      .param = "disks_uri", .type = FERRY_PARAM_STRING, .since_libvirt = "6.8.0", .own = TRUE,     \
      .def = "the target's address on the migration's network")                                    \
  /* what the VM is on the target */                                                               \
  ROW(STR("destinationName", "Name of the domain on the target.", .pattern = "domain-name",        \
          .max = 255, .right = "destinationxml"),                                                  \
      .group = "Target", .offline = TRUE, .option = "dname", .arg = "NAME",                        \
      .libvirt = "VIR_MIGRATE_PARAM_DEST_NAME", .param = "destination_name",                       \
      .type = FERRY_PARAM_STRING, .since_libvirt = "1.1.0", .own = TRUE, .def = "unchanged")       \
  ROW(STR("destinationXML", "The domain's XML for the target, as far as the guest cannot see it.", \
          .max = 262144, .right = "destinationxml"),                                               \
      .offline = TRUE, .option = "xml", .arg = "FILE", .file = TRUE,                               \
      .libvirt = "VIR_MIGRATE_PARAM_DEST_XML", .param = "destination_xml",                         \
      .type = FERRY_PARAM_STRING, .since_libvirt = "1.1.0", .own = TRUE, .def = "unchanged")       \
  ROW(STR("persistentXML", "The persistent definition for the target, as XML.", .max = 262144,     \
          .right = "destinationxml"),                                                              \
      .offline = TRUE, .option = "persistent-xml", .arg = "FILE", .file = TRUE,                    \
      .libvirt = "VIR_MIGRATE_PARAM_PERSIST_XML", .param = "persistent_xml",                       \
      .type = FERRY_PARAM_STRING, .since_libvirt = "1.3.4", .own = TRUE, .def = "unchanged")
