// Card: the device with everything that lies on it: loaded hardware, models in banks, the daemon's slots.
// What takes time: opening, loading, proving, recovering.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/kantrig-card/bundle_image.hpp"
#include "apps/kantrig-card/call_watch.hpp"
#include "apps/kantrig-card/figures.hpp"
#include "apps/kantrig-card/models.hpp"
#include "apps/kantrig-card/prover.hpp"
#include "apps/kantrig-card/runner.hpp"
#include "apps/kantrig-card/xrt/device.hpp"
#include "base/log.hpp"
#include "card_link/messages.hpp"

namespace kantrig::card_host {

struct CardOptions {
  std::string device = "0";                      // PCI address or index
  std::string platform;                          // empty: as the device's name says
  std::string reset_command;                     // empty: the device is never reset
  std::uint64_t deadline_ns = 1'000'000'000;     // of a run
  std::uint32_t runs_max = 64;                   // in flight, as the runner lets them
  std::uint64_t load_limit_ns = 60'000'000'000;  // of loading an xclbin; then the process ends
  std::uint64_t call_limit_ns = 20'000'000'000;  // of any other call into XRT
};

/// Threading: the supervisor's thread.
class Card {
 public:
  struct Parts {
    const base::Clock& clock;
    base::Logger& log;
    Runner& runner;
    Figures& figures;
    CallWatch& watch;
  };
  /// `changed` is called whenever what is ready changes in the middle of something.
  Card(Parts parts, CardOptions options, std::function<void()> changed);
  /// Waits for the runs in flight, as long as their deadline lets them.
  ~Card();

  [[nodiscard]] DeviceResult<void> open();
  [[nodiscard]] bool is_open() const noexcept { return device_.has_value(); }
  [[nodiscard]] DeviceName name() const;
  [[nodiscard]] const std::string& platform() const noexcept { return platform_; }
  [[nodiscard]] const Models& models() const noexcept { return models_; }
  [[nodiscard]] std::size_t compute_units() const noexcept { return fabric_ ? fabric_->compute_units() : 0; }
  [[nodiscard]] std::string uuid() const { return image_ ? image_->facts().uuid : std::string(); }
  [[nodiscard]] Device::SensorTexts sensors();

  // The daemon:
  [[nodiscard]] DeviceResult<void> join(std::shared_ptr<Link> link);
  /// True when all its slots have come back; false: a fault or time stands in the way, call it again later.
  [[nodiscard]] bool leave();
  [[nodiscard]] bool has_link() const noexcept { return link_ != nullptr; }
  [[nodiscard]] bool link_broken() const;

  /// Does what `load` asks. After an error whatever was ready before is ready still, unless a fault says that
  /// the device itself is in trouble: then faults() of the runner has it.
  [[nodiscard]] Result<card_link::Loaded> load(const card_link::Load& load, std::uint64_t received_ns);

  // Operators:
  [[nodiscard]] DeviceResult<std::string> test();
  [[nodiscard]] DeviceResult<card_link::XrtTimes> measure(std::uint32_t events, CompletionMode mode);

  // After a fault:
  /// Lets go of the device; slots in flight come back as failed or timed out. What was ready is remembered.
  void give_up(const Fault& fault);
  enum class Reset : std::uint8_t { kNo, kYes };
  [[nodiscard]] bool can_reset() const noexcept { return !options_.reset_command.empty(); }
  /// Resets (precondition: can_reset()), opens, loads and proves again what was ready. May be tried as often
  /// as one likes.
  [[nodiscard]] DeviceResult<void> bring_back(Reset reset);

 private:
  using LoadResult = DeviceResult<std::uint64_t>;  // ns of programming
  [[nodiscard]] LoadResult make_room_and_write(const std::shared_ptr<const CardBundle>& bundle,
                                               const Models::Plan& plan);
  [[nodiscard]] LoadResult swap_hardware(const std::shared_ptr<const CardBundle>& bundle);
  [[nodiscard]] DeviceResult<Image> read_image(const CardBundle& bundle) const;
  [[nodiscard]] LoadResult load_hardware(const std::shared_ptr<const CardBundle>& bundle, const Image& image);
  [[nodiscard]] DeviceResult<void> load_all(const Models& models);
  void put_back(const Models& before);
  [[nodiscard]] DeviceResult<std::uint32_t> prove(const CardBundle& bundle, std::uint32_t bank);
  [[nodiscard]] bool others_prove();
  void close_fabric();
  [[nodiscard]] DeviceResult<void> make_station();
  std::uint64_t publish();
  [[nodiscard]] DeviceResult<void> drain();
  [[nodiscard]] std::uint64_t drain_limit_ns() const;
  void raise(const Fault& fault);

  const base::Clock& clock_;
  base::Logger& log_;
  Runner& runner_;
  Figures& figures_;
  CallWatch& watch_;
  CardOptions options_;
  std::function<void()> changed_;
  std::string platform_;
  std::optional<BundleShelf> shelf_;
  Models models_;
  std::optional<Models> remembered_;  // across a recovery
  std::shared_ptr<Link> link_;
  std::uint64_t link_order_ = 0;  // the first with this link
  std::uint64_t golden_ns_ = 0;   // how long the last replay took

  // In the order of their making; destroyed in the reverse one.
  std::optional<Device> device_;
  std::optional<Image> image_;
  std::shared_ptr<Fabric> fabric_;
  std::unique_ptr<Prover> prover_;
  std::shared_ptr<Station> station_;
};

}  // namespace kantrig::card_host
