#include "rtl/card_memory.hpp"

#include <algorithm>
#include <cstring>

namespace kantrig::test {

bool CardMemory::willing() {
  return unwillingness.stall_percent == 0 || random_() % 100 >= unwillingness.stall_percent;
}

std::uint64_t CardMemory::due() {
  const std::uint64_t spread = unwillingness.latency_max - unwillingness.latency_min + 1;
  return cycle_ + unwillingness.latency_min + random_() % spread;
}

void CardMemory::reset() {
  reads_.clear();
  writes_.clear();
  responses_.clear();
  write_failed_ = false;
  answer_ = {};
}

void CardMemory::take_write(const MasterRequest& request) {
  if (writes_.empty()) {  // the protocol checker complains about this one
    ++outside;
    return;
  }
  Burst& burst = writes_.front();
  const std::uint64_t at = burst.address - kBase;
  if (burst.address < kBase || at + 64 > bytes.size()) {
    ++outside;
  } else {
    std::array<std::uint8_t, 64> word{};
    std::memcpy(word.data(), request.wdata.data(), word.size());
    for (unsigned i = 0; i < 64; ++i) {
      if ((request.wstrb >> i & 1U) != 0) bytes[at + i] = word[i];
    }
  }
  write_failed_ = write_failed_ || burst.address == write_error_at;
  burst.address += 64;
  if (!request.wlast) return;
  responses_.push_back({write_failed_ ? kSlaveError : 0, due()});
  write_failed_ = false;
  writes_.pop_front();
}

void CardMemory::offer_read() {
  if (answer_.rvalid || reads_.empty() || reads_.front().due > cycle_ || !willing()) return;
  Burst& burst = reads_.front();
  const std::uint64_t at = burst.address - kBase;
  answer_.rdata = {};
  if (burst.address < kBase || at + 64 > bytes.size()) {
    ++outside;
  } else {
    std::memcpy(answer_.rdata.data(), &bytes[at], 64);
  }
  answer_.rvalid = true;
  answer_.rresp = burst.address == read_error_at ? kSlaveError : 0;
  answer_.rlast = burst.words == 1;
  burst.address += 64;
  if (--burst.words == 0) reads_.pop_front();
}

void CardMemory::offer_response() {
  if (answer_.bvalid || responses_.empty() || responses_.front().due > cycle_ || !willing()) return;
  answer_.bvalid = true;
  answer_.bresp = responses_.front().code;
  responses_.pop_front();
}

void CardMemory::step(const MasterRequest& request) {
  ++cycle_;
  if (request.awvalid && answer_.awready) writes_.push_back({request.awaddr, request.awlen + 1, 0});
  if (request.wvalid && answer_.wready) take_write(request);
  if (request.arvalid && answer_.arready) reads_.push_back({request.araddr, request.arlen + 1, due()});
  if (request.bready) answer_.bvalid = false;
  if (request.rready) answer_.rvalid = false;
  offer_read();
  offer_response();
  answer_.awready = willing();
  answer_.wready = willing();
  answer_.arready = willing();
}

}  // namespace kantrig::test
