// SPDX-License-Identifier: Apache-2.0
#ifndef FERRY_LAB_SERVICE_H
#define FERRY_LAB_SERVICE_H

/* A listening control socket (close-on-exec) at path, or -1 with errno set.
 * Call it while path is still visible: before entering another root. */
int ferry_lab_service_listen(const char *path);

/* Runs as PID 1 of its namespace for ever: reaps every orphan at once and serves
 * the control socket (-1: none). SIGTERM ends it, and with it, by the kernel's
 * rule, every process of the PID namespace. SIGCHLD and SIGTERM must be blocked. */
int ferry_lab_service_loop(int control);

#endif
