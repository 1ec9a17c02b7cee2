// A real daemon that decides by the simulation of the model's compiled design, under a real client's load.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "kan/reference.hpp"
#include "support/daemon.hpp"
#include "support/rtl_build.hpp"
#include "system/checked_lane.hpp"

namespace kantrig::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 20'260'104;

/// The shipped model with other tables, under another version.
kan::Bundle variant_of(kan::Bundle bundle) {
  bundle.version = "1.2.0";
  for (kan::Layer& layer : bundle.model.layers) {
    for (std::size_t i = 0; i < layer.tables.size(); i += 3)
      layer.tables[i] = static_cast<std::int16_t>(-layer.tables[i]);
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

/// What an operator does: compile, then simulate into the folder of libraries.
void make_library(const fs::path& bundle, const fs::path& libraries, const fs::path& scratch) {
  const fs::path design = scratch / ("design-" + bundle.filename().string());
  const std::string command = fmt::format(
      "{0} compile {1} --target fixed --out {2} >{2}.log 2>&1 && {0} simulate {2} --out {3} "
      "--build-folder {4} >>{2}.log 2>&1",
      program("kanc").string(), bundle.string(), design.string(), libraries.string(), rtl_cache().string());
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << base::read_file(design.string() + ".log", 1U << 20).value_or("no log");
}

class RtlSimTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_simulate()) GTEST_SKIP() << kCannotSimulate;
    fs::create_directories(libraries_);
    ASSERT_NO_FATAL_FAILURE(make_library(daemon_.models() / "jets-1.1.0", libraries_, folder_.path()));
  }

  TemporaryFolder folder_;
  fs::path libraries_ = folder_.path() / "libraries";
  Daemon daemon_{{"backend.kind=rtl_sim", "backend.rtl_sim_library=" + libraries_.string()}};
};

TEST_F(RtlSimTest, DecidesBitForBitAndSwapsOnlyToModelsWithALibrary) {
  const kan::Bundle first = kan::load_bundle(daemon_.models() / "jets-1.1.0").value();
  ASSERT_TRUE(kan::write_bundle(variant_of(first), daemon_.models() / "jets-1.2.0", kan::Overwrite::kRefuse));
  const kan::Bundle second = kan::load_bundle(daemon_.models() / "jets-1.2.0").value();
  ReferenceDecisions reference(EventPool::make(first.model, kSeed).value());
  reference.add_model(first);
  reference.add_model(second);
  ASSERT_TRUE(reference.add_menu(base::read_file(daemon_.menu_file(), 1U << 20).value()));
  const auto started = daemon_.start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(daemon_.status().value().backend(), "rtl_sim");
  auto load =
      CheckedLoad::start(reference, {.endpoint = daemon_.events_endpoint(), .lanes = 2, .seed = kSeed});
  ASSERT_TRUE(load) << load.error().message;
  ASSERT_TRUE((*load)->progress().wait_for(100)) << daemon_.log();

  const v1::StatusReply before = daemon_.status().value();
  const auto refused = daemon_.model(v1::ModelAction::VERB_ACTIVATE, "jets-1.2.0");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no simulated design of this model"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(daemon_.status().value().generation(), before.generation());
  EXPECT_EQ(daemon_.status().value().active().name(), "jets-1.1.0");

  ASSERT_NO_FATAL_FAILURE(make_library(daemon_.models() / "jets-1.2.0", libraries_, folder_.path()));
  const auto activated = daemon_.model(v1::ModelAction::VERB_ACTIVATE, "jets-1.2.0");
  ASSERT_TRUE(activated) << activated.error().message;
  ASSERT_TRUE((*load)->progress().wait_for(100)) << daemon_.log();
  (*load)->finish();

  expect_each_event_decided_once(**load);
  const auto record = daemon_.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  expect_same_blocks(**load, reference, {*record});
  expect_clients_agree(**load, *record);
  std::uint64_t fpga_events = 0;
  for (const v1::BlockRecord& block : record->blocks()) {
    for (const v1::ShardBlock& shard : block.shards()) {
      fpga_events += shard.fpga_events();
      EXPECT_EQ(shard.cpu_events(), 0U);
    }
  }
  EXPECT_GT(fpga_events, 0U);
  EXPECT_EQ(record->totals().residual(), 0);
  EXPECT_EQ(daemon_.terminate(), 0);
}

TEST_F(RtlSimTest, ADaemonWithoutALibraryForItsModelDoesNotStart) {
  for (const auto& entry : fs::directory_iterator(libraries_)) fs::remove(entry.path());
  const auto started = daemon_.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("kanc simulate makes it"), std::string::npos)
      << started.error().message;
}

}  // namespace
}  // namespace kantrig::test
