// Tables and bitstreams are swapped two hundred times under load; no event may be lost, every decision must
// be that of the generation stamped on it, and no batch may wait for the card.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <span>
#include <vector>

#include "base/file.hpp"
#include "system/card/card_room.hpp"
#include "system/card/small_jets.hpp"
#include "system/checked_lane.hpp"

namespace kantrig::test {
namespace {

constexpr int kRounds =
    50;  // of four swaps: two of tables, two of bitstreams; KANTRIG_TEST_TIMES says another number
constexpr std::uint64_t kSeed = 20'261'123;
constexpr std::uint64_t kGrowthMax = 16U << 20U;

struct Swap {
  std::string model;
  std::string kind;  // as the daemon names it
};
/// 2.0.0, 2.1.0 and 2.3.0 are models of one overlay, which holds two of them; 2.2.0 is burnt in as logic.
const std::array<Swap, 4> kRound{{{"jets-2.1.0", "tables"},
                                  {"jets-2.3.0", "tables"},
                                  {"jets-2.2.0", "bitstream"},
                                  {"jets-2.0.0", "bitstream"}}};

struct Stalls {
  std::vector<double> ms;  // longest round trip of any batch during a swap, swap by swap
  std::vector<double> load_ms;

  [[nodiscard]] std::string text() const {
    std::vector<double> sorted = ms;
    std::ranges::sort(sorted);
    std::vector<double> loads = load_ms;
    std::ranges::sort(loads);
    if (sorted.empty()) return "{}";
    return fmt::format(
        "{{\"swaps\": {}, \"stall_ms_median\": {:.3f}, \"stall_ms_longest\": {:.3f}, \"load_ms_median\": "
        "{:.3f}, "
        "\"load_ms_longest\": {:.3f}}}",
        sorted.size(), sorted[sorted.size() / 2], sorted.back(), loads[loads.size() / 2], loads.back());
  }
};

/// Writes the models into the daemon's repository and the reference.
Result<ReferenceDecisions> prepare(const Daemon& daemon) {
  const auto shipped = kan::load_bundle(daemon.models() / "jets-1.1.0");
  if (!shipped) return tl::unexpected(shipped.error());
  auto pool = EventPool::make(shipped->model, kSeed);
  if (!pool) return tl::unexpected(pool.error());
  ReferenceDecisions reference(std::move(*pool));
  for (const std::string version : {"2.0.0", "2.1.0", "2.2.0", "2.3.0"}) {
    const auto folder = daemon.models() / ("jets-" + version);
    const CardTarget target = version == "2.2.0" ? CardTarget::kFixed : CardTarget::kOverlay;
    const auto packed = write_card_bundle(
        small_jets(*shipped, version, kSeed + static_cast<std::uint64_t>(version[2])), target, folder);
    if (!packed) return tl::unexpected(packed.error());
    reference.add_model(kan::load_bundle(folder).value());
  }
  if (auto ok = reference.add_menu(base::read_file(daemon.menu_file(), 1U << 20).value()); !ok)
    return tl::unexpected(ok.error());
  return reference;
}

std::uint64_t loads_of(const v1::CardLinkStatus& status, const std::string& kind) {
  const auto found = std::ranges::find(status.loads(), kind, &v1::NamedCount::name);
  return found == status.loads().end() ? 0 : found->count();
}

int rounds() {
  const char* const said = std::getenv("KANTRIG_TEST_TIMES");
  return said == nullptr ? kRounds : std::max(4, std::atoi(said));
}

std::uint64_t median_of(std::span<const std::uint64_t> values) {
  std::vector<std::uint64_t> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return sorted[sorted.size() / 2];
}

/// Puts a model on and waits until the card decides with it.
Result<void> swap(CardRoom& room, Progress& progress, const Swap& swap, Stalls& stalls) {
  const auto before = room.card_status();
  if (!before) return tl::unexpected(before.error());
  (void)progress.take_longest_ns();
  if (const auto done = room.daemon().model(v1::ModelAction::VERB_ACTIVATE, swap.model); !done)
    return tl::unexpected(done.error());
  const auto loaded = room.wait_for("loaded", [&](const v1::CardLinkStatus& s) {
    return loads_of(s, swap.kind) > loads_of(*before, swap.kind);
  });
  if (!loaded) return tl::unexpected(loaded.error());
  if (auto ok = room.wait_for_traffic(); !ok) return ok;
  stalls.ms.push_back(static_cast<double>(progress.take_longest_ns()) * 1e-6);
  stalls.load_ms.push_back(loaded->last_load_seconds() * 1e3);
  return {};
}

TEST(CardSwaps, TwoHundredUnderLoadLoseNoEventAndHoldNoBatchUp) {
  if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
  CardRoom room(
      {"model.active=jets-2.0.0", "events.shards=2", "card.deadline_us=5000000", "ledger.block_seconds=3600"},
      {"--deadline-ms", "4000"});
  Daemon& daemon = room.daemon();
  const auto reference = prepare(daemon);
  ASSERT_TRUE(reference) << reference.error().message;
  ASSERT_TRUE(room.start_card());
  const auto started = daemon.start();
  ASSERT_TRUE(started) << started.error().message;
  auto load = CheckedLoad::start(
      *reference, {.endpoint = daemon.events_endpoint(), .lanes = 2, .seed = kSeed, .pending_max = 4});
  ASSERT_TRUE(load) << load.error().message;
  const auto traffic = room.wait_for_traffic();
  ASSERT_TRUE(traffic) << traffic.error().message;

  std::map<std::string, Stalls> stalls;
  Stalls& quiet = stalls["no swap"];
  std::vector<std::uint64_t> resident;  // after each round
  for (int round = 0; round < rounds(); ++round) {
    (void)(*load)->progress().take_longest_ns();
    ASSERT_TRUE((*load)->progress().wait_for(50)) << room.logs();
    quiet.ms.push_back(static_cast<double>((*load)->progress().take_longest_ns()) * 1e-6);
    quiet.load_ms.push_back(0.0);
    for (const Swap& next : kRound) {
      SCOPED_TRACE(fmt::format("round {}: {} by {}", round, next.model, next.kind));
      const auto swapped = swap(room, (*load)->progress(), next, stalls[next.kind]);
      ASSERT_TRUE(swapped) << swapped.error().message << room.logs();
    }
    resident.push_back(daemon.resident_bytes());
  }
  // What a swap replaces lives on for a moment: single samples differ by the memory of a shard's batches.
  const std::uint64_t early =
      median_of(std::span(resident).subspan(resident.size() / 4, resident.size() / 4));
  const std::uint64_t late = median_of(std::span(resident).last(resident.size() / 4));
  if (rounds() >= kRounds) {  // a sanitizer's memory says nothing
    EXPECT_LT(late, early + kGrowthMax) << "the daemon's memory grows";
  }
  (*load)->finish();
  expect_each_event_decided_once(**load);
  const auto status = room.card_status();
  ASSERT_TRUE(status) << status.error().message;
  for (const v1::NamedCount& opened : status->opened())
    EXPECT_EQ(opened.count(), opened.name() == "absent" ? opened.count() : 0U) << opened.name() << "\n"
                                                                               << room.logs();
  const auto record = daemon.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  expect_same_blocks(**load, *reference, {*record});
  expect_clients_agree(**load, *record);
  room.expect_clean_end();
  const auto by_path = (*load)->events_by_path();
  EXPECT_GT(by_path[static_cast<std::size_t>(wire::Path::kFpga)], 0U);
  for (const auto& [kind, figures] : stalls)
    fmt::print("{{\"kind\": \"{}\", \"figures\": {}}}\n", kind, figures.text());
  fmt::print(
      "{{\"swaps\": {}, \"seed\": {}, \"events\": {}, \"by_cpu\": {}, \"by_fpga\": {}, \"residual\": {}, "
      "\"resident_bytes_early\": {}, \"resident_bytes_late\": {}}}\n",
      rounds() * 4, kSeed, (*load)->statistics().events_sent, by_path[1], by_path[2],
      record->totals().residual(), early, late);
}

}  // namespace
}  // namespace kantrig::test
