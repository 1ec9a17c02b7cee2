#include "telemetry/exposer.hpp"

#include <utility>

namespace kantrig::telemetry {

void Exposer::add(Source source) {
  sources_.push_back(std::move(source));
}

std::string Exposer::page() const {
  MetricWriter writer;
  for (const Source& source : sources_) source(writer);
  return writer.text();
}

}  // namespace kantrig::telemetry
