#include "synth/yosys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/file.hpp"

namespace kantrig::synth {
namespace {

constexpr std::size_t kNetlistBytesMax = std::size_t{2} << 30U;
constexpr std::size_t kLogBytesMax = std::size_t{256} << 20U;

/// Yosys splits a script at spaces and semicolons, and quoted words know no escape.
bool is_plain_path(const std::string& path) {
  return std::ranges::all_of(path, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  });
}

std::string commands_of(const SynthesisJob& job) {
  std::string script;
  for (const std::string& file : job.files) script += fmt::format("read_verilog -sv {}\n", file);
  if (job.family == Family::kIce40) {
    script += fmt::format("synth_ice40 -top {} -device u -nobram\n", job.top);
  } else {
    script += fmt::format("synth_xilinx -family xcup -top {} -flatten -noiopad -noclkbuf -nobram -nodsp\n",
                          job.top);
  }
  // Not the library's own modules, which would be most of the file.
  return script + fmt::format("json -o {}.json {}\n", job.name, job.top);
}

}  // namespace

std::string_view family_name(Family family) noexcept {
  return family == Family::kIce40 ? "ice40" : "xcup";
}

Result<Family> family_from_name(std::string_view name) {
  if (name == "xcup") return Family::kUltraScalePlus;
  if (name == "ice40") return Family::kIce40;
  return fail(ErrorCode::kInvalid, "device family {}: unknown, expected xcup or ice40", name);
}

Result<Netlist> synthesise(const SynthesisJob& job, const WorkFolder& folder) {
  for (const std::string& file : job.files) {
    if (!is_plain_path(file)) {
      return fail(ErrorCode::kUnsupported,
                  "{}: Yosys reads it only when its name has letters, digits and _ - . alone", file);
    }
  }
  const std::string script = job.name + ".ys";
  if (auto ok = folder.write(script, commands_of(job)); !ok) return tl::unexpected(ok.error());
  if (auto ok = run_tool({.program = "yosys",
                          .package = "yosys",
                          .arguments = {"-s", script},
                          .folder = folder.path(),
                          .log = job.name + ".log"});
      !ok) {
    return tl::unexpected(ok.error().within(job.top));
  }
  const auto json = base::read_file(folder.path() / (job.name + ".json"), kNetlistBytesMax);
  if (!json) return tl::unexpected(json.error());
  return netlist_from_json(*json, job.top);
}

std::string yosys_version(const SynthesisJob& job, const WorkFolder& folder) {
  const auto log = base::read_file(folder.path() / (job.name + ".log"), kLogBytesMax);
  if (!log) return "Yosys";
  const std::size_t begin = log->find("\n Yosys ");
  if (begin == std::string::npos) return "Yosys";
  const std::size_t end = std::min(log->find(')', begin), log->find('\n', begin + 1));
  return log->substr(begin + 2, end == std::string::npos ? end : end + 1 - begin - 2);
}

}  // namespace kantrig::synth
