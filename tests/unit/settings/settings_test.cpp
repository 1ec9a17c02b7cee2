#include "settings/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "settings/keys.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::settings {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string error_of(const Result<Settings>& result) {
  return result ? "no error" : result.error().message;
}

Result<Settings> overridden(std::vector<std::string> overrides) {
  return parse("", "test", overrides);
}

TEST(Settings, AreTheDefaultsForAnEmptyFile) {
  const auto settings = parse("", "test");
  ASSERT_TRUE(settings) << error_of(settings);
  EXPECT_THAT(changed_keys(Settings{}, *settings), IsEmpty());
  EXPECT_THAT(settings->events.endpoints, ElementsAre("ipc:///run/kantrig/events"));
  EXPECT_EQ(settings->telemetry.listen, "127.0.0.1:9464");
}

TEST(Settings, TakeFileThenOverridesInOrder) {
  const auto settings = parse(
      "[events]\nshards = 2\nsources = [7, 8]\n[log]\nlevel = \"warn\"\n", "test",
      std::vector<std::string>{"events.shards=3", "events.shards=4", "log.level=debug",
                               "control.endpoint=ipc:///tmp/control", "events.endpoints=tcp://127.0.0.1:7000",
                               "threads.shard_cpus=[[0],[1],[2],[3, 4]]", "run.autostart=false"});
  ASSERT_TRUE(settings) << error_of(settings);
  EXPECT_EQ(settings->events.shards, 4U);
  EXPECT_THAT(settings->events.sources, ElementsAre(7, 8));
  EXPECT_EQ(settings->log.level, "debug");
  EXPECT_EQ(settings->control.endpoint, "ipc:///tmp/control");
  EXPECT_THAT(settings->events.endpoints, ElementsAre("tcp://127.0.0.1:7000"));
  EXPECT_THAT(settings->threads.shard_cpus[3], ElementsAre(3, 4));
  EXPECT_FALSE(settings->run.autostart);
}

TEST(Settings, TakeAFractionAsAnyNumber) {
  EXPECT_EQ(overridden({"card.cross_check=1"})->card.cross_check, 1.0);
  EXPECT_EQ(overridden({"card.cross_check=0.25"})->card.cross_check, 0.25);
  EXPECT_EQ(overridden({"card.cross_check=2.5e-3"})->card.cross_check, 0.0025);
}

TEST(Settings, TakeQuotedTextInOverridesToo) {
  const auto settings =
      overridden({"menu.column=\"high rate\"", "events.endpoints=['ipc:///a', 'ipc:///b']"});
  ASSERT_TRUE(settings) << error_of(settings);
  EXPECT_EQ(settings->menu.column, "high rate");
  EXPECT_THAT(settings->events.endpoints, ElementsAre("ipc:///a", "ipc:///b"));
}

TEST(Settings, PrintAndReadBackTheSame) {
  Settings settings;
  settings.events.endpoints = {"ipc:///tmp/a \"quoted\" \\ \t name", "tcp://127.0.0.1:7000"};
  settings.events.sources = {1, 4294967295U};
  settings.events.shards = 2;
  settings.events.credit_bytes = 64ULL << 30U;
  settings.threads.shard_cpus = {{0, 1}, {2}};
  settings.threads.lock_memory = true;
  settings.menu.column = "h\u00f6her";
  settings.card.sockets = {"/run/kantrig/card-0000:03:00.1"};
  settings.card.cross_check = 1e-5;
  const std::string text = print(settings);
  const auto again = parse(text, "printed");
  ASSERT_TRUE(again) << error_of(again) << text;
  EXPECT_THAT(changed_keys(settings, *again), IsEmpty());
  EXPECT_EQ(print(*again), text);
}

TEST(Settings, PrintEveryKeyWithItsSentence) {
  const std::string text = print(Settings{});
  for (const Key& key : all_keys()) {
    EXPECT_THAT(text, HasSubstr(std::string("# ") + std::string(key.sentence))) << key.name;
    EXPECT_TRUE(key.sentence.ends_with('.')) << key.name;
  }
}

TEST(Settings, ShippedFileIsTheDefaultConfiguration) {
  const auto shipped = base::read_file(KANTRIG_SOURCE_DIR "/config/kantrigd.toml", 1U << 20U);
  ASSERT_TRUE(shipped) << shipped.error().message;
  EXPECT_EQ(*shipped, print(Settings{})) << "write it anew: kantrigd --print-config > config/kantrigd.toml";
}

