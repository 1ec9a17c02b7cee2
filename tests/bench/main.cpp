// main() of every benchmark: as BENCHMARK_MAIN, but a benchmark whose answer is wrong fails the program.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

namespace {

class FailOnError : public benchmark::ConsoleReporter {
 public:
  bool failed = false;
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) failed |= run.error_occurred;
    ConsoleReporter::ReportRuns(runs);
  }
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  FailOnError reporter;
  const std::size_t run = benchmark::RunSpecifiedBenchmarks(&reporter);
  return reporter.failed || run == 0 ? 1 : 0;
}
