// Models, menus, columns and shadows are swapped again and again under load; every decision must be that of
// the generation stamped on it.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "base/file.hpp"
#include "kan/reference.hpp"
#include "support/daemon.hpp"
#include "system/checked_lane.hpp"

namespace kantrig::test {
namespace {

constexpr int kSwaps = 100;
constexpr std::uint64_t kSeed = 20'260'102;

/// The shipped model with other tables and another input stage, so that most outputs differ.
kan::Bundle variant_of(kan::Bundle bundle, const std::string& version, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  bundle.version = version;
  for (kan::InputFeature& input : bundle.model.inputs)
    input.offset += static_cast<float>(random() % 5) * 0.5F;
  for (kan::Layer& layer : bundle.model.layers) {
    for (std::int16_t& entry : layer.tables)
      entry = static_cast<std::int16_t>(entry + static_cast<int>(random() % 7) - 3);
  }
  const std::uint32_t inputs = bundle.model.input_count();
  bundle.golden.outputs.clear();
  for (std::uint32_t i = 0; i < bundle.golden.count; ++i) {
    const auto outputs = kan::reference_outputs(
        bundle.model, std::span(bundle.golden.inputs).subspan(std::size_t{i} * inputs, inputs));
    bundle.golden.outputs.insert(bundle.golden.outputs.end(), outputs.begin(), outputs.end());
  }
  return bundle;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void flip_bit(const std::filesystem::path& file) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(file) / 2);
  stream.seekg(middle);
  const char byte = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(middle);
  stream.put(byte);
}

/// Puts things on and off, and remembers which generation was which model.
class Operator {
 public:
  Operator(Daemon& daemon, std::vector<std::string> menus) : daemon_(daemon), menus_(std::move(menus)) {
    look();
  }

  /// Another model decides from now on: by name, or the one before.
  void swap_model() {
    const v1::StatusReply before = daemon_.status().value();
    const bool back = before.has_previous() && random_() % 4 == 0;
    std::string name = kModels[random_() % kModels.size()];
    while (name == before.active().name()) name = kModels[random_() % kModels.size()];
    if (back) name = before.previous().name();
    const auto reply = back ? daemon_.model(v1::ModelAction::VERB_ROLLBACK)
                            : daemon_.model(v1::ModelAction::VERB_ACTIVATE, name);
    ASSERT_TRUE(reply) << reply.error().message;
    const v1::StatusReply after = look();
    EXPECT_EQ(after.active().name(), name);
    EXPECT_EQ(after.previous().name(), before.active().name());
    EXPECT_EQ(after.generation(), before.generation() + 1);
    rollbacks_ += back ? 1 : 0;
  }

  void change_something_else(int step) {
    if (step % 4 == 1) expect_done(daemon_.set_column(step % 8 == 1 ? "calibration" : "physics"));
    if (step % 6 == 2) {
      expect_done(step % 12 == 2
                      ? daemon_.model(v1::ModelAction::VERB_SHADOW, kModels[random_() % kModels.size()])
                      : daemon_.model(v1::ModelAction::VERB_UNSHADOW));
    }
    if (step % 10 == 5)
      expect_done(daemon_.load_menu(menus_[static_cast<std::size_t>(step / 10) % menus_.size()]));
  }

  /// Whatever goes wrong changes nothing and says why.
  void fail_at_something(int step) {
    const v1::StatusReply before = daemon_.status().value();
    switch (step / 10 % 4) {
      case 0:
        expect_refused(daemon_.model(v1::ModelAction::VERB_ACTIVATE, "jets-1.4.0"),
                       {"jets-1.4.0", "model.pb", "sha256"});
        break;
      case 1:
        expect_refused(daemon_.load_menu(replaced(menus_[0], "class == t", "class == h"), "higgs.toml"),
                       {"higgs.toml", "top_tag", "unknown class \"h\"", "g q t w z"});
        break;
      case 2:
        expect_refused(daemon_.model(v1::ModelAction::VERB_SHADOW, "jets-9.9.9"), {"jets-9.9.9"});
        break;
      default:
        expect_refused(daemon_.set_column("night"), {"night", "physics", "calibration"});
        break;
    }
    const v1::StatusReply after = daemon_.status().value();
    EXPECT_EQ(after.generation(), before.generation());
    EXPECT_EQ(after.block(), before.block());
    EXPECT_EQ(after.active().digest(), before.active().digest());
    EXPECT_EQ(after.previous().digest(), before.previous().digest());
    EXPECT_EQ(after.shadow().digest(), before.shadow().digest());
    EXPECT_EQ(after.menu_digest(), before.menu_digest());
    EXPECT_EQ(after.menu_column(), before.menu_column());
    ++failures_;
  }

  [[nodiscard]] const std::map<std::uint64_t, std::string>& generations() const { return generations_; }
  [[nodiscard]] int rollbacks() const { return rollbacks_; }
  [[nodiscard]] int failures() const { return failures_; }
  [[nodiscard]] std::mt19937_64& random() { return random_; }

