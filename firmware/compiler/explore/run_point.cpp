#include "compiler/explore/run_point.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "base/build_info.hpp"
#include "base/file.hpp"
#include "compiler/explore/child.hpp"
#include "kan/bundle.hpp"

namespace kantrig::explore {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLastWordsMax = 400;

/// Held while a process works in a point's folder; goes with the process, however that ends.
class Lock {
 public:
  explicit Lock(const fs::path& path)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    held_ = descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  int descriptor_;
  bool held_ = false;
};

/// The last line of a log: what kanc says when it fails. Empty where that was not its own.
std::string own_words(const fs::path& log) {
  std::ifstream in(log);
  std::string found;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) found = line;
  }
  return found.starts_with("kanc") ? found.substr(0, kLastWordsMax) : "";
}

Command train_command(const fs::path& folder, const SweepPlan& plan, const PointOptions& options) {
  Command command{
      {options.kanc.string(), "train", (folder / "spec.toml").string(), "--x", plan.data.x.string()},
      folder / "log",
      0};
  std::vector<std::string>& words = command.words;
  if (!plan.data.y.empty()) words.insert(words.end(), {"--y", plan.data.y.string()});
  if (!plan.data.class_column.empty()) words.insert(words.end(), {"--class-column", plan.data.class_column});
  words.insert(words.end(),
               {"--out", (folder / "bundle").string(), "--threads", std::to_string(options.threads)});
  words.insert(words.end(), options.train_arguments.begin(), options.train_arguments.end());
  return command;
}

/// Rows that the accuracy was measured on, of the training's report; 0 where it does not say.
std::uint64_t rows_validation_of(const std::string& report_json) {
  const auto root = nlohmann::json::parse(report_json, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return 0;
  const auto found = root.find("rows_validation");
  return found != root.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// Takes what is to be known of a finished training over into `result`.
Result<void> measure(const fs::path& folder, PointResult& result) {
  const auto bundle = kan::load_bundle(folder / "bundle");
  if (!bundle) return tl::unexpected(bundle.error());
  for (const kan::Metric& metric : bundle->metrics) result.metrics.emplace_back(metric.name, metric.value);
  result.rows_validation = rows_validation_of(bundle->report_json);
  result.cost = cost_of(bundle->model);
  return base::write_file_atomic(folder / "report.json", bundle->report_json);
}

/// An empty folder but for the lock: what is left of a training that was cut off is of no use.
Result<void> clear(const fs::path& folder) {
  std::error_code error;
  for (const char* name : {"result.json", "report.json", "spec.toml", "log", "bundle", "bundle.kan"}) {
    fs::remove_all(folder / name, error);
    if (error)
      return fail(ErrorCode::kIo, "{}: cannot be removed: {}", (folder / name).string(), error.message());
  }
  return {};
}

}  // namespace

Result<PointResult> run_point(const SweepFolder& sweep, const SweepPlan& plan, const SweepPoint& point,
                              const PointOptions& options) {
  const fs::path folder = sweep.point(point);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::kIo, "{}: cannot be made: {}", folder.string(), error.message());
  const Lock lock(folder / "lock");
  if (!lock.held()) {
    return fail(ErrorCode::kBusy, "{}: another process trains this point, or its lock cannot be had",
                folder.string());
  }
  if (auto ok = clear(folder); !ok) return tl::unexpected(ok.error());
  if (auto ok = base::write_file_atomic(folder / "spec.toml", point.specification); !ok)
    return tl::unexpected(ok.error());
  PointResult result;
  result.specification_sha256 = point.specification_sha256;
  result.data_sha256 = plan.data_sha256;
  result.version = fmt::format("{} {}", base::build_info().version, base::build_info().revision);
  const auto begin = std::chrono::steady_clock::now();
  const auto problem = run_to_end(train_command(folder, plan, options), options.time_max);
  if (!problem) return tl::unexpected(problem.error());
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!problem->empty()) {
    const std::string words = own_words(folder / "log");
    result.error = words.empty() ? "kanc train: " + *problem : words;
  } else if (auto ok = measure(folder, result); !ok) {
    result.error = ok.error().message;
  }
  if (auto ok = write_result(folder, result); !ok) return tl::unexpected(ok.error());
  return result;
}

}  // namespace kantrig::explore
