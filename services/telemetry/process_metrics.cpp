#include "telemetry/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/build_info.hpp"

namespace kantrig::telemetry {
namespace {

/// /proc/self/stat, proc(5). The second field is the program's name in brackets and may hold anything, so
/// reading starts behind the last bracket.
struct Stat {
  std::uint64_t user_ticks = 0;      // field 14
  std::uint64_t system_ticks = 0;    // 15
  std::uint64_t threads = 0;         // 20
  std::uint64_t start_ticks = 0;     // 22, since boot
  std::uint64_t virtual_bytes = 0;   // 23
  std::uint64_t resident_pages = 0;  // 24
};

Result<std::string> read_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return fail(ErrorCode::kIo, "{}: cannot read", path);
  return line;
}

Result<Stat> read_stat() {
  const auto line = read_line("/proc/self/stat");
  if (!line) return tl::unexpected(line.error());
  const std::size_t bracket = line->rfind(')');
  if (bracket == std::string::npos)
    return fail(ErrorCode::kCorrupt, "/proc/self/stat: expected a name in brackets");
  std::istringstream fields(line->substr(bracket + 1));
  std::string skipped;
  const auto skip = [&](int count) {
    for (int i = 0; i < count; ++i) fields >> skipped;
  };
  Stat stat;
  skip(11);  // 3 to 13
  fields >> stat.user_ticks >> stat.system_ticks;
  skip(4);  // 16 to 19
  fields >> stat.threads;
  skip(1);
  fields >> stat.start_ticks >> stat.virtual_bytes >> stat.resident_pages;
  if (!fields) return fail(ErrorCode::kCorrupt, "/proc/self/stat: expected at least 24 fields");
  return stat;
}

/// Unix time of the boot, in whole seconds.
Result<double> read_boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double seconds = 0.0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return fail(ErrorCode::kIo, "/proc/stat: no btime");
}

std::uint64_t count_open_fds() {
  std::uint64_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error))
    ++count;
  return count > 0 ? count - 1 : 0;  // less the one that lists them
}

}  // namespace

Result<ProcessState> read_process_state() {
  const auto stat = read_stat();
  if (!stat) return tl::unexpected(stat.error());
  const auto boot_seconds = read_boot_time();
  if (!boot_seconds) return tl::unexpected(boot_seconds.error());
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  ProcessState state;
  state.cpu_seconds = static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks_per_second;
  state.start_time_seconds = *boot_seconds + static_cast<double>(stat->start_ticks) / ticks_per_second;
  state.resident_bytes = stat->resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  state.virtual_bytes = stat->virtual_bytes;
  state.threads = stat->threads;
  state.open_fds = count_open_fds();
  state.max_fds = limit.rlim_cur;
  return state;
}

void write_process_metrics(MetricWriter& writer) {
  const auto state = read_process_state();
  if (!state) return;
  writer.counter({"process_cpu_seconds_total", "User and system CPU time spent, in seconds."},
                 state->cpu_seconds);
  writer.gauge({"process_start_time_seconds", "Start of the process, in Unix seconds."},
               state->start_time_seconds);
  writer.gauge({"process_resident_memory_bytes", "Resident memory."},
               static_cast<double>(state->resident_bytes));
  writer.gauge({"process_virtual_memory_bytes", "Virtual memory."},
               static_cast<double>(state->virtual_bytes));
  writer.gauge({"process_threads", "Threads of the process."}, static_cast<double>(state->threads));
  writer.gauge({"process_open_fds", "Open file descriptors."}, static_cast<double>(state->open_fds));
  writer.gauge({"process_max_fds", "The most file descriptors that may be open."},
               static_cast<double>(state->max_fds));
}

void write_build_info(MetricWriter& writer) {
  const base::BuildInfo build = base::build_info();
  writer.info({"kantrig_build_info", "What this build of kantrig is; always 1."},
              {{"version", std::string(build.version)},
               {"revision", std::string(build.revision)},
               {"compiler", std::string(build.compiler)}});
}

}  // namespace kantrig::telemetry
