// SPDX-License-Identifier: Apache-2.0
// What the linux guest does on its network, for a peer outside that looks at it: it echoes, and
// sends a stream of numbered datagrams.
#ifndef FERRY_LAB_GUEST_LINUX_NET_H
#define FERRY_LAB_GUEST_LINUX_NET_H

#include <netinet/in.h>

enum {
  FERRY_NET_ECHO_PORT = 7,      // TCP: what comes is sent back
  FERRY_NET_STREAM_PORT = 5000, // UDP, here and at the peer
  FERRY_NET_STREAM_US = 10000,
};

typedef struct {
  int listener, datagrams;
  struct sockaddr_in peer; // port 0: no stream is sent
} FerryNet;

// Loads the driver and sets eth0 up as `text` says: ADDRESS, or ADDRESS,PEER with the address to
// which the stream goes; the network is a /24. NULL, or what went wrong (errno says why).
const char *ferry_net_open(FerryNet *self, const char *text);

// Thread functions, which run for ever; data is a FerryNet. A datagram that arrives is sent back
// with its first byte changed from 'p' (of the peer) to 'e' (echo); the stream's begin with 's'.
void *ferry_net_echo(void *data);
void *ferry_net_stream(void *data);

#endif
