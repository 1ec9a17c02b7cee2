// The program on the emulated card: loading, swaps, refusals, and who may join.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/file.hpp"
#include "support/card_bundles.hpp"
#include "support/card_daemon.hpp"
#include "support/card_process.hpp"
#include "support/command.hpp"
#include "support/plain_design.hpp"

namespace kantrig::test {
namespace {

using card_link::CardState;
using card_link::Loaded;
using card_link::LoadKind;
using card_link::SlotStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kEvents = 200;
constexpr card_link::RegionShape kShape{
    .ports = 2, .slots = 4, .input_bytes = 65'536, .output_bytes = 65'536};

class CardProcessTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!can_emulate()) return;
    folder_ = new TemporaryFolder();
    const auto overlay = packed(two_layer_bundle(), Tables::kOverlay, 2).value();
    a_ = write_packed(overlay, folder_->path(), "a");
    b_ = write_packed(packed(biased_bundle(5), Tables::kOverlay, 2).value(), folder_->path(), "b");
    c_ = write_packed(packed(biased_bundle(9), Tables::kOverlay, 2).value(), folder_->path(), "c");
    autoencoder_ = write_packed(packed(two_layer_autoencoder(), Tables::kOverlay, 2).value(), folder_->path(),
                                "autoencoder");
    fixed_ = write_packed(packed(biased_bundle(-3), Tables::kFixed, 1).value(), folder_->path(), "fixed");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
  }
  void TearDown() override {
    if (HasFailure()) std::printf("%s\n", process_.process().log().c_str());
  }

  void start(const std::vector<std::string>& more = {}) { ASSERT_TRUE(process_.start(more)); }
  std::unique_ptr<CardDaemon> join() {
    auto daemon = CardDaemon::join_soon(process_.socket(), kShape);
    EXPECT_TRUE(daemon) << daemon.error().message;
    if (!daemon) return nullptr;
    EXPECT_TRUE((*daemon)->caller().wait_for(CardState::kIdle));
    return std::move(*daemon);
  }
  static Loaded load(CardDaemon& daemon, std::uint64_t id, const WrittenBundle& model,
                     std::vector<std::uint64_t> keep = {}) {
    auto loaded = daemon.load(id, model.folder, model.digest, std::move(keep));
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? *loaded : Loaded{};
  }
  static void expect_decides(CardDaemon& daemon, std::uint64_t id, const WrittenBundle& model,
                             const Loaded& loaded) {
    const auto status = daemon.decide(id, model.bundle, loaded, kEvents);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(*status, SlotStatus::kDone);
  }
  static SlotStatus status_of(CardDaemon& daemon, std::uint64_t id, const WrittenBundle& model,
                              const Loaded& loaded, std::uint32_t events = kEvents) {
    daemon.submit(0, id, model.bundle, loaded, std::min(events, kEvents));
    const auto completion = daemon.wait();
    EXPECT_TRUE(completion);
    return completion ? completion->status : SlotStatus::kNone;
  }

  static TemporaryFolder* folder_;
  static WrittenBundle a_, b_, c_, autoencoder_, fixed_;
  EmulatedCard card_;
  CardProcess process_;
};
TemporaryFolder* CardProcessTest::folder_ = nullptr;
WrittenBundle CardProcessTest::a_, CardProcessTest::b_, CardProcessTest::c_, CardProcessTest::autoencoder_,
    CardProcessTest::fixed_;

TEST_F(CardProcessTest, DecidesSlotsOfEveryPortBitForBitOnAllUnits) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  EXPECT_EQ(daemon->welcome().platform, "emulated");
  const Loaded loaded = load(*daemon, 1, a_);
  ASSERT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.kind, LoadKind::kBitstream);
  EXPECT_EQ(loaded.golden_events, 20U);
  for (int round = 0; round < 20; ++round) {
    for (std::uint32_t port = 0; port < kShape.ports; ++port)
      for (std::uint32_t slot = 0; slot < kShape.slots; ++slot)
        daemon->submit(slot, 1, a_.bundle, loaded, kEvents + slot, port, port);
    for (std::uint32_t port = 0; port < kShape.ports; ++port) {
      for (std::uint32_t i = 0; i < kShape.slots; ++i) {
        const auto completion = daemon->wait(CardCaller::kAnswerMs, port);
        ASSERT_TRUE(completion) << completion.error().message;
        ASSERT_EQ(completion->status, SlotStatus::kDone);
        EXPECT_LE(completion->submit_ns, completion->taken_ns);
        EXPECT_LE(completion->taken_ns, completion->copied_in_ns);
        EXPECT_LE(completion->copied_in_ns, completion->started_ns);
        EXPECT_LE(completion->started_ns, completion->finished_ns);
        EXPECT_LE(completion->finished_ns, completion->completed_ns);
        const auto right =
            daemon->check(completion->slot, a_.bundle, loaded, kEvents + completion->slot, port, port);
        ASSERT_TRUE(right) << right.error().message;
      }
    }
  }
}

