// The emulated card for tests: bundles packed for it, and a folder through which it is commanded.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "kan/bundle.hpp"
#include "kan/card_image.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::test {

/// Whether this build has an emulated card, and this machine what builds its kernels.
[[nodiscard]] bool can_emulate();
inline constexpr const char* kCannotEmulate =
    "needs libxrt-dev 2.13, verilator and g++ (deploy/install-deps.sh --card --hardware)";

enum class Tables : std::uint8_t { kFixed, kOverlay };

/// `bundle` compiled as plain SystemVerilog and packed for the emulated card. The simulation is built once
/// and kept for the next run of the tests.
[[nodiscard]] Result<kan::Bundle> packed(kan::Bundle bundle, Tables tables, std::uint32_t compute_units);

/// fpga/emulated.json of a packed bundle.
[[nodiscard]] kan::CardImage image_of(const kan::Bundle& packed);

/// An emulated card without a fault, for this process and for those that it starts: sets XILINX_XRT,
/// KANTRIG_EMULATED_CARD and KANTRIG_EMULATED_CARDS. Make it before XRT is used; one at a time.
class EmulatedCard {
 public:
  explicit EmulatedCard(unsigned cards = 1);
  ~EmulatedCard();
  EmulatedCard(const EmulatedCard&) = delete;
  EmulatedCard& operator=(const EmulatedCard&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  /// Runs kantrig-emulated-card with these words, such as "fault hang once"; what it printed. A test failure
  /// when it failed.
  std::string command(const std::string& words) const;

 private:
  TemporaryFolder folder_;
};

}  // namespace kantrig::test
