// MetricWriter: one page of metrics in the making. Hides prometheus-cpp, which lays the page out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.hpp"

namespace kantrig::telemetry {

struct Label {
  std::string name;
  std::string value;  // any bytes; what is not UTF-8 is written as "?"
};

/// A family: every sample of the same name must be given the same help and the same kind.
struct Metric {
  std::string_view name;  // base unit last, "_total" for counters, as in the Prometheus documentation
  std::string_view help;  // one sentence
};

/// What our counters hold, as Prometheus has it.
[[nodiscard]] inline double number(std::uint64_t count) noexcept {
  return static_cast<double>(count);
}
[[nodiscard]] inline double seconds(std::uint64_t ns) noexcept {
  return static_cast<double>(ns) * 1e-9;
}

/// Filled by the sources at each scrape; samples of a family may come from several sources and in any order.
/// Names, help and label names are ours and asserted; values may be anything.
///
/// Threading:  made and used within one scrape, on the control thread.
/// Allocation: as it likes; never used on the data path.
class MetricWriter {
 public:
  using Labels = std::vector<Label>;

  MetricWriter();
  ~MetricWriter();
  MetricWriter(const MetricWriter&) = delete;
  MetricWriter& operator=(const MetricWriter&) = delete;

  /// `value` since the start of the process; never falls.
  void counter(const Metric& metric, double value, const Labels& labels = {});
  void gauge(const Metric& metric, double value, const Labels& labels = {});
  /// Cumulative counts and "+Inf" follow from the snapshot, so that they cannot disagree.
  void histogram(const Metric& metric, const base::HistogramSnapshot& snapshot, const Labels& labels = {});
  /// A gauge that is always 1 and tells by its labels; its name ends in "_info".
  void info(const Metric& metric, const Labels& labels);

  /// The page, in the text format 0.0.4.
  [[nodiscard]] std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace kantrig::telemetry