TEST_F(CardProcessTest, GivesTheNodesOfAnAutoencoderWhoseScoresItHasProved) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  expect_decides(*daemon, 1, a_, load(*daemon, 1, a_));
  const Loaded loaded = load(*daemon, 2, autoencoder_);
  ASSERT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.kind, LoadKind::kNone) << "the same layers: their tables are there already";
  EXPECT_EQ(loaded.golden_events, 20U);
  EXPECT_EQ(loaded.output.fields.size(), 2U) << "nodes, not the score";
  expect_decides(*daemon, 2, autoencoder_, loaded);
}

TEST_F(CardProcessTest, DecidesByPollingToo) {
  start({"--completion", "polling", "--spin-us", "50"});
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded loaded = load(*daemon, 1, a_);
  for (int i = 0; i < 50; ++i) expect_decides(*daemon, 1, a_, loaded);
}

TEST_F(CardProcessTest, SwapsTablesWhileSlotsOfTheOtherBankGoOn) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded first = load(*daemon, 1, a_);
  expect_decides(*daemon, 1, a_, first);
  const std::vector<const WrittenBundle*> models{&b_, &c_, &a_};
  std::uint64_t active = 1;
  const WrittenBundle* deciding = &a_;
  std::uint32_t decided = 0;
  for (std::uint64_t id = 2; id < 12; ++id) {
    const WrittenBundle& next = *models[(id - 2) % models.size()];
    ASSERT_TRUE(daemon->caller().send(card_link::Load{id, next.folder.native(), next.digest, {active}}));
    std::optional<Loaded> loaded;
    while (!loaded) {  // slots of the active model flow all the while
      expect_decides(*daemon, active, *deciding, first);
      ++decided;
      const auto message = daemon->caller().next(0);
      if (!message) continue;
      if (const auto* done = std::get_if<Loaded>(&*message)) loaded = *done;
    }
    ASSERT_EQ(loaded->error, "");
    EXPECT_EQ(loaded->kind, LoadKind::kTables);
    expect_decides(*daemon, id, next, *loaded);
    active = id;
    deciding = &next;
  }
  EXPECT_GT(decided, 10U);
}

TEST_F(CardProcessTest, KeepsBothBanksReadyAndFlipsBetweenThem) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  const Loaded b = load(*daemon, 2, b_, {1});
  EXPECT_THAT(daemon->caller().states.back().ready, ElementsAre(1, 2));
  for (int i = 0; i < 10; ++i) {
    expect_decides(*daemon, 1, a_, a);
    expect_decides(*daemon, 2, b_, b);
  }
  const Loaded again = load(*daemon, 3, a_, {2});
  EXPECT_EQ(again.kind, LoadKind::kNone);
  EXPECT_EQ(again.golden_events, 20U);
  expect_decides(*daemon, 3, a_, again);
  EXPECT_EQ(status_of(*daemon, 1, a_, a), SlotStatus::kNotLoaded);
  EXPECT_THAT(daemon->caller().states.back().ready, ElementsAre(2, 3));
}

TEST_F(CardProcessTest, SwapsTheXclbinAndSaysThatTheOldModelIsGone) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  const Loaded fixed = load(*daemon, 2, fixed_, {1});
  ASSERT_EQ(fixed.error, "");
  EXPECT_EQ(fixed.kind, LoadKind::kBitstream);
  EXPECT_THAT(daemon->caller().states.back().ready, ElementsAre(2));
  EXPECT_EQ(status_of(*daemon, 1, a_, a), SlotStatus::kNotLoaded);
  expect_decides(*daemon, 2, fixed_, fixed);
  const Loaded back = load(*daemon, 3, a_, {2});
  EXPECT_EQ(back.kind, LoadKind::kBitstream);
  expect_decides(*daemon, 3, a_, back);
}

