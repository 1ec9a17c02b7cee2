#include "support/emulated_card.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "compiler/hardware/fixed.hpp"
#include "compiler/hardware/overlay.hpp"
#include "compiler/pack.hpp"
#include "support/command.hpp"
#include "support/rtl_build.hpp"

namespace kantrig::test {
namespace {

constexpr std::string_view kRoot = KANTRIG_EMULATED_CARD_ROOT;

}  // namespace

bool can_emulate() {
  return !kRoot.empty() && can_simulate();
}

Result<kan::Bundle> packed(kan::Bundle bundle, Tables tables, std::uint32_t compute_units) {
  compiler::FixedOptions fixed;
  fixed.device = "generic";
  compiler::OverlayOptions overlay;
  overlay.device = "generic";
  const auto compiled = tables == Tables::kOverlay ? compiler::compile_overlay(bundle, overlay)
                                                   : compiler::compile_fixed(bundle, fixed);
  if (!compiled) return tl::unexpected(compiled.error());
  compiler::put_design(bundle, *compiled);
  compiler::PackOptions options;
  options.compute_units = compute_units;
  options.build.cache = rtl_cache();
  if (auto ok = compiler::pack(bundle, options); !ok) return tl::unexpected(ok.error());
  return bundle;
}

kan::CardImage image_of(const kan::Bundle& packed) {
  return kan::card_image_from_json(packed.fpga_files.at("fpga/emulated.json")).value();
}

EmulatedCard::EmulatedCard(unsigned cards) {
  ::setenv("XILINX_XRT", std::string(kRoot).c_str(), 1);
  ::setenv("KANTRIG_EMULATED_CARD", folder().c_str(), 1);
  ::setenv("KANTRIG_EMULATED_CARDS", std::to_string(cards).c_str(), 1);
}

EmulatedCard::~EmulatedCard() {
  ::unsetenv("KANTRIG_EMULATED_CARD");
  ::unsetenv("KANTRIG_EMULATED_CARDS");
}

std::string EmulatedCard::command(const std::string& words) const {
  const CommandOutcome outcome =
      run_command(std::string(KANTRIG_BINARY_DIR) + "/bin/kantrig-emulated-card --dir " + folder().string() +
                  " " + words + " 2>&1");
  EXPECT_EQ(outcome.exit_code, 0) << words << ": " << outcome.output;
  return outcome.output;
}

}  // namespace kantrig::test