 private:
  v1::StatusReply look() {
    v1::StatusReply status = daemon_.status().value();
    generations_[status.generation()] = status.active().digest();
    EXPECT_EQ(status.run_counts().residual(), 0);
    return status;
  }
  static void expect_done(const Result<v1::ControlReply>& reply) {
    EXPECT_TRUE(reply) << reply.error().message;
  }
  static void expect_refused(const Result<v1::ControlReply>& reply, const std::vector<std::string>& words) {
    ASSERT_FALSE(reply);
    for (const std::string& word : words)
      EXPECT_NE(reply.error().message.find(word), std::string::npos) << reply.error().message;
  }

  inline static const std::vector<std::string> kModels{"jets-1.1.0", "jets-1.2.0", "jets-1.3.0"};
  Daemon& daemon_;
  std::vector<std::string> menus_;
  std::mt19937_64 random_{kSeed};
  std::map<std::uint64_t, std::string> generations_;  // and the digest of its model
  int rollbacks_ = 0;
  int failures_ = 0;
};

/// The models and menus that this test puts on, in the daemon's repository and in the reference.
ReferenceDecisions prepare(const Daemon& daemon, const std::vector<std::string>& menus) {
  const kan::Bundle shipped = kan::load_bundle(daemon.models() / "jets-1.1.0").value();
  ReferenceDecisions reference(EventPool::make(shipped.model, kSeed).value());
  reference.add_model(shipped);
  for (const std::string version : {"1.2.0", "1.3.0", "1.4.0"}) {
    const auto folder = daemon.models() / ("jets-" + version);
    const auto written =
        kan::write_bundle(variant_of(shipped, version, kSeed + version[2]), folder, kan::Overwrite::kRefuse);
    EXPECT_TRUE(written) << written.error().message;
    reference.add_model(kan::load_bundle(folder).value());
  }
  flip_bit(daemon.models() / "jets-1.4.0" / "model.pb");
  for (const std::string& menu : menus) EXPECT_TRUE(reference.add_menu(menu));
  return reference;
}

TEST(Swap, AHundredTimesUnderLoadGivesEachEventTheDecisionOfItsGeneration) {
  Daemon daemon({"events.shards=2", "ledger.block_seconds=3600"});  // a lane each
  const std::string menu = base::read_file(daemon.menu_file(), 1U << 20).value();
  const std::vector<std::string> menus{
      menu, replaced(replaced(menu, "prob(t) >= 0.6", "prob(t) >= 0.35"), "seed = 20250101", "seed = 7")};
  const ReferenceDecisions reference = prepare(daemon, menus);
  const auto started = daemon.start();
  ASSERT_TRUE(started) << started.error().message;
  auto load =
      CheckedLoad::start(reference, {.endpoint = daemon.events_endpoint(), .lanes = 2, .seed = kSeed});
  ASSERT_TRUE(load) << load.error().message;

  Operator person(daemon, menus);
  for (int step = 0; step < kSwaps; ++step) {
    // Mostly long enough that what was under way is answered and each generation decides; at times in quick
    // succession.
    const std::uint64_t answers = step % 5 == 4 ? 1 + person.random()() % 20 : 260 + person.random()() % 100;
    ASSERT_TRUE((*load)->progress().wait_for(answers)) << "no answers before swap " << step << "\n"
                                                       << daemon.log();
    person.swap_model();
    person.change_something_else(step);
    if (step % 10 == 3) person.fail_at_something(step);
    if (HasFatalFailure()) break;
  }
  ASSERT_TRUE((*load)->progress().wait_for(300));
  (*load)->finish();
  expect_each_event_decided_once(**load);

  const v1::StatusReply status = daemon.status().value();
  EXPECT_EQ(status.run_counts().residual(), 0);
  EXPECT_EQ(status.total_counts().residual(), 0);
  EXPECT_GT(status.shadow_compared(), 0U);
  EXPECT_GT(status.shadow_class_disagreements(), 0U);
  const auto record = daemon.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  expect_same_blocks(**load, reference, {*record});
  expect_clients_agree(**load, *record);

  std::set<std::uint64_t> seen;
  for (const auto& [name, tally] : (*load)->blocks()) {
    seen.insert(tally.generation);
    ASSERT_TRUE(person.generations().contains(tally.generation)) << tally.generation;
    EXPECT_EQ(base::Digest{tally.model}.hex(), person.generations().at(tally.generation))
        << "generation " << tally.generation;
  }
  EXPECT_EQ(person.generations().size(), kSwaps + 1U);
  EXPECT_GT(seen.size(), kSwaps / 2U) << "too few generations decided anything";
  std::set<std::uint64_t> recorded;
  for (const v1::BlockRecord& block : record->blocks()) recorded.insert(block.generation());
  EXPECT_EQ(recorded.size(), kSwaps + 1U);
  EXPECT_GE(std::ranges::count(record->blocks(), "model", &v1::BlockRecord::close_reason), kSwaps);
  EXPECT_EQ(daemon.terminate(), 0);
  const client::Statistics sums = (*load)->statistics();
  fmt::print(
      "{{\"swaps\": {}, \"rollbacks\": {}, \"failed_steps\": {}, \"generations_seen\": {}, \"blocks\": {}, "
      "\"seed\": {}, "
      "\"events\": {}, \"residual\": {}}}\n",
      kSwaps, person.rollbacks(), person.failures(), seen.size(), record->blocks_size(), kSeed,
      sums.events_sent, record->totals().residual());
}

}  // namespace
}  // namespace kantrig::test