TEST(Settings, RefuseAnUnknownKeyAndNameTheNearest) {
  EXPECT_THAT(error_of(parse("\n[events]\nshard = 2\n", "k.toml")),
              AllOf(HasSubstr("k.toml:3"), HasSubstr("events.shard,"), HasSubstr("events.shards")));
  EXPECT_THAT(error_of(parse("[evnets]\nshards = 2\n", "k.toml")),
              AllOf(HasSubstr("[evnets]"), HasSubstr("[events]")));
  EXPECT_THAT(error_of(parse("[telemetrie]\n", "k.toml")), HasSubstr("unknown section [telemetrie]"));
  EXPECT_THAT(error_of(parse("shards = 2\n", "k.toml")),
              AllOf(HasSubstr("key shards"), HasSubstr("events.shards")));
  EXPECT_THAT(error_of(parse("[events.shards]\n", "k.toml")), HasSubstr("unknown section [events.shards]"));
  EXPECT_THAT(error_of(overridden({"threads.spin_ms=2"})), HasSubstr("threads.spin_us"));
  EXPECT_THAT(error_of(overridden({"=2"})), HasSubstr("unknown key"));
}

TEST(Settings, RefuseAnOverrideWithoutEqualsSignOrWithUnreadableValue) {
  EXPECT_THAT(error_of(overridden({"events.shards"})), HasSubstr("expected section.key=value"));
  EXPECT_THAT(error_of(overridden({"events.shards="})), HasSubstr("expected 1 to 64"));
  EXPECT_THAT(error_of(overridden({"events.shards=1\nx=2"})), HasSubstr("one line"));
  EXPECT_THAT(error_of(overridden({"events.shards=two"})), HasSubstr("expected 1 to 64"));
}

TEST(Settings, RefuseWhatIsNotToml) {
  EXPECT_THAT(error_of(parse("[events\n", "k.toml")), AllOf(HasSubstr("k.toml:1"), HasSubstr("not TOML")));
  EXPECT_THAT(error_of(parse("[events]\nshards = 1\nshards = 2\n", "k.toml")), HasSubstr("k.toml:3"));
  EXPECT_THAT(error_of(parse("[events]\nshards = 2020-01-01\n", "k.toml")), HasSubstr("a date"));
  EXPECT_THAT(error_of(parse(std::string(5000, '['), "k.toml")), HasSubstr("not TOML"));
}

TEST(Settings, RefuseAWrongKindAndNameTheRightOne) {
  EXPECT_THAT(error_of(parse("[events]\nshards = \"2\"\n", "t")),
              HasSubstr("events.shards is text, expected a whole number"));
  EXPECT_THAT(error_of(parse("[events]\nshards = 2.5\n", "t")), HasSubstr("a number with a fraction"));
  EXPECT_THAT(error_of(parse("[events]\nendpoints = \"ipc:///x\"\n", "t")), HasSubstr("expected a list"));
  EXPECT_THAT(error_of(parse("[events]\nendpoints = [1]\n", "t")), HasSubstr("element 0"));
  EXPECT_THAT(error_of(parse("[threads]\nshard_cpus = [0, 1]\n", "t")), HasSubstr("expected a list"));
  EXPECT_THAT(error_of(parse("[threads]\nshard_cpus = [[]]\n", "t")), HasSubstr("list 0"));
  EXPECT_THAT(error_of(parse("[run]\nautostart = 1\n", "t")), HasSubstr("expected true or false"));
  EXPECT_THAT(error_of(parse("[model]\nactive = 1\n", "t")), HasSubstr("expected text"));
}

/// Every key refuses something just outside its bounds, by name.
class EachBound : public ::testing::TestWithParam<const char*> {};

TEST_P(EachBound, IsEnforcedAndNamed) {
  const std::string override_text = GetParam();
  const auto result = overridden({override_text});
  ASSERT_FALSE(result) << override_text << " was taken";
  EXPECT_THAT(result.error().message, HasSubstr(override_text.substr(0, override_text.find('='))));
  EXPECT_THAT(result.error().message, HasSubstr("expected"));
}

INSTANTIATE_TEST_SUITE_P(
    Settings, EachBound,
    ::testing::Values(
        "events.endpoints=[]", "events.io_threads=0", "events.io_threads=17", "events.shards=0",
        "events.shards=65", "events.shards=-1", "events.batch_events_max=0",
        "events.batch_events_max=1048577", "events.payload_bytes_max=1023",
        "events.payload_bytes_max=1073741825", "events.sources=[4294967296]", "events.sources=[-1]",
        "events.credit_events=0", "events.credit_bytes=1", "events.credit_batches=0", "events.lanes_max=0",
        "events.answer_bytes_kept=1", "events.heartbeat_interval_ms=9", "events.lane_timeout_ms=0",
        "events.unsent_answers_max=0", "events.socket_buffer_bytes=-1", "threads.realtime_priority=99",
        "threads.shard_cpus=[[4096]]", "threads.spin_us=100001",
        "model.repository=", "model.active=", "model.active=../x", "model.active=.x", "model.kernel_set=sse2",
        "backend.kind=gpu", "card.sockets=relative", "card.route=fpga", "card.slots=1", "card.slots=65",
        "card.slot_bytes=4095", "card.slot_bytes=5000", "card.slot_bytes=67108865", "card.join_us=100001",
        "card.deadline_us=99", "card.cross_check=1.5", "card.cross_check=-0.1", "card.cross_check=nan",
        "card.cross_check=all", "card.canary_ms=9", "card.retry_min_ms=0", "card.retry_max_ms=3600001",
        "card.load_timeout_ms=99", "menu.file=", "ledger.state_directory=", "ledger.block_seconds=0",
        "ledger.block_seconds=86401", "control.endpoint=", "control.endpoint=inproc://x",
        "telemetry.listen=9464", "telemetry.listen=127.0.0.1:65536", "telemetry.listen=host:9464",
        "log.level=trace", "stop.drain_timeout_ms=3600001", "events.endpoints=udp://x",
        "events.endpoints=tcp://x", "events.endpoints=tcp://127.0.0.1:x", "events.endpoints=ipc://"));

