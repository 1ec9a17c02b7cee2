// Everything that can happen to a card happens twenty times under load: every event must get exactly one
// decision, with the bits of the reference, and the card must come back each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "base/file.hpp"
#include "system/card/card_room.hpp"
#include "system/card/small_jets.hpp"
#include "system/checked_lane.hpp"

namespace kantrig::test {
namespace {

constexpr std::uint32_t kTimes = 20;  // each fault; KANTRIG_TEST_TIMES says another number, for slow builds
constexpr std::uint64_t kSeed = 20'261'122;
constexpr std::uint64_t kGrowthMax = 16U << 20U;  // of resident memory, from the second quarter to the end

const std::vector<std::string> kSettings{"model.active=jets-2.0.0", "events.shards=2",
                                         "card.deadline_us=200000", "card.cross_check=1.0",
                                         "card.canary_ms=100",      "ledger.block_seconds=3600"};
const std::vector<std::string> kCardOptions{"--deadline-ms", "100"};

std::uint32_t times() {
  const char* const said = std::getenv("KANTRIG_TEST_TIMES");
  return said == nullptr ? kTimes : static_cast<std::uint32_t>(std::max(1, std::atoi(said)));
}

/// One way in which a card fails, and what brings it back: the service manager's work, or the operator's.
struct Fault {
  std::string name;
  std::function<Result<void>(CardRoom&)> inject;
  std::function<Result<void>(CardRoom&)> mend;  // once the daemon has taken the card out; may be empty
};

Result<void> command(const CardRoom& room, const std::string& words) {
  room.command(words);
  return {};
}

Result<void> restart(CardRoom& room) {
  room.card().kill();
  return room.start_card();
}

std::vector<Fault> faults() {
  const auto emulated = [](std::string words) {
    return [words = std::move(words)](CardRoom& room) { return command(room, words); };
  };
  return {
      {"killed",
       [](CardRoom& room) {
         room.card().kill();
         return Result<void>();
       },
       restart},
      {"dead", emulated("fault die"), emulated("clear")},
      {"hung", emulated("fault hang once"), {}},
      {"slow", emulated("fault slow 300000us"), emulated("clear")},
      {"corrupt", emulated("fault corrupt"), {}},
      {"io error", emulated("fault io-error once"), {}},
      {"firewall", emulated("fault firewall once"), {}},
      {"interrupt dropped", emulated("fault drop-interrupt"), {}},
      {"xclbin refused",
       [](CardRoom& room) {
         if (auto ok = command(room, "fault refuse-xclbin"); !ok) return ok;
         return restart(room);
       },
       emulated("clear")},
      {"busy at start",
       [](CardRoom& room) {
         if (auto ok = command(room, "fault busy"); !ok) return ok;
         return restart(room);
       },
       emulated("clear")},
      {"absent at start",
       [](CardRoom& room) {
         room.card().kill();
         if (auto ok = command(room, "fault absent"); !ok) return ok;
         return room.start_card();
       },
       emulated("clear")},
      {"daemon killed",
       [](CardRoom& room) {
         room.daemon().kill();
         return room.daemon().start();
       },
       {}},
  };
}

/// Injects faults in random order until each has come times().
class Injector {
 public:
  explicit Injector(CardRoom& room) : room_(room) {
    for (std::uint32_t f = 0; f < faults_.size(); ++f) order_.insert(order_.end(), times(), f);
    std::ranges::shuffle(order_, random_);
  }
  [[nodiscard]] std::size_t count() const { return order_.size(); }
  [[nodiscard]] const Fault& fault(std::size_t i) const { return faults_[order_[i]]; }

  /// The card decides, something happens at a random moment, and the card decides again.
  Result<void> step(std::size_t i, Progress& progress) {
    const Fault& fault = faults_[order_[i]];
    if (!progress.wait_for(1 + random_() % 50))
      return fail(ErrorCode::kTimeout, "no answers\n{}", room_.logs());
    if (auto ok = fault.inject(room_); !ok) return ok;
    if (fault.mend) {
      if (!progress.wait_for(20 + random_() % 50))  // the CPU decides meanwhile
        return fail(ErrorCode::kTimeout, "no answers without the card\n{}", room_.logs());
      if (auto ok = fault.mend(room_); !ok) return ok;
    }
    return room_.wait_for_traffic();
  }

 private:
  CardRoom& room_;
  std::vector<Fault> faults_ = faults();
  std::vector<std::uint32_t> order_;
  std::mt19937_64 random_{kSeed};
};

TEST(CardFaults, TwentyTimesEachUnderLoadLoseNoEventAndChangeNoDecision) {
  if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
  CardRoom room(kSettings, kCardOptions);
  Daemon& daemon = room.daemon();
  const kan::Bundle shipped = kan::load_bundle(daemon.models() / "jets-1.1.0").value();
  const auto folder = daemon.models() / "jets-2.0.0";
  const auto packed = write_card_bundle(small_jets(shipped, "2.0.0", kSeed), CardTarget::kOverlay, folder);
  ASSERT_TRUE(packed) << packed.error().message;
  ReferenceDecisions reference(EventPool::make(shipped.model, kSeed).value());
  reference.add_model(kan::load_bundle(folder).value());
  ASSERT_TRUE(reference.add_menu(base::read_file(daemon.menu_file(), 1U << 20).value()));

  ASSERT_TRUE(room.start_card());
  const auto started = daemon.start();
  ASSERT_TRUE(started) << started.error().message;
  auto load =
      CheckedLoad::start(reference, {.endpoint = daemon.events_endpoint(), .lanes = 2, .seed = kSeed});
  ASSERT_TRUE(load) << load.error().message;
  const auto traffic = room.wait_for_traffic();
  ASSERT_TRUE(traffic) << traffic.error().message;

  Injector injector(room);
  std::map<std::string, int> injected;
  std::uint64_t resident = 0;
  for (std::size_t i = 0; i < injector.count(); ++i) {
    SCOPED_TRACE(
        fmt::format("fault {} of {}: {}, seed {}", i, injector.count(), injector.fault(i).name, kSeed));
    const auto stepped = injector.step(i, (*load)->progress());
    ASSERT_TRUE(stepped) << stepped.error().message;
    ++injected[injector.fault(i).name];
    if (i == injector.count() / 4) resident = daemon.resident_bytes();
  }
  if (times() >= kTimes) {  // a sanitizer's memory, and that of the first faults, says nothing
    EXPECT_LT(daemon.resident_bytes(), resident + kGrowthMax) << "the daemon's memory grows";
  }
  (*load)->finish();
  expect_each_event_decided_once(**load);
  EXPECT_EQ(daemon.status().value().total_counts().residual(), 0);
  const auto record = daemon.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  expect_same_blocks(**load, reference, {*record});
  expect_clients_agree(**load, *record);
  room.expect_clean_end();

  const client::Statistics sums = (*load)->statistics();
  std::string counts;
  for (const auto& [name, times] : injected)
    counts += fmt::format("{}\"{}\": {}", counts.empty() ? "" : ", ", name, times);
  const auto by_path = (*load)->events_by_path();
  EXPECT_GT(by_path[static_cast<std::size_t>(wire::Path::kFpga)], 0U);
  fmt::print(
      "{{\"injected\": {{{}}}, \"seed\": {}, \"events\": {}, \"by_cpu\": {}, \"by_fpga\": {}, "
      "\"batches_resent\": {}, "
      "\"residual\": {}}}\n",
      counts, kSeed, sums.events_sent, by_path[1], by_path[2], sums.batches_resent,
      record->totals().residual());
}

}  // namespace
}  // namespace kantrig::test
