#include "compiler/verify/library_build.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/digest.hpp"
#include "base/file.hpp"
#include "compiler/verify/tools.hpp"

namespace kantrig::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSourceBytesMax = std::size_t{1} << 20U;  // of a file of the harness
constexpr std::size_t kLibraryBytesMax = std::size_t{512} << 20U;
constexpr std::uint64_t kGroupBytes = 3'000'000;  // Verilator's files are compiled together beyond this
// Kinds of groups: what runs every cycle, and what runs once and is not worth optimising.
constexpr std::string_view kFast = "_";
constexpr std::string_view kSlow = "_slow_";
constexpr std::uint32_t kJobs = 2;
constexpr const char* kSplit = "20000";  // statements a file: larger designs compile on both jobs

const std::vector<std::string> kVerilatorFlags = {
    "--cc",      "-O3",        "--x-assign",        "fast",           "--x-initial", "fast", "-Wno-fatal",
    "-Wno-lint", "-Wno-style", "-Werror-USERFATAL", "--output-split", kSplit};
const std::vector<std::string> kCxxFlags = {"-std=c++20", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique",
                                            "-w"};

struct Tools {
  fs::path verilator;
  fs::path compiler;
  std::string verilator_version;
  std::string compiler_version;
  fs::path verilator_include;
};

/// A folder that goes when the build is over, unless it is to be kept.
class WorkFolder {
 public:
  static Result<WorkFolder> make(const RtlBuildOptions& options, const fs::path& cache) {
    std::error_code error;
    if (!options.keep.empty()) {
      fs::create_directories(options.keep, error);
      if (error || !fs::is_empty(options.keep, error)) {
        return fail(ErrorCode::kInvalid, "{}: expected an empty or new folder to build in",
                    options.keep.string());
      }
      return WorkFolder(fs::absolute(options.keep), false);
    }
    std::string name = (cache / "build-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return fail(ErrorCode::kIo, "{}: cannot make a folder to build in", cache.string());
    return WorkFolder(name, true);
  }
  WorkFolder(WorkFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), temporary_(std::exchange(other.temporary_, false)) {}
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    if (temporary_) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  WorkFolder(fs::path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  fs::path path_;
  bool temporary_;
};

using Files = std::map<std::string, std::string>;

Result<Tools> find_tools(const fs::path& cache) {
  const auto verilator = find_tool("verilator", "verilator");
  if (!verilator) return tl::unexpected(verilator.error());
  const auto compiler = find_tool("g++", "g++");
  if (!compiler) return tl::unexpected(compiler.error());
  const fs::path scratch = cache / fmt::format("version-{}.txt", ::getpid());
  const auto version = output_of({verilator->string(), "--version"}, scratch);
  if (!version) return tl::unexpected(version.error());
  const auto root = output_of({verilator->string(), "--getenv", "VERILATOR_ROOT"}, scratch);
  if (!root) return tl::unexpected(root.error());
  const auto cxx = output_of({compiler->string(), "-dumpfullversion"}, scratch);
  if (!cxx) return tl::unexpected(cxx.error());
  std::error_code ignored;
  fs::remove(scratch, ignored);
  return Tools{*verilator, *compiler, *version, *cxx,
               fs::path(root->substr(0, root->find('\n'))) / "include"};
}

std::string key_of(const LibraryRecipe& recipe, const Tools& tools) {
  std::string text = tools.verilator_version + tools.compiler_version;
  for (const auto* flags : {&kVerilatorFlags, &kCxxFlags}) {
    for (const std::string& flag : *flags) text += flag + '\n';
  }
  text += recipe.level + '\n' + recipe.harness + '\n' + recipe.header + '\n';
  for (const VerilatedTop& top : recipe.tops) {
    text += top.module + '\n';
    for (const auto* words : {&top.sources, &top.words}) {
      for (const std::string& word : *words) text += word + '\n';
    }
  }
  for (const auto& [path, content] : recipe.files) text += path + ' ' + base::sha256(content).hex() + '\n';
  return base::sha256(text).hex();
}

Result<void> write_sources(const Files& files, const fs::path& work) {
  for (const auto& [path, content] : files) {
    std::error_code error;
    fs::create_directories((work / path).parent_path(), error);
    if (error) return fail(ErrorCode::kIo, "{}: {}", (work / path).parent_path().string(), error.message());
    if (auto ok = base::write_file_atomic(work / path, content); !ok) return ok;
  }
  return {};
}

std::string folder_of(const VerilatedTop& top) {
  return "verilated_" + top.module;
}

Result<void> verilate(const LibraryRecipe& recipe, const Tools& tools, const fs::path& work) {
  std::vector<ToolRun> runs;
  for (const VerilatedTop& top : recipe.tops) {
    std::vector<std::string> words = {tools.verilator.string()};
    words.insert(words.end(), kVerilatorFlags.begin(), kVerilatorFlags.end());
    for (const std::string& word :
         {std::string("--top-module"), top.module, std::string("--prefix"), "V" + top.module,
          std::string("--Mdir"), "../" + folder_of(top), std::string("-y"),
          std::string("../harness/primitives"), std::string("+libext+.sv")}) {
      words.push_back(word);
    }
    words.insert(words.end(), top.words.begin(), top.words.end());
    words.insert(words.end(), top.sources.begin(), top.sources.end());
    runs.push_back(
        {.words = std::move(words), .folder = work / "rtl", .log = work / (folder_of(top) + ".log")});
  }
  return run_tools(runs, kJobs);
}

/// Verilator's many small files, together in a few: each costs its headers again.
Result<std::vector<std::string>> group_files(const std::string& name, const fs::path& work) {
  std::map<std::string, std::uint64_t> sizes;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(work / name, error)) {
    if (entry.path().extension() == ".cpp") sizes[entry.path().filename().string()] = entry.file_size(error);
  }
  if (sizes.empty() || error)
    return fail(ErrorCode::kIo, "{}: holds nothing to compile", (work / name).string());
  std::vector<std::string> groups;
  for (const std::string_view kind : {kFast, kSlow}) {
    std::string text;
    std::uint64_t bytes = 0;
    for (auto file = sizes.begin(); file != sizes.end();) {
      const bool slow = file->first.ends_with("__Slow.cpp");
      if (slow == (kind == kSlow)) {
        text += fmt::format("#include \"{}/{}\"\n", name, file->first);
        bytes += file->second;
      }
      const bool last = ++file == sizes.end();
      if (text.empty() || (bytes < kGroupBytes && !last)) continue;
      groups.push_back(fmt::format("{}{}{}.cpp", name, kind, groups.size()));
      if (auto ok = base::write_file_atomic(work / groups.back(), text); !ok)
        return tl::unexpected(ok.error());
      text.clear();
      bytes = 0;
    }
  }
  return groups;
}

/// The compilations of a build, each into an object.
struct Compilation {
  const LibraryRecipe& recipe;
  const Tools& tools;
  const fs::path& work;
  std::vector<ToolRun> runs{};
  std::vector<std::string> objects{};

