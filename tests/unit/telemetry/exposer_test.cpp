#include "telemetry/exposer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "base/histogram.hpp"
#include "support/temporary_folder.hpp"
#include "telemetry/process_metrics.hpp"
#include "telemetry/utf8.hpp"

namespace kantrig::telemetry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Exposer, WritesAFamilyOnceWithTheSamplesOfAllSources) {
  Exposer exposer;
  const Metric metric{"kantrig_events_decided_total", "Events that got a decision."};
  exposer.add([&](MetricWriter& writer) {
    writer.counter(metric, 3, {{"disposition", "accepted"}});
    writer.gauge({"kantrig_lanes", "Lanes in use."}, 2);
  });
  exposer.add([&](MetricWriter& writer) { writer.counter(metric, 4e15 + 1, {{"disposition", "rejected"}}); });
  EXPECT_EQ(exposer.page(),
            "# HELP kantrig_events_decided_total Events that got a decision.\n"
            "# TYPE kantrig_events_decided_total counter\n"
            "kantrig_events_decided_total{disposition=\"accepted\"} 3\n"
            "kantrig_events_decided_total{disposition=\"rejected\"} 4000000000000001\n"
            "# HELP kantrig_lanes Lanes in use.\n"
            "# TYPE kantrig_lanes gauge\n"
            "kantrig_lanes 2\n");
}

TEST(Exposer, AsksItsSourcesAnewForEachPage) {
  Exposer exposer;
  base::Counter events;
  exposer.add([&](MetricWriter& writer) {
    writer.counter({"kantrig_events_received_total", "Events."}, static_cast<double>(events.value()));
  });
  EXPECT_THAT(exposer.page(), HasSubstr("kantrig_events_received_total 0\n"));
  events.add(7);
  EXPECT_THAT(exposer.page(), HasSubstr("kantrig_events_received_total 7\n"));
}

TEST(MetricWriter, WritesHistogramsCumulativelyAndInfEqualsTheCount) {
  base::LatencyHistogram latency;
  for (const std::uint64_t ns : {900ULL, 100'000ULL, 100'001ULL, 250'000ULL, 20'000'000'000ULL})
    latency.observe_ns(ns);
  MetricWriter writer;
  writer.histogram({"kantrig_stage_latency_seconds", "Latency."}, latency.snapshot(), {{"stage", "whole"}});
  const std::string page = writer.text();
  const auto bucket = [](const char* le, int count) {
    return std::string("kantrig_stage_latency_seconds_bucket{stage=\"whole\",le=\"") + le + "\"} " +
           std::to_string(count) + "\n";
  };
  EXPECT_THAT(page, AllOf(HasSubstr(bucket("1e-06", 1)), HasSubstr(bucket("0.0001", 2)),
                          HasSubstr(bucket("0.0002", 3)), HasSubstr(bucket("0.00025", 4)),
                          HasSubstr(bucket("10", 4)), HasSubstr(bucket("+Inf", 5))));
  EXPECT_THAT(page, HasSubstr("kantrig_stage_latency_seconds_count{stage=\"whole\"} 5\n"));
}

TEST(MetricWriter, EscapesLabelValuesAndReplacesWhatIsNotUtf8) {
  MetricWriter writer;
  writer.info({"kantrig_model_info", "The models."}, {{"name", "a\"b\\c\nd\xFFz\xC3\xA9"}});
  EXPECT_THAT(writer.text(), HasSubstr("kantrig_model_info{name=\"a\\\"b\\\\c\\nd?z\xC3\xA9\"} 1\n"));
}

TEST(MetricWriter, AssertsOnAFamilyOfTwoKindsAndOnNamesAgainstTheConventions) {
  MetricWriter writer;
  writer.gauge({"kantrig_lanes", "Lanes."}, 1);
  EXPECT_DEATH(writer.gauge({"kantrig_lanes", "Others."}, 1), "does not hold");
  EXPECT_DEATH(writer.counter({"kantrig_lanes", "Lanes."}, 1), "does not hold");
  EXPECT_DEATH(writer.gauge({"kantrig lanes", "Lanes."}, 1), "does not hold");
  EXPECT_DEATH(writer.gauge({"kantrig_other", "Lanes."}, 1, {{"le-x", "1"}}), "does not hold");
}

