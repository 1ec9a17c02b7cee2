// CardMemory: the AXI4 slave behind the kernel in simulation, with delays, refusals and errors as asked.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace kantrig::test {

using MemoryWord = std::array<std::uint32_t, 16>;

/// How unwilling a bus is. Chances are per cycle, in percent.
struct Unwillingness {
  unsigned stall_percent = 0;  // that a ready is low, or a valid waits, on any channel
  unsigned latency_min = 1;    // cycles from a request to the first word or the response
  unsigned latency_max = 1;
};

/// What the master drives and what it sees, one cycle long.
struct MasterRequest {
  bool awvalid = false, wvalid = false, wlast = false, bready = false, arvalid = false, rready = false;
  std::uint64_t awaddr = 0, araddr = 0, wstrb = 0;
  unsigned awlen = 0, arlen = 0;
  MemoryWord wdata{};
};
struct MemoryAnswer {
  bool awready = false, wready = false, bvalid = false, arready = false, rvalid = false, rlast = false;
  unsigned bresp = 0, rresp = 0;
  MemoryWord rdata{};
};

class CardMemory {
 public:
  static constexpr std::uint64_t kBase = 0x40'0000'0000;
  static constexpr unsigned kSlaveError = 2;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  CardMemory(std::size_t size_bytes, std::uint64_t seed) : bytes(size_bytes, 0), random_(seed) {}

  std::vector<std::uint8_t> bytes;  // from kBase on; what is outside reads 0 and is a failure in `outside`
  Unwillingness unwillingness;
  std::uint64_t read_error_at = kNever;  // the word or burst with this address is answered SLVERR
  std::uint64_t write_error_at = kNever;
  std::uint64_t outside = 0;  // accesses beyond `bytes`

  [[nodiscard]] const MemoryAnswer& answer() const noexcept { return answer_; }
  /// One clock: what the master drove beside answer() at the edge.
  void step(const MasterRequest& request);
  /// As the interconnect does when the card is reset.
  void reset();
  [[nodiscard]] bool quiet() const noexcept {
    return reads_.empty() && writes_.empty() && responses_.empty();
  }

 private:
  struct Burst {
    std::uint64_t address = 0;
    unsigned words = 0;
    std::uint64_t due = 0;
  };
  struct Response {
    unsigned code = 0;
    std::uint64_t due = 0;
  };

  void take_write(const MasterRequest& request);
  void offer_read();
  void offer_response();
  [[nodiscard]] bool willing();
  [[nodiscard]] std::uint64_t due();

  std::mt19937_64 random_;
  MemoryAnswer answer_;
  std::uint64_t cycle_ = 0;
  std::deque<Burst> reads_;
  std::deque<Burst> writes_;
  bool write_failed_ = false;
  std::deque<Response> responses_;
};

}  // namespace kantrig::test
