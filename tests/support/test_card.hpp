// A card at the other end of a real link, for tests: takes slots, decides them with the CPU's evaluator, and
// misbehaves when told.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "card_link/port.hpp"
#include "kan/evaluator.hpp"
#include "kan/record_layout.hpp"

namespace kantrig::test {

enum class CardFault : std::uint8_t {
  kNone,
  kSilent,       // takes slots and never gives them back
  kDeaf,         // takes none
  kFlipBit,      // one bit of one score of every slot, golden vectors among them
  kFlipLiveBit,  // the same, but not of slots as short as golden vectors
  kImpossible,   // scores that the model cannot give
  kFail,         // an I/O error
  kTimeout,      // its own deadline
  kNotLoaded,
  kBrokenRing,  // a slot number that is none
  kTwice,       // gives a slot back twice
};

/// Fields side by side, as wide as they must be.
[[nodiscard]] kan::RecordLayout dense_input(const kan::Model& model);
[[nodiscard]] kan::RecordLayout dense_output(const kan::Model& model);

/// The models of a card; a slot is decided in one go. Each thread has its own.
class TestCard {
 public:
  void load(std::uint64_t load_id, const kan::Model& model, kan::RecordLayout input,
            kan::RecordLayout output);
  void unload(std::uint64_t load_id) { models_.erase(load_id); }
  [[nodiscard]] bool has(std::uint64_t load_id) const { return models_.contains(load_id); }

  /// Decides all that is in the ring; returns how many slots it gave back.
  std::size_t serve(card_link::Region& region, std::uint32_t port_number, card_link::CardPort& port,
                    std::uint64_t now_ns);

  std::atomic<CardFault> fault{CardFault::kNone};
  std::uint32_t golden_events = 0;  // that kFlipLiveBit leaves alone
  std::uint64_t events = 0;         // decided

 private:
  struct Loaded {
    std::unique_ptr<kan::Evaluator> evaluator;
    std::unique_ptr<kan::Workspace> space;
    kan::RecordLayout input;
    kan::RecordLayout output;
  };
  void decide(Loaded& model, const card_link::Submission& slot, card_link::CardPort& port);

  std::map<std::uint64_t, Loaded> models_;
};

}  // namespace kantrig::test