TEST(Utf8, KeepsWellFormedCharactersOnly) {
  EXPECT_EQ(valid_utf8("jets \xC2\xB5 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "jets \xC2\xB5 \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(valid_utf8("\xC0\x80"), "??");            // overlong
  EXPECT_EQ(valid_utf8("\xE0\x80\x80"), "???");       // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "???");       // surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(valid_utf8("\xE2\x82"), "??");            // cut short
  EXPECT_EQ(valid_utf8("\x80x"), "?x");
}

TEST(ProcessMetrics, AreThoseOfThisProcess) {
  const auto before = read_process_state();
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_GT(before->resident_bytes, 1U << 20U);
  EXPECT_GE(before->virtual_bytes, before->resident_bytes);
  EXPECT_EQ(before->threads, 1U);
  EXPECT_GE(before->max_fds, before->open_fds);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  EXPECT_NEAR(before->start_time_seconds, static_cast<double>(now.tv_sec), 120.0);
  const int extra = ::dup(0);
  EXPECT_EQ(read_process_state()->open_fds, before->open_fds + 1);
  ::close(extra);
}

/// One family of each kind that kantrigd exports, under its real names.
std::string page_like_the_daemons() {
  Exposer exposer;
  exposer.add(write_process_metrics);
  exposer.add(write_build_info);
  exposer.add([](MetricWriter& w) {
    w.counter({"kantrig_events_received_total", "Events received."}, 1);
    w.counter({"kantrig_events_decided_total", "Events by how they ended."}, 1,
              {{"disposition", "accepted"}});
    w.counter({"kantrig_events_without_decision_total", "Events without a decision, by reason."}, 1,
              {{"reason", "no_run"}});
    w.counter({"kantrig_batches_received_total", "Batches received."}, 1);
    w.counter({"kantrig_line_events_total", "Events by line."}, 1,
              {{"line", "top"}, {"stage", "before_prescale"}});
    w.histogram({"kantrig_stage_latency_seconds", "Latency by stage."}, base::LatencyHistogram().snapshot(),
                {{"stage", "whole"}});
    w.histogram({"kantrig_batch_size_events", "Events in a batch."}, base::SizeHistogram().snapshot());
    w.gauge({"kantrig_credit_outstanding_events", "Credit given and not used."}, 1);
    w.gauge({"kantrig_unsent_answers", "Answers that wait for their client to read."}, 0);
    w.counter({"kantrig_time_seconds_total", "Time of the run by state."}, 1.5, {{"state", "live"}});
    w.gauge({"kantrig_ledger_residual_events", "What the ledger cannot account for; must be 0."}, 0);
    w.gauge({"kantrig_ledger_in_flight_events", "Events received and not yet decided."}, 0);
    w.info({"kantrig_model_info", "The loaded models."},
           {{"role", "active"}, {"name", "jets-1.1.0"}, {"digest", "00"}});
    w.info({"kantrig_menu_info", "The active menu."}, {{"digest", "00"}, {"column", "physics"}});
    w.gauge({"kantrig_feature_out_of_range_ratio", "Share of values that were clamped."}, 0.5,
            {{"feature", "pt"}});
    w.gauge({"kantrig_generation", "Generation of the active model."}, 1);
    w.gauge({"kantrig_run", "Number of the run; 0 when none is on."}, 1);
    w.gauge({"kantrig_block", "Number of the block."}, 1);
    w.gauge({"kantrig_lanes", "Lanes in use."}, 1);
    w.counter({"kantrig_shadow_compared_events_total", "Events compared."}, 1);
    w.counter({"kantrig_shadow_disagreements_total", "Events on which the shadow disagrees."}, 1,
              {{"kind", "accept"}});
  });
  return exposer.page();
}

TEST(Exposer, WritesPagesThatPromtoolHasNothingToSayAbout) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  const kantrig::test::TemporaryFolder folder;
  const std::string page = folder.path() / "page";
  const std::string said = folder.path() / "said";
  std::ofstream(page) << page_like_the_daemons();
  const int status = std::system(("promtool check metrics <" + page + " >" + said + " 2>&1").c_str());
  std::stringstream text;
  text << std::ifstream(said).rdbuf();
  EXPECT_EQ(text.str(), "");
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace kantrig::telemetry
