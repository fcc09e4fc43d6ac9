// SPDX-License-Identifier: Apache-2.0
// Where libvirt looks for its TLS where nobody has configured another place (virNetTLSContext's
// defaults for the system's libvirtd).
#pragma once

#define FERRY_LIBVIRT_CA "/etc/pki/CA/cacert.pem"
#define FERRY_LIBVIRT_SERVER_CERTIFICATE "/etc/pki/libvirt/servercert.pem"
#define FERRY_LIBVIRT_SERVER_KEY "/etc/pki/libvirt/private/serverkey.pem"
#define FERRY_LIBVIRT_CLIENT_CERTIFICATE "/etc/pki/libvirt/clientcert.pem"
#define FERRY_LIBVIRT_CLIENT_KEY "/etc/pki/libvirt/private/clientkey.pem"
