// Fabric: the simulated kernel that an xclbin's BITSTREAM holds, opened without touching the disk.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "card/kernel_abi.h"

namespace kantrig::emulated {

/// The code of one shared object. Immutable: shared by compute units, which must go first.
class Fabric {
 public:
  /// Opens it. Runs its code: an xclbin is trusted, as the bitstream of a real one is. Throws
  /// std::runtime_error that names what was expected.
  explicit Fabric(std::string_view bitstream);
  ~Fabric();
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  [[nodiscard]] kantrig_kernel* create(const kantrig_kernel_memory& memory) const { return create_(&memory); }

  kantrig_kernel_destroy_fn* destroy = nullptr;
  kantrig_kernel_reset_fn* reset = nullptr;
  kantrig_kernel_read_fn* read = nullptr;
  kantrig_kernel_write_fn* write = nullptr;
  kantrig_kernel_run_fn* run = nullptr;
  kantrig_kernel_interrupt_fn* interrupt = nullptr;
  kantrig_kernel_idle_fn* idle = nullptr;

 private:
  template <typename Function>
  void look_up(Function*& function, const char* name) const;
  void* handle_ = nullptr;
  kantrig_kernel_create_fn* create_ = nullptr;
};

}  // namespace kantrig::emulated
