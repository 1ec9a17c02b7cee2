#include "telemetry/metric_writer.hpp"

#include <prometheus/check_names.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <unordered_map>

#include "base/assert.hpp"
#include "telemetry/utf8.hpp"

namespace kantrig::telemetry {

struct MetricWriter::Families {
  std::vector<prometheus::MetricFamily> list;  // in the order of their first sample
  std::unordered_map<std::string, std::size_t> index_of;

  prometheus::ClientMetric& add(const Metric& metric, prometheus::MetricType type, const Labels& labels) {
    const std::string name(metric.name);
    const auto [found, fresh] = index_of.emplace(name, list.size());
    if (fresh) {
      KANTRIG_ASSERT(prometheus::CheckMetricName(name) && !metric.help.empty());
      list.push_back({name, std::string(metric.help), type, {}});
    }
    prometheus::MetricFamily& family = list[found->second];
    KANTRIG_ASSERT(family.type == type && family.help == metric.help);
    prometheus::ClientMetric& sample = family.metric.emplace_back();
    for (const Label& label : labels) {
      KANTRIG_ASSERT(prometheus::CheckLabelName(label.name));
      sample.label.push_back({label.name, valid_utf8(label.value)});
    }
    return sample;
  }
};

MetricWriter::MetricWriter() : families_(std::make_unique<Families>()) {}
MetricWriter::~MetricWriter() = default;

void MetricWriter::counter(const Metric& metric, double value, const Labels& labels) {
  KANTRIG_ASSERT(metric.name.ends_with("_total"));
  families_->add(metric, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricWriter::gauge(const Metric& metric, double value, const Labels& labels) {
  KANTRIG_ASSERT(!metric.name.ends_with("_total"));
  families_->add(metric, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void MetricWriter::info(const Metric& metric, const Labels& labels) {
  KANTRIG_ASSERT(metric.name.ends_with("_info"));
  families_->add(metric, prometheus::MetricType::Gauge, labels).gauge.value = 1.0;
}

void MetricWriter::histogram(const Metric& metric, const base::HistogramSnapshot& snapshot,
                             const Labels& labels) {
  KANTRIG_ASSERT(snapshot.counts.size() == snapshot.bounds.size() + 1);
  auto& histogram = families_->add(metric, prometheus::MetricType::Histogram, labels).histogram;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < snapshot.counts.size(); ++i) {
    cumulative += snapshot.counts[i];
    const bool last = i == snapshot.bounds.size();
    histogram.bucket.push_back(
        {cumulative, last ? std::numeric_limits<double>::infinity() : snapshot.bounds[i]});
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = snapshot.sum;
}

std::string MetricWriter::text() const {
  return prometheus::TextSerializer().Serialize(families_->list);
}

}  // namespace kantrig::telemetry