  void add(const std::string& source, const std::string& object, const std::string& level) {
    std::vector<std::string> words = {tools.compiler.string()};
    words.insert(words.end(), kCxxFlags.begin(), kCxxFlags.end());
    for (const std::string& word : {level, std::string("-I."), std::string("-Iharness"),
                                    fmt::format("-I{}", tools.verilator_include.string()),
                                    fmt::format("-I{}/vltstd", tools.verilator_include.string()),
                                    std::string("-c"), source, std::string("-o"), object}) {
      words.push_back(word);
    }
    for (const VerilatedTop& top : recipe.tops) words.push_back("-I" + folder_of(top));
    runs.push_back({.words = std::move(words), .folder = work, .log = work / (object + ".log")});
    objects.push_back(object);
  }
};

Result<void> compile(const LibraryRecipe& recipe, const Tools& tools, const fs::path& work) {
  Compilation compilation{.recipe = recipe, .tools = tools, .work = work};
  for (const VerilatedTop& top : recipe.tops) {
    const auto groups = group_files(folder_of(top), work);
    if (!groups) return tl::unexpected(groups.error());
    for (const std::string& group : *groups)
      compilation.add(group, group + ".o", group.find(kSlow) == std::string::npos ? recipe.level : "-O0");
  }
  compilation.add(recipe.harness, "harness.o", recipe.level);
  for (const char* const word : {"-include", recipe.header.c_str()})
    compilation.runs.back().words.emplace_back(word);
  for (const std::string name : {"verilated", "verilated_threads"}) {
    compilation.add((tools.verilator_include / (name + ".cpp")).string(), name + ".o", recipe.level);
  }
  if (auto ok = run_tools(compilation.runs, kJobs); !ok) return ok;
  std::vector<std::string> link = {
      tools.compiler.string(), "-shared", "-Wl,-Bsymbolic", "-Wl,-z,defs", "-s", "-o", "library.so"};
  link.insert(link.end(), compilation.objects.begin(), compilation.objects.end());
  return run_tools({{.words = link, .folder = work, .log = work / "link.log"}}, 1);
}

/// The library goes into its place in one step: another kanc may look for it.
Result<void> place(const fs::path& built, const fs::path& target) {
  const auto bytes = base::read_file(built, kLibraryBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  return base::write_file_atomic(target, *bytes);
}

/// Drops the libraries that were not used for the longest time.
void bound_cache(const fs::path& cache) {
  std::vector<std::pair<fs::file_time_type, fs::path>> libraries;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(cache, error)) {
    if (entry.path().extension() == ".so") libraries.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::ranges::sort(libraries, std::greater<>());
  for (std::size_t i = kLibrariesKept; i < libraries.size(); ++i) fs::remove(libraries[i].second, error);
}

}  // namespace

Result<fs::path> default_build_folder() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return fs::path(cache) / "kantrig/rtl";
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".cache/kantrig/rtl";
  return fail(ErrorCode::kInvalid,
              "no folder for built simulations: neither XDG_CACHE_HOME nor HOME is set; name "
              "one with --build-folder");
}