TEST_F(CardProcessTest, AnswersSlotsAsNotLoadedWhileAnXclbinLoads) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  card_.command("program-time 1s");
  ASSERT_TRUE(daemon->caller().send(card_link::Load{2, fixed_.folder.native(), fixed_.digest, {1}}));
  ASSERT_TRUE(daemon->caller().wait_for(CardState::kLoading));
  while (!daemon->caller().states.back().ready.empty()) ASSERT_TRUE(daemon->caller().next());
  // A slot that was taken before it heard of it may still be decided.
  auto status = daemon->decide(1, a_.bundle, a, kEvents);
  while (status && *status == SlotStatus::kDone) status = daemon->decide(1, a_.bundle, a, kEvents);
  ASSERT_TRUE(status);
  EXPECT_EQ(*status, SlotStatus::kNotLoaded);
  const auto loaded = daemon->caller().answer<Loaded>();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->error, "");
  EXPECT_GE(loaded->program_ns, 1'000'000'000U);
  expect_decides(*daemon, 2, fixed_, *loaded);
}

TEST_F(CardProcessTest, RefusesWhatDoesNotFitAndKeepsWhatIsReady) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  const auto refused = [&](std::uint64_t id, const WrittenBundle& model) {
    const Loaded loaded = load(*daemon, id, model, {1});
    EXPECT_THAT(daemon->caller().states.back().ready, ElementsAre(1)) << loaded.error;
    expect_decides(*daemon, 1, a_, a);
    return loaded.error;
  };
  const auto changed = [&](const char* name, const std::function<void(kan::CardImage&)>& change) {
    return write_packed(with_image(packed(biased_bundle(-3), Tables::kFixed, 1).value(), change),
                        folder_->path(), name);
  };
  WrittenBundle wrong_digest = b_;
  wrong_digest.digest.bytes[0] ^= 1;
  EXPECT_THAT(refused(2, wrong_digest), HasSubstr("changed since it was chosen"));
  WrittenBundle nowhere = b_;
  nowhere.folder = "/nonexistent";
  EXPECT_THAT(refused(3, nowhere), HasSubstr("/nonexistent"));
  const WrittenBundle unpacked = write_packed(two_layer_bundle(), folder_->path(), "unpacked");
  EXPECT_THAT(refused(4, unpacked), HasSubstr("no image for platform emulated"));
  EXPECT_THAT(refused(5, changed("kernel", [](kan::CardImage& i) { i.kernel = "vadd"; })),
              HasSubstr("no kernel 'vadd'"));
  EXPECT_THAT(refused(6, changed("interface", [](kan::CardImage& i) { i.interface_version = 0; })),
              HasSubstr("interface"));
  EXPECT_THAT(refused(7, changed("units", [](kan::CardImage& i) { i.compute_units = 3; })),
              HasSubstr("compute units"));
  EXPECT_THAT(
      refused(8, changed("digest", [](kan::CardImage& i) { i.hardware_digest = std::string(64, 'a'); })),
      HasSubstr("register model_digest reads"));
}

TEST_F(CardProcessTest, RefusesTablesThatDoNotGiveTheGoldenOutputsAndServesOn) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  kan::Bundle bundle = packed(biased_bundle(7), Tables::kOverlay, 2).value();
  bundle.fpga_files["fpga/emulated.tables"] = b_.bundle.fpga_files.at("fpga/emulated.tables");
  const Loaded wrong = load(*daemon, 2, write_packed(bundle, folder_->path(), "wrong"), {1});
  EXPECT_THAT(wrong.error, HasSubstr("golden"));
  EXPECT_THAT(daemon->caller().states.back().ready, ElementsAre(1));
  EXPECT_EQ(daemon->caller().states.back().state, CardState::kReady);
  expect_decides(*daemon, 1, a_, a);
}

TEST_F(CardProcessTest, RefusesSlotsThatAreEmptyOrPastTheirMemory) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  for (const std::uint32_t events : {0U, 0xFFFF'FFFFU, 65'537U * 64U}) {
    daemon->port().submit(0, 1, events, 1);
    const auto completion = daemon->wait();
    ASSERT_TRUE(completion);
    EXPECT_EQ(completion->status, SlotStatus::kInvalid) << events;
  }
  expect_decides(*daemon, 1, a_, a);
}

TEST_F(CardProcessTest, DismissesADaemonWhoseRingsHoldWhatCannotBe) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  card_link::PortBlock& block = daemon->region().port(0);
  block.submissions.slots[0] = 4'000'000'000U;
  daemon->port().submit(0, 1, kEvents, 1);  // rings; its number is then overwritten below
  block.submissions.tail.store(60);
  bool hung_up = false;
  while (!hung_up) {
    const auto message = daemon->caller().next();
    hung_up = !message;
    EXPECT_TRUE(message || message.error().code == ErrorCode::kIo);
  }
  auto next = join();
  ASSERT_NE(next, nullptr);
  expect_decides(*next, 1, a_, load(*next, 1, a_));
}

