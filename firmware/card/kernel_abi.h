// The C interface of a simulated kernel: what a shared object made by `kanc pack --platform emulated` from
// kan_kernel over a design offers. It lies in the section BITSTREAM of the xclbin.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Raised with every change of this page; whoever loads another version refuses it.
#define KANTRIG_KERNEL_ABI_VERSION 1

typedef struct kantrig_kernel_description {
  uint32_t abi_version;
  const char* hardware_digest;  // hex, what the register model_digest reads
} kantrig_kernel_description;

// The memory that the kernel's AXI4 master sees. Called by kantrig_kernel_run() and the accesses, in their
// thread, with `owner`. The answer is AXI's: 0 OKAY, 2 SLVERR, 3 DECERR.
typedef struct kantrig_kernel_memory {
  void* owner;
  int (*fetch)(void* owner, uint64_t address, void* word);                         // 64 bytes
  int (*store)(void* owner, uint64_t address, const void* word, uint64_t strobe);  // bit i: byte i is written
} kantrig_kernel_memory;

// One kernel in simulation, a compute unit. Used by one thread at a time; instances share nothing.
typedef struct kantrig_kernel kantrig_kernel;

// How a stretch of clocks ended.
enum kantrig_kernel_end {
  KANTRIG_KERNEL_DONE = 0,     // the run that was going on is done
  KANTRIG_KERNEL_PAUSED = 1,   // clocks_max are over, or *stop was not 0
  KANTRIG_KERNEL_STOPPED = -1  // an assertion of the design failed, now or before: nothing works any more
};

// Lives as long as the shared object. Its first member has the same place in every version.
typedef const kantrig_kernel_description* kantrig_kernel_describe_fn(void);
// In reset state. `memory` is copied. NULL when there is no memory for it.
typedef kantrig_kernel* kantrig_kernel_create_fn(const kantrig_kernel_memory* memory);
typedef void kantrig_kernel_destroy_fn(kantrig_kernel* kernel);
typedef void kantrig_kernel_reset_fn(kantrig_kernel* kernel);
// AXI4-Lite accesses of one register; each takes some clocks. `offset` is a multiple of 4 below 4096.
typedef uint32_t kantrig_kernel_read_fn(kantrig_kernel* kernel, uint32_t offset);
typedef void kantrig_kernel_write_fn(kantrig_kernel* kernel, uint32_t offset, uint32_t value);
// Clocks until the run is done that was started last, at most `clocks_max` clocks, and looks at *stop in
// every one. A run that ended since the last call, during an access, counts as done now.
typedef int kantrig_kernel_run_fn(kantrig_kernel* kernel, uint64_t clocks_max, const int* stop);
// 1 while the interrupt line is high.
typedef int kantrig_kernel_interrupt_fn(kantrig_kernel* kernel);
// 1 while no run is going on.
typedef int kantrig_kernel_idle_fn(kantrig_kernel* kernel);

// The names to look for.
#define KANTRIG_KERNEL_DESCRIBE "kantrig_kernel_describe"
#define KANTRIG_KERNEL_CREATE "kantrig_kernel_create"
#define KANTRIG_KERNEL_DESTROY "kantrig_kernel_destroy"
#define KANTRIG_KERNEL_RESET "kantrig_kernel_reset"
#define KANTRIG_KERNEL_READ "kantrig_kernel_read"
#define KANTRIG_KERNEL_WRITE "kantrig_kernel_write"
#define KANTRIG_KERNEL_RUN "kantrig_kernel_run"
#define KANTRIG_KERNEL_INTERRUPT "kantrig_kernel_interrupt"
#define KANTRIG_KERNEL_IDLE "kantrig_kernel_idle"

#ifdef __cplusplus
}
#endif