Result<fs::path> simulation_sources() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path beside = program.parent_path().parent_path() / "share/kantrig/sim";
  for (const fs::path& candidate : {beside, fs::path(KANTRIG_DATA_FOLDER) / "sim"}) {
    if (fs::exists(candidate / "harness.cpp", error)) return candidate;
  }
  return fail(ErrorCode::kNotFound, "harness.cpp: neither in {} nor in {}/sim; is kantrig installed whole?",
              beside.string(), KANTRIG_DATA_FOLDER);
}

Result<std::map<std::string, std::string>> harness_files(const std::vector<std::string>& names) {
  const auto folder = simulation_sources();
  if (!folder) return tl::unexpected(folder.error());
  std::vector<std::string> all = names;
  for (const char* const cell : {"CARRY8", "LUT5", "LUT6", "LUT6_2", "MUXF7", "MUXF8"})
    all.push_back(fmt::format("primitives/{}.sv", cell));
  Files files;
  for (const std::string& name : all) {
    auto text = base::read_file(*folder / name, kSourceBytesMax);
    if (!text) return tl::unexpected(text.error());
    files["harness/" + name] = std::move(*text);
  }
  return files;
}

Result<fs::path> build_library(const LibraryRecipe& recipe, const RtlBuildOptions& options) {
  const auto tell = [&](std::string_view what) {
    if (options.progress) options.progress(what);
  };
  fs::path cache = options.cache;
  if (cache.empty()) {
    auto folder = default_build_folder();
    if (!folder) return folder;
    cache = std::move(*folder);
  }
  std::error_code error;
  fs::create_directories(cache, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", cache.string(), error.message());
  cache = fs::absolute(cache);
  const auto tools = find_tools(cache);
  if (!tools) return tl::unexpected(tools.error());
  const fs::path library = cache / (key_of(recipe, *tools) + ".so");
  if (options.keep.empty() && fs::exists(library, error)) {
    fs::last_write_time(library, fs::file_time_type::clock::now(), error);
    return library;
  }
  const auto work = WorkFolder::make(options, cache);
  if (!work) return tl::unexpected(work.error());
  if (auto ok = write_sources(recipe.files, work->path()); !ok) return tl::unexpected(ok.error());
  tell("verilator");
  if (auto ok = verilate(recipe, *tools, work->path()); !ok) return tl::unexpected(ok.error());
  tell("g++");
  if (auto ok = compile(recipe, *tools, work->path()); !ok) return tl::unexpected(ok.error());
  if (auto ok = place(work->path() / "library.so", library); !ok) return tl::unexpected(ok.error());
  bound_cache(cache);
  return library;
}

}  // namespace kantrig::compiler
