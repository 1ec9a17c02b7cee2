// XRT's native C++ API as versions 2.13 to 2.19 have it in common, whatever folder each keeps it in. Internal
// to this folder: nobody else includes XRT.
#pragma once

// Headers of other people: what they warn about is theirs.
#include <ert.h>
#include <version.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>
#include <xrt/xrt_uuid.h>

// From 2.16 on experimental/ moves below xrt/, with a message at every use of the old place.
#if __has_include(<xrt/experimental/xrt_ip.h>)
#include <xrt/experimental/xrt_ip.h>
#include <xrt/experimental/xrt_xclbin.h>
#else
#include <experimental/xrt_ip.h>
#include <experimental/xrt_xclbin.h>
#endif

#if !defined(XRT_VERSION_CODE) || XRT_VERSION_CODE < XRT_VERSION(2, 13)
#error "kantrig-card needs XRT 2.13 or later"
#endif
