// KernelDriver: the host's side of a simulated kernel_bench: clock, AXI4-Lite accesses, runs, memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>

#include "card/registers.hpp"
#include "rtl/card_memory.hpp"

namespace kantrig::test {

struct RunArguments {
  std::uint64_t input = CardMemory::kBase;
  std::uint64_t output = CardMemory::kBase;
  std::uint32_t events = 0;
  std::uint32_t bank = 0;
  card::Mode mode = card::Mode::kDecide;
  std::uint32_t table_first = 0;
};

template <typename Model>
class KernelDriver {
 public:
  static constexpr std::uint64_t kPatience =
      2'000'000;  // cycles for one access or run; past it the kernel hangs

  KernelDriver(std::size_t memory_bytes, std::uint64_t seed)
      : memory(memory_bytes, seed), model_(std::make_unique<Model>()), random_(seed) {
    reset();
  }
  ~KernelDriver() { model_->final(); }
  KernelDriver(const KernelDriver&) = delete;
  KernelDriver& operator=(const KernelDriver&) = delete;

  CardMemory memory;
  unsigned host_stall_percent = 0;  // chance a cycle that the host holds back on any of its channels
  bool hung = false;                // something took longer than kPatience

  [[nodiscard]] Model& model() noexcept { return *model_; }
  [[nodiscard]] std::uint64_t cycle() const noexcept { return cycle_; }

  void step() {
    drive();
    model_->eval();
    const MasterRequest request = sample();
    model_->clk = 1;
    model_->eval();
    model_->clk = 0;
    memory.step(request);
    ++cycle_;
  }
  void step(std::uint64_t cycles) {
    for (std::uint64_t i = 0; i < cycles; ++i) step();
  }

  /// Resets the card and the interconnect, as loading an xclbin does.
  void reset() {
    model_->c_awvalid = model_->c_wvalid = model_->c_bready = model_->c_arvalid = model_->c_rready = 0;
    model_->rst_n = 0;
    for (int i = 0; i < 4; ++i) {
      memory.reset();
      step();
    }
    memory.reset();
    model_->rst_n = 1;
    step();
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint8_t strobe = 0xF) {
    bool address_sent = false;
    bool data_sent = false;
    model_->c_awaddr = static_cast<std::uint16_t>(offset);
    model_->c_wdata = value;
    model_->c_wstrb = strobe;
    const std::uint64_t end = cycle_ + kPatience;
    while ((!address_sent || !data_sent) && !expired(end)) {
      model_->c_awvalid = !address_sent && (model_->c_awvalid || host_willing());
      model_->c_wvalid = !data_sent && (model_->c_wvalid || host_willing());
      drive();
      model_->eval();
      const bool address_taken = model_->c_awvalid && model_->c_awready;
      const bool data_taken = model_->c_wvalid && model_->c_wready;
      step();
      address_sent = address_sent || address_taken;
      data_sent = data_sent || data_taken;
    }
    model_->c_awvalid = model_->c_wvalid = 0;
    bool answered = false;
    while (!answered && !expired(end)) {
      model_->c_bready = host_willing();
      drive();
      model_->eval();
      answered = model_->c_bvalid && model_->c_bready;
      step();
    }
    model_->c_bready = 0;
  }

  [[nodiscard]] std::uint32_t read(std::uint32_t offset) {
    const std::uint64_t end = cycle_ + kPatience;
    model_->c_araddr = static_cast<std::uint16_t>(offset);
    for (bool sent = false; !sent && !expired(end);) {
      model_->c_arvalid = model_->c_arvalid || host_willing();
      drive();
      model_->eval();
      sent = model_->c_arvalid && model_->c_arready;
      step();
    }
    model_->c_arvalid = 0;
    std::uint32_t value = 0;
    for (bool answered = false; !answered && !expired(end);) {
      model_->c_rready = host_willing();
      drive();
      model_->eval();
      answered = model_->c_rvalid && model_->c_rready;
      value = model_->c_rdata;
      step();
    }
    model_->c_rready = 0;
    return value;
  }
  [[nodiscard]] std::uint64_t read64(std::uint32_t offset) {
    const std::uint64_t low = read(offset);
    return low | static_cast<std::uint64_t>(read(offset + 4)) << 32;
  }

  void set_arguments(const RunArguments& run) {
    write64(card::offset_of("input"), run.input);
    write64(card::offset_of("output"), run.output);
    write(card::offset_of("events"), run.events);
    write(card::offset_of("bank"), run.bank);
    write(card::offset_of("mode"), static_cast<std::uint32_t>(run.mode));
    write(card::offset_of("table_first"), run.table_first);
  }
  void start() { write(card::offset_of("control"), 1); }

  /// Waits until bit 1 of control reads 1, as XRT does. False when it never does.
  [[nodiscard]] bool wait_done() {
    const std::uint64_t end = cycle_ + kPatience;
    while (!expired(end)) {
      if ((read(card::offset_of("control")) & 2U) != 0) return true;
      step(16);
    }
    return false;
  }
  [[nodiscard]] bool run(const RunArguments& arguments) {
    set_arguments(arguments);
    start();
    return wait_done();
  }

 private:
  void write64(std::uint32_t offset, std::uint64_t value) {
    write(offset, static_cast<std::uint32_t>(value));
    write(offset + 4, static_cast<std::uint32_t>(value >> 32));
  }
  [[nodiscard]] bool expired(std::uint64_t end) noexcept {
    if (cycle_ >= end) hung = true;
    return hung;
  }
  [[nodiscard]] bool host_willing() {
    return host_stall_percent == 0 || random_() % 100 >= host_stall_percent;
  }

  void drive() {
    const MemoryAnswer& answer = memory.answer();
    model_->m_awready = answer.awready;
    model_->m_wready = answer.wready;
    model_->m_bvalid = answer.bvalid;
    model_->m_bresp = static_cast<std::uint8_t>(answer.bresp);
    model_->m_arready = answer.arready;
    model_->m_rvalid = answer.rvalid;
    model_->m_rlast = answer.rlast;
    model_->m_rresp = static_cast<std::uint8_t>(answer.rresp);
    for (std::size_t i = 0; i < answer.rdata.size(); ++i) model_->m_rdata[i] = answer.rdata[i];
  }

  [[nodiscard]] MasterRequest sample() const {
    MasterRequest request;
    request.awvalid = model_->m_awvalid;
    request.awaddr = model_->m_awaddr;
    request.awlen = model_->m_awlen;
    request.wvalid = model_->m_wvalid;
    request.wlast = model_->m_wlast;
    request.wstrb = model_->m_wstrb;
    if (request.wvalid) {
      for (std::size_t i = 0; i < request.wdata.size(); ++i) request.wdata[i] = model_->m_wdata[i];
    }
    request.bready = model_->m_bready;
    request.arvalid = model_->m_arvalid;
    request.araddr = model_->m_araddr;
    request.arlen = model_->m_arlen;
    request.rready = model_->m_rready;
    return request;
  }

  std::unique_ptr<Model> model_;
  std::mt19937_64 random_;
  std::uint64_t cycle_ = 0;
};

}  // namespace kantrig::test
