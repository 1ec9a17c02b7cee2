// Prover: what the supervisor itself runs on the card: tables into a bank, golden vectors through every
// compute unit.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "apps/kantrig-card/bundle_image.hpp"
#include "apps/kantrig-card/xrt/fabric.hpp"
#include "base/clock.hpp"

namespace kantrig::card_host {

/// Has buffers and runs of its own, so that events of other models go on meanwhile.
///
/// Threading:  one thread.
/// Allocation: buffers once; the rest as it likes.
class Prover {
 public:
  struct Options {
    std::uint64_t deadline_ns = 1'000'000'000;  // of each run
  };
  /// For bundles with this image's records and at most its table words.
  [[nodiscard]] static DeviceResult<std::unique_ptr<Prover>> create(std::shared_ptr<const Fabric> fabric,
                                                                    const kan::CardImage& image,
                                                                    const base::Clock& clock,
                                                                    Options options);

  /// Into every compute unit. Precondition: an overlay; no run of `bank` is going on.
  [[nodiscard]] DeviceResult<void> write_tables(const CardBundle& bundle, std::uint32_t bank);
  /// How many vectors each unit reproduced: all, or it is a fault of kind kGolden.
  [[nodiscard]] DeviceResult<std::uint32_t> replay(const CardBundle& bundle, std::uint32_t bank);

 private:
  struct Unit {
    Buffer input, output, tables;
    Run decide, load;
  };
  Prover(std::shared_ptr<const Fabric> fabric, const base::Clock& clock, Options options)
      : fabric_(std::move(fabric)), clock_(clock), options_(options) {}
  [[nodiscard]] DeviceResult<Unit> make_unit(std::size_t unit, const kan::CardImage& image) const;
  [[nodiscard]] DeviceResult<void> finish(Run& run, std::size_t unit) const;
  [[nodiscard]] DeviceResult<void> replay_on(std::size_t unit, const CardBundle& bundle, std::uint32_t bank);

  std::shared_ptr<const Fabric> fabric_;
  const base::Clock& clock_;
  Options options_;
  std::vector<Unit> units_;
};

}  // namespace kantrig::card_host
