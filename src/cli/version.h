// SPDX-License-Identifier: Apache-2.0
// The version comes from the build (meson's project version).
#pragma once
#ifndef FERRY_VERSION
#define FERRY_VERSION "0.1.0"
#endif
