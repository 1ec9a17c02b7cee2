#include "compiler/explore/slurm.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>

#include "base/file.hpp"
#include "compiler/explore/child.hpp"

namespace kantrig::explore {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kSubmitMax{120};
constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 10U;

/// `word` as the shell reads it back.
std::string shell_quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') result += "'\\'";  // out of the quotes, the quote, in again
    result += c;
  }
  result += '\'';
  return result;
}

/// The last line that says something: sbatch's error, or with --parsable the job's number.
std::string last_line(const std::string& text) {
  std::size_t end = text.find_last_not_of("\r\n");
  if (end == std::string::npos) return "";
  const std::size_t begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

Result<std::string> submit_chunk(const SlurmArray& array, const fs::path& script, std::uint32_t first,
                                 const std::vector<std::uint32_t>& numbers) {
  std::vector<std::uint32_t> indices;
  for (const std::uint32_t number : numbers) indices.push_back(number - first);
  const fs::path answer = script.parent_path() / "sbatch.log";
  const Command command{
      {"sbatch", "--parsable", fmt::format("--array={}%{}", array_indices(indices), array.options.at_once),
       script.string(), std::to_string(first)},
      answer,
      0};
  const auto problem = run_to_end(command, kSubmitMax);
  if (!problem) return tl::unexpected(problem.error());
  const auto text = base::read_file(answer, kAnswerBytesMax);
  const std::string line = text ? last_line(*text) : "";
  if (!problem->empty()) {
    return fail(ErrorCode::kUnsupported,
                "sbatch: {}{}{}; expected Slurm on this machine (Debian: slurm-client). The script stays: {}",
                *problem, line.empty() ? "" : ": ", line, script.string());
  }
  return line.substr(0, line.find(';'));  // "job;cluster"
}

}  // namespace

std::string array_script(const SlurmArray& array) {
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out,
                 "#!/bin/bash\n"
                 "# Points of a sweep as a job array, a task each. Written by kanc sweep --slurm. By hand, "
                 "for points 0 to 9, four at a time:\n"
                 "#   sbatch --array=0-9%4 {0}\n"
                 "# Past point {1}: sbatch --array=0-9 {0} {1} runs points {1} and on.\n"
                 "#SBATCH --job-name=kanc-sweep\n"
                 "#SBATCH --time={2}\n"
                 "#SBATCH --mem={3}\n"
                 "#SBATCH --cpus-per-task={4}\n"
                 "#SBATCH --output=\"{5}\"\n",
                 shell_quoted((array.folder / "slurm/array.sh").string()), kArrayTasksMax, array.options.time,
                 array.options.memory, array.options.cpus, (array.folder / "slurm/%A_%a.out").string());
  for (const std::string& directive : array.options.directives)
    fmt::format_to(out, "#SBATCH {}\n", directive);
  text += "exec";
  for (const std::string& word : array.point_command) text += fmt::format(" {}", shell_quoted(word));
  text += " --point \"$((SLURM_ARRAY_TASK_ID + ${1:-0}))\"\n";
  return text;
}

std::string array_indices(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    if (!text.empty()) text += ",";
    text += std::to_string(numbers[i]);
    if (end - i > 1) text += fmt::format("-{}", numbers[end - 1]);
    i = end;
  }
  return text;
}

Result<std::vector<std::string>> submit(const SlurmArray& array, const std::vector<std::uint32_t>& numbers) {
  const fs::path script = array.folder / "slurm/array.sh";
  std::error_code error;
  fs::create_directories(script.parent_path(), error);
  if (error)
    return fail(ErrorCode::kIo, "{}: cannot be made: {}", script.parent_path().string(), error.message());
  for (const std::string& directive : array.options.directives) {
    if (!directive.starts_with("--") || directive.find('\n') != std::string::npos)
      return fail(ErrorCode::kInvalid, "'{}': expected an option of sbatch, such as --partition=short",
                  directive);
  }
  if (auto ok = base::write_file_atomic(script, array_script(array)); !ok) return tl::unexpected(ok.error());
  std::vector<std::string> jobs;
  for (std::size_t begin = 0; begin < numbers.size();) {
    const std::uint32_t first = numbers[begin] / kArrayTasksMax * kArrayTasksMax;
    std::size_t end = begin;
    while (end < numbers.size() && numbers[end] < first + kArrayTasksMax) ++end;
    const std::vector<std::uint32_t> chunk(numbers.begin() + static_cast<std::ptrdiff_t>(begin),
                                           numbers.begin() + static_cast<std::ptrdiff_t>(end));
    auto job = submit_chunk(array, script, first, chunk);
    if (!job) return tl::unexpected(job.error());
    jobs.push_back(std::move(*job));
    begin = end;
  }
  return jobs;
}

}  // namespace kantrig::explore
