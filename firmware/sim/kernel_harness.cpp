// The harness around a verilated kan_sim_kernel: card/kernel_abi.h on top of Verilator's class. Built by kanc
// together with kernel.hpp (by -include), which it generates for the design:
//   Vkan_sim_kernel                    the class
//   kDescription                       what kantrig_kernel_describe() gives
#include <verilated.h>

#include <cstdint>
#include <new>

#include "card/kernel_abi.h"

struct kantrig_kernel {
 public:
  explicit kantrig_kernel(const kantrig_kernel_memory& memory)
      : memory_(memory), top_(configure(context_), "top") {
    top_.clk_i = 0;
    top_.owner_i = reinterpret_cast<std::uintptr_t>(&memory_);
    top_.write_i = 0;
    top_.read_i = 0;
    top_.rst_ni = 0;
    top_.eval();
    reset();
  }
  ~kantrig_kernel() {
    enter();
    top_.final();
  }
  kantrig_kernel(const kantrig_kernel&) = delete;
  kantrig_kernel& operator=(const kantrig_kernel&) = delete;

  void reset() {
    enter();
    top_.rst_ni = 0;
    clock(4);
    top_.rst_ni = 1;
    clock(2);
    done_ = false;
  }

  std::uint32_t read(std::uint32_t offset) {
    enter();
    top_.address_i = static_cast<std::uint16_t>(offset);
    top_.read_i = 1;
    for (bool taken = false; !taken && !stopped();) {
      taken = top_.read_taken_o;
      clock();
    }
    top_.read_i = 0;
    while (!top_.data_valid_o && !stopped()) clock();
    const std::uint32_t value = top_.data_o;
    clock();
    return value;
  }

  /// Returns as soon as address and data are taken: the register has the value one clock later, and
  /// whatever is read after is read later.
  void write(std::uint32_t offset, std::uint32_t value) {
    enter();
    if (offset == kControl && (value & 1U) != 0) done_ = false;
    top_.address_i = static_cast<std::uint16_t>(offset);
    top_.data_i = value;
    top_.write_i = 1;
    for (bool taken = false; !taken && !stopped();) {
      taken = top_.write_taken_o;
      clock();
    }
    top_.write_i = 0;
    // The line may fall or rise by what was written.
    if (offset < kInterruptEnd) clock(2);
  }

  int run(std::uint64_t clocks_max, const int* stop) {
    enter();
    for (std::uint64_t t = 0; !done_; ++t) {
      if (stopped()) return KANTRIG_KERNEL_STOPPED;
      if (t == clocks_max || __atomic_load_n(stop, __ATOMIC_RELAXED) != 0) return KANTRIG_KERNEL_PAUSED;
      clock();
    }
    done_ = false;
    return KANTRIG_KERNEL_DONE;
  }

  bool interrupt() const { return top_.interrupt_o != 0; }
  bool idle() const { return top_.idle_o != 0; }

 private:
  static constexpr std::uint32_t kControl = 0x0;
  static constexpr std::uint32_t kInterruptEnd = 0x10;

  /// Before a top is made: one thread, where the default is a pool for each context; and an assertion that
  /// fails must not take the process with it.
  static VerilatedContext* configure(VerilatedContext& context) {
    context.threads(1);
    context.fatalOnError(false);
    Verilated::threadContextp(&context);  // where the top's scopes are put
    return &context;
  }
  /// The calling thread may be another one than before.
  void enter() { Verilated::threadContextp(&context_); }
  void clock() {
    top_.clk_i = 1;
    top_.eval();
    top_.clk_i = 0;
    top_.eval();
    done_ = done_ || top_.done_o != 0;
  }
  void clock(int count) {
    for (int i = 0; i < count; ++i) clock();
  }
  bool stopped() const { return context_.gotFinish() || context_.gotError(); }

  kantrig_kernel_memory memory_;
  VerilatedContext context_;
  Vkan_sim_kernel top_;
  bool done_ = false;  // a run ended that run() has not told of
};

// What kan_sim_kernel.sv calls.
extern "C" int kantrig_kernel_fetch(unsigned long long owner, unsigned long long address, svBitVecVal* data) {
  const auto* const memory = reinterpret_cast<const kantrig_kernel_memory*>(owner);
  return memory->fetch(memory->owner, address, data);
}
extern "C" int kantrig_kernel_store(unsigned long long owner, unsigned long long address,
                                    const svBitVecVal* data, unsigned long long strobe) {
  const auto* const memory = reinterpret_cast<const kantrig_kernel_memory*>(owner);
  return memory->store(memory->owner, address, data, strobe);
}

#define KANTRIG_EXPORT extern "C" __attribute__((visibility("default")))

KANTRIG_EXPORT const kantrig_kernel_description* kantrig_kernel_describe(void) {
  return &kDescription;
}

KANTRIG_EXPORT kantrig_kernel* kantrig_kernel_create(const kantrig_kernel_memory* memory) {
  try {
    return new kantrig_kernel(*memory);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

KANTRIG_EXPORT void kantrig_kernel_destroy(kantrig_kernel* kernel) {
  delete kernel;
}
KANTRIG_EXPORT void kantrig_kernel_reset(kantrig_kernel* kernel) {
  kernel->reset();
}
KANTRIG_EXPORT uint32_t kantrig_kernel_read(kantrig_kernel* kernel, uint32_t offset) {
  return kernel->read(offset);
}
KANTRIG_EXPORT void kantrig_kernel_write(kantrig_kernel* kernel, uint32_t offset, uint32_t value) {
  kernel->write(offset, value);
}
KANTRIG_EXPORT int kantrig_kernel_run(kantrig_kernel* kernel, uint64_t clocks_max, const int* stop) {
  return kernel->run(clocks_max, stop);
}
KANTRIG_EXPORT int kantrig_kernel_interrupt(kantrig_kernel* kernel) {
  return kernel->interrupt() ? 1 : 0;
}
KANTRIG_EXPORT int kantrig_kernel_idle(kantrig_kernel* kernel) {
  return kernel->idle() ? 1 : 0;
}
