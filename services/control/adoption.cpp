#include "control/adoption.hpp"

#include <algorithm>
#include <chrono>

#include "base/assert.hpp"

namespace kantrig::control {

Adoption::Adoption(boost::asio::io_context& io, const base::Clock& clock, Shards shards,
                   std::uint32_t poll_ms)
    : timer_(io), clock_(clock), shards_(std::move(shards)), poll_ms_(poll_ms), handed_(shards_.size()) {}

void Adoption::begin(ConditionsPointer next, std::uint32_t timeout_ms, Callbacks callbacks) {
  KANTRIG_ASSERT(!active());
  next_ = std::move(next);
  callbacks_ = std::move(callbacks);
  late_ = false;
  deadline_ns_ = clock_.now_ns() + std::uint64_t{timeout_ms} * 1'000'000;
  std::fill(handed_.begin(), handed_.end(), false);
  static_cast<void>(look());
  poll();
}

bool Adoption::look() {
  bool all = true;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (!handed_[i]) handed_[i] = shards_[i]->adopt(next_);
    all = shards_[i]->adopted() == next_ && all;
  }
  return all;
}

void Adoption::poll() {
  timer_.expires_after(std::chrono::milliseconds(poll_ms_));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // the timer went with its owner
    if (look()) {
      next_ = nullptr;
      std::exchange(callbacks_, {}).adopted();
      return;
    }
    if (!late_ && clock_.now_ns() >= deadline_ns_) {
      late_ = true;
      callbacks_.late({ErrorCode::kTimeout, "not adopted in time by " + missing()});
    }
    poll();
  });
}

std::string Adoption::missing() const {
  std::string names;
  std::size_t count = 0;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i]->adopted() == next_) continue;
    names += fmt::format(" {}", i);
    ++count;
  }
  return (count == 1 ? "shard" : "shards") + names;
}

}  // namespace kantrig::control
