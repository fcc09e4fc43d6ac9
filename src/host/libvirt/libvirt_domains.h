// SPDX-License-Identifier: Apache-2.0
// The handles of a host's domains.
#pragma once
#include "host/libvirt/libvirt_base.h"

/** The domains that the flags of virConnectListAllDomains choose, ended by NULL; free with
 * ferry_libvirt_domains_free (NULL is fine). */
virDomainPtr *ferry_libvirt_domains(FerryLibvirtHost *host, unsigned flags, GError **error);
void ferry_libvirt_domains_free(virDomainPtr *domains);
