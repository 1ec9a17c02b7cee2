// A sweep as a job array of Slurm: one task a point, each the same `kanc sweep --point` as on one machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kantrig::explore {

/// Tasks of one job array: Slurm's MaxArraySize is 1001 unless a site raises it. More points take several
/// arrays.
inline constexpr std::uint32_t kArrayTasksMax = 1'000;

struct SlurmOptions {
  std::uint32_t at_once = 32;  // tasks that may run side by side
  std::string time = "01:00:00";
  std::string memory = "2G";
  std::uint32_t cpus = 1;               // of a task
  std::vector<std::string> directives;  // further #SBATCH options, such as --partition=short
};

struct SlurmArray {
  std::filesystem::path folder;            // of the results, absolute, seen by all nodes
  std::vector<std::string> point_command;  // `kanc sweep --out FOLDER ...`; --point N is added
  SlurmOptions options;
};

/// The script that sbatch takes. Its first argument is added to the task's index: the number of the point.
[[nodiscard]] std::string array_script(const SlurmArray& array);

/// "0-3,7,9-12" for ascending numbers.
[[nodiscard]] std::string array_indices(const std::vector<std::uint32_t>& numbers);

/// Writes slurm/array.sh in the folder and submits it for the points `numbers`, ascending. The job ids.
[[nodiscard]] Result<std::vector<std::string>> submit(const SlurmArray& array,
                                                      const std::vector<std::uint32_t>& numbers);

}  // namespace kantrig::explore