TEST(Settings, RefuseKeysThatContradictEachOther) {
  const auto refuses = [](std::vector<std::string> overrides, const char* first, const char* second) {
    EXPECT_THAT(error_of(overridden(std::move(overrides))), AllOf(HasSubstr(first), HasSubstr(second)));
  };
  refuses({"events.credit_events=100"}, "events.credit_events", "events.batch_events_max");
  refuses({"events.credit_bytes=1048576"}, "events.credit_bytes", "events.payload_bytes_max");
  refuses({"events.unsent_answers_max=10"}, "events.unsent_answers_max", "events.credit_batches");
  refuses({"events.lane_timeout_ms=1500"}, "events.lane_timeout_ms", "events.heartbeat_interval_ms");
  refuses({"events.payload_bytes_max=2048"}, "events.payload_bytes_max", "events.batch_events_max");
  refuses({"events.lanes_max=4096", "events.answer_bytes_kept=1073741824"}, "events.lanes_max",
          "events.answer_bytes_kept");
  refuses({"threads.shard_cpus=[[0],[1]]"}, "threads.shard_cpus", "events.shards");
  refuses({"threads.busy_poll=true", "threads.realtime_priority=10"}, "threads.busy_poll",
          "threads.shard_cpus");
  refuses({"model.require_signature=true"}, "model.require_signature", "model.public_keys");
  refuses({"backend.kind=card"}, "backend.kind", "card.sockets");
  refuses({"backend.kind=card", "card.sockets=['/a','/b','/a']"}, "card.sockets", "twice");
  refuses({"card.retry_max_ms=100"}, "card.retry_max_ms", "card.retry_min_ms");
  refuses({"card.deadline_us=100", "card.join_us=100"}, "card.deadline_us", "card.join_us");
  refuses({"card.slots=64", "card.slot_bytes=67108864", "events.shards=64"}, "card.slots", "card.slot_bytes");
  refuses({"control.endpoint=ipc:///run/kantrig/events"}, "events.endpoints", "control.endpoint");
  refuses({"events.endpoints=['ipc:///a','ipc:///a-1']", "events.shards=2"}, "ipc:///a-1", "shard 0");
  refuses({"events.endpoints=tcp://*:65535", "events.shards=2"}, "events.endpoints", "65536");
}

TEST(Settings, RefuseAPathTooLongForAUnixSocket) {
  EXPECT_THAT(error_of(overridden({"control.endpoint=ipc:///" + std::string(110, 'x')})),
              HasSubstr("at most"));
}

TEST(Settings, DeriveOneEndpointAShard) {
  EventsSettings events;
  events.endpoints = {"ipc:///run/kantrig/events", "tcp://127.0.0.1:7000", "tcp://127.0.0.1:*"};
  events.shards = 3;
  EXPECT_THAT(shard_endpoints(events, 0),
              ElementsAre("ipc:///run/kantrig/events", "tcp://127.0.0.1:7000", "tcp://127.0.0.1:*"));
  EXPECT_THAT(shard_endpoints(events, 2),
              ElementsAre("ipc:///run/kantrig/events-2", "tcp://127.0.0.1:7002", "tcp://127.0.0.1:*"));
}

TEST(Settings, NameTheKeysThatAReloadWouldChange) {
  Settings after;
  after.log.level = "debug";
  after.events.shards = 2;
  EXPECT_THAT(changed_keys(Settings{}, after), ElementsAre("events.shards", "log.level"));
}

TEST(Settings, LoadAFileAndNameItInErrors) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "kantrigd.toml";
  EXPECT_THAT(error_of(load(path, {})), HasSubstr(path.string()));
  std::ofstream(path) << "[stop]\ndrain_timeout_ms = 5\n";
  const auto settings = load(path, {});
  ASSERT_TRUE(settings) << error_of(settings);
  EXPECT_EQ(settings->stop.drain_timeout_ms, 5U);
  std::ofstream(path) << "[stop]\ndrain = 5\n";
  EXPECT_THAT(error_of(load(path, {})),
              AllOf(HasSubstr(path.string() + ":2"), HasSubstr("stop.drain_timeout_ms")));
  EXPECT_TRUE(load(std::nullopt, {}));
}

}  // namespace
}  // namespace kantrig::settings
