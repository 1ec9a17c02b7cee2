// Adoption: one set of conditions on its way into all shards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::control {

using ConditionsPointer = std::shared_ptr<const pipeline::Conditions>;
using Shards = std::vector<pipeline::ShardControl*>;

/// Hands conditions to every shard and looks, every few ms, whether all have adopted them. What was handed
/// over cannot be taken back: past the deadline the adoption is reported as late, once, and goes on until the
/// last shard has it.
///
/// Threading: owned by the thread that runs `io`. One adoption at a time.
class Adoption {
 public:
  struct Callbacks {
    std::function<void()>
        adopted;  // by all shards, early or late; nothing of this adoption is called after it
    std::function<void(Error)> late;  // kTimeout, naming the shards that have not adopted
  };

  Adoption(boost::asio::io_context& io, const base::Clock& clock, Shards shards, std::uint32_t poll_ms);

  /// Precondition: !active().
  void begin(ConditionsPointer next, std::uint32_t timeout_ms, Callbacks callbacks);
  [[nodiscard]] bool active() const noexcept { return next_ != nullptr; }
  [[nodiscard]] bool late() const noexcept { return active() && late_; }
  /// The shards that have not adopted, for messages: "shard 1", "shards 0 1".
  [[nodiscard]] std::string missing() const;

 private:
  void poll();
  [[nodiscard]] bool look();

  boost::asio::steady_timer timer_;
  const base::Clock& clock_;
  Shards shards_;
  std::uint32_t poll_ms_;
  ConditionsPointer next_;
  std::vector<bool> handed_;
  std::uint64_t deadline_ns_ = 0;
  bool late_ = false;
  Callbacks callbacks_;
};

}  // namespace kantrig::control
