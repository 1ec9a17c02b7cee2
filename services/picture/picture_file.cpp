#include "picture/picture_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <vector>

#include "base/file.hpp"

namespace kantrig::picture {
namespace {

constexpr std::size_t kPngBytesMax = std::size_t{256} << 20U;
constexpr int kDrawMsMax = 120'000;
constexpr std::string_view kZoom = "2";  // pixels of a .png for each of the picture

/// A folder of our own below the temporary one, removed with this object.
class WorkFolder {
 public:
  WorkFolder() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "kantrig-picture-XXXXXX").string();
    if (!error && ::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;  // what is left of it is in the way of nobody
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;  // empty: could not be made
};

/// Runs the program with its messages in `log`; no shell sees the words.
Result<pid_t> start(std::vector<std::string> words, const std::filesystem::path& log) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, argv.front(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code == ENOENT) {
    return fail(ErrorCode::kNotFound,
                "rsvg-convert, which draws .png files, is not installed: it is in the Debian package "
                "librsvg2-bin (deploy/install-deps.sh --picture); or name the picture .svg");
  }
  if (code != 0) return fail(ErrorCode::kIo, "rsvg-convert: cannot be started: {}", std::strerror(code));
  return pid;
}

/// The status of the child once it has ended, by itself or by us when its time is over.
Result<int> wait_for_end(pid_t pid) {
  bool in_time = true;
  const auto process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process >= 0) {
    pollfd poll{.fd = process, .events = POLLIN, .revents = 0};
    int ready = 0;
    do {
      ready = ::poll(&poll, 1, kDrawMsMax);
    } while (ready < 0 && errno == EINTR);
    ::close(process);
    in_time = ready != 0;
    if (!in_time) ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      return fail(ErrorCode::kIo, "rsvg-convert: cannot be waited for: {}", std::strerror(errno));
  }
  if (!in_time)
    return fail(ErrorCode::kTimeout, "rsvg-convert: not done after {} s; ended", kDrawMsMax / 1'000);
  return status;
}

Result<std::string> png_of(const std::string& svg) {
  const WorkFolder folder;
  if (folder.path().empty())
    return fail(ErrorCode::kIo, "no folder for temporary files: set TMPDIR to one that can be written");
  const std::filesystem::path source = folder.path() / "picture.svg";
  const std::filesystem::path drawn = folder.path() / "picture.png";
  const std::filesystem::path log = folder.path() / "log";
  if (auto ok = base::write_file_atomic(source, svg); !ok) return tl::unexpected(ok.error());
  const auto pid = start({"rsvg-convert", "--format", "png", "--zoom", std::string(kZoom), "--output",
                          drawn.string(), source.string()},
                         log);
  if (!pid) return tl::unexpected(pid.error());
  const auto status = wait_for_end(*pid);
  if (!status) return tl::unexpected(status.error());
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return base::read_file(drawn, kPngBytesMax);
  std::string words = base::read_file(log, std::size_t{1} << 20U).value_or("");
  std::replace(words.begin(), words.end(), '\n', ' ');
  return fail(ErrorCode::kIo, "rsvg-convert failed: {}",
              words.empty() ? std::string("it printed nothing") : words.substr(0, 400));
}

}  // namespace

Result<void> write_picture(const std::filesystem::path& path, const std::string& svg) {
  const std::string ending = path.extension().string();
  if (ending == ".svg") return base::write_file_atomic(path, svg);
  if (ending != ".png")
    return fail(ErrorCode::kInvalid, "{}: a picture's name ends in .svg or .png", path.string());
  const auto png = png_of(svg);
  if (!png) return tl::unexpected(png.error().within(path.string()));
  return base::write_file_atomic(path, *png);
}

}  // namespace kantrig::picture
