// Exposer: the metrics of the whole process, asked for at scrape time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "telemetry/metric_writer.hpp"

namespace kantrig::telemetry {

/// Threading: the control thread only. A source reads counters that other threads write; nothing else is
/// shared.
class Exposer {
 public:
  /// Writes what it knows. Called at every scrape, on the control thread.
  using Source = std::function<void(MetricWriter&)>;

  /// `source` must stay callable as long as the exposer lives.
  void add(Source source);

  /// The page of this moment; every source is asked once, in the order they were added.
  [[nodiscard]] std::string page() const;

 private:
  std::vector<Source> sources_;
};

}  // namespace kantrig::telemetry
