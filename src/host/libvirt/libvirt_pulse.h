// SPDX-License-Identifier: Apache-2.0
// Whether libvirtd, and each domain's QEMU, still answer.
#pragma once
#include "host/libvirt/libvirt_base.h"

/* An event has come from libvirtd: it answers, before its pulse is felt the next time. */
void ferry_libvirt_sign_of_life(FerryLibvirtHost *host);
/** Whether libvirtd lives; for the connector's thread, every few seconds. */
void ferry_libvirt_feel_daemon(FerryLibvirtHost *host, virConnectPtr conn);
/** The thread that looks whether QEMUs live, until the host stops. */
gpointer ferry_libvirt_pulse_thread(gpointer host);
/** Whether a domain's QEMU is known to be silent. */
gboolean ferry_libvirt_is_silent(FerryLibvirtHost *host, const char *uuid);
/** It did not answer one question: it counts as silent until it answers, or the next look at it. */
void ferry_libvirt_suspect(FerryLibvirtHost *host, const char *uuid);
/** A question about a QEMU that was late has been answered. */
void ferry_libvirt_is_back(FerryLibvirtHost *host, const char *uuid);
