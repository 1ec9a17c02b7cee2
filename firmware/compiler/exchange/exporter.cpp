#include "compiler/exchange/exporter.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/file.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/verify/tools.hpp"

namespace kantrig::exchange {
namespace {

namespace fs = std::filesystem;
constexpr std::uint32_t kSecondsMax = 600;
constexpr std::size_t kPrintedBytesMax = std::size_t{1} << 20U;

/// A folder for the exporter's files, that goes with it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "kanc-import-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }  // empty: it could not be made

 private:
  fs::path path_;
};

Result<fs::path> find_script(const std::string& script) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path beside = program.parent_path().parent_path() / "share/kantrig/exporters";
  for (const fs::path& folder : {beside, fs::path(KANTRIG_DATA_FOLDER) / "exporters"}) {
    if (fs::exists(folder / script, error)) return folder / script;
  }
  return fail(ErrorCode::kNotFound, "{}: neither in {} nor in {}/exporters; is kantrig installed whole?",
              script, beside.string(), KANTRIG_DATA_FOLDER);
}

}  // namespace

Result<ExportedModel> run_exporter(const std::string& script, const std::vector<std::string>& arguments) {
  const auto path = find_script(script);
  if (!path) return tl::unexpected(path.error());
  const ScratchFolder scratch;
  if (scratch.path().empty())
    return fail(ErrorCode::kIo, "no temporary folder for {}: {}", script, std::strerror(errno));
  const fs::path out = scratch.path() / "model.json";
  const fs::path log = scratch.path() / "log";
  // Nothing of the caller's Python surroundings, and nothing written beside the scripts.
  std::vector<std::string> words{"python3", "-B", "-E", "-s", path->string(), "--out", out.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::error_code error;
  const fs::path here = fs::current_path(error);
  if (auto ok =
          compiler::run_tools({{.words = words, .folder = here, .log = log, .seconds_max = kSecondsMax}}, 1);
      !ok)
    return tl::unexpected(ok.error());
  auto checkpoint = base::read_file(out, learned::kCheckpointBytesMax);
  if (!checkpoint) return tl::unexpected(checkpoint.error());
  auto printed = base::read_file(log, kPrintedBytesMax);
  if (!printed) return tl::unexpected(printed.error());
  return ExportedModel{std::move(*checkpoint), std::move(*printed)};
}

}  // namespace kantrig::exchange