TEST_F(CardProcessTest, GivesTheCardToTheNextDaemonWhenOneDiesWithSlotsInFlight) {
  start();
  for (int life = 0; life < 5; ++life) {
    auto daemon = join();
    ASSERT_NE(daemon, nullptr);
    EXPECT_THAT(daemon->welcome().state.ready, IsEmpty());
    const Loaded a = load(*daemon, 1, a_);
    EXPECT_EQ(a.kind, life == 0 ? LoadKind::kBitstream : LoadKind::kNone);
    expect_decides(*daemon, 1, a_, a);
    for (std::uint32_t slot = 0; slot < kShape.slots; ++slot) daemon->submit(slot, 1, a_.bundle, a, kEvents);
  }
  EXPECT_EQ(process_.stop(), 0);
}

TEST_F(CardProcessTest, RefusesASecondDaemonByTheNameOfTheFirst) {
  start();
  auto first = join();
  ASSERT_NE(first, nullptr);
  const auto second = CardDaemon::join(process_.socket(), kShape);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("belongs to process " + std::to_string(::getpid())));
  const Loaded a = load(*first, 1, a_);
  expect_decides(*first, 1, a_, a);
}

TEST_F(CardProcessTest, TestsMeasuresAndResetsTheCardForAnOperator) {
  start({"--reset-command",
         KANTRIG_BINARY_DIR "/bin/kantrig-emulated-card --dir " + card_.folder().native() + " reset"});
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  auto person = CardCaller::connect_operator(process_.socket());
  ASSERT_TRUE(person);
  const auto tested = (*person)->command({.verb = card_link::Verb::kTest, .events = 0});
  ASSERT_TRUE(tested);
  EXPECT_EQ(tested->error, "");
  EXPECT_THAT(tested->text, HasSubstr("20 golden vectors"));
  const auto measured = (*person)->command({.verb = card_link::Verb::kMeasure, .events = 16});
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->error, "");
  EXPECT_GT(measured->times.runs, 0U);
  EXPECT_GT(measured->times.total_us, 0.0);
  const auto status = (*person)->status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->compute_units, 2U);
  ASSERT_EQ(status->models.size(), 1U);
  EXPECT_EQ(status->models[0].load_id, 1U);
  const auto reset = (*person)->command({.verb = card_link::Verb::kReset, .events = 0});
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->error, "");
  const auto decided = daemon->decide_soon(1, a_.bundle, a, kEvents);
  EXPECT_TRUE(decided) << decided.error().message;
}

TEST_F(CardProcessTest, EndsCleanlyWithRunsInFlight) {
  start();
  auto daemon = join();
  ASSERT_NE(daemon, nullptr);
  const Loaded a = load(*daemon, 1, a_);
  card_.command("fault slow 200ms");
  for (std::uint32_t slot = 0; slot < kShape.slots; ++slot) daemon->submit(slot, 1, a_.bundle, a, kEvents);
  process_.process().begin_termination();
  EXPECT_EQ(process_.process().exit_code(), 0);
}

TEST_F(CardProcessTest, ListsCardsAndChecksImagesWithoutServing) {
  const std::string program = KANTRIG_BINARY_DIR "/bin/kantrig-card ";
  EXPECT_THAT(run_command(program + "--list").output,
              HasSubstr("0000:00:00.0  kantrig_emulated  platform emulated"));
  EXPECT_EQ(run_command(program + "--platform emulated --check-image " + a_.folder.native()).exit_code, 0);
  const auto wrong = run_command(program + "--platform u50 --check-image " + a_.folder.native() + " 2>&1");
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(wrong.output, HasSubstr("no image for platform u50"));
  EXPECT_EQ(run_command(program + " 2>&1").exit_code, 2);
  const std::string settings = (folder_->path() / "card.toml").native();
  ASSERT_TRUE(base::write_file_atomic(settings, "deadline-ms = 50\nplatform = \"u50\"\n"));
  EXPECT_EQ(run_command(program + "--config " + settings + " --list").exit_code, 0);
  ASSERT_TRUE(base::write_file_atomic(settings, "dead-line = 50\n"));
  EXPECT_EQ(run_command(program + "--config " + settings + " --list 2>&1").exit_code, 2);
  card_.command("fault absent");
  EXPECT_EQ(run_command(program + "--list 2>&1").exit_code, 4);
}

}  // namespace
}  // namespace kantrig::test
