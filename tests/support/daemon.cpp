#include "support/daemon.hpp"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>

#include "wire/control_channel.hpp"
#include "wire/messages.hpp"

namespace kantrig::test {
namespace {

constexpr int kStartTimeoutMs = 30'000;
constexpr int kEndTimeoutMs = 60'000;
constexpr int kAskAgainMs = 5;
constexpr std::size_t kLogTailBytes = 4'000;

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

v1::ControlRequest model_request(v1::ModelAction::Verb verb, const std::string& name) {
  v1::ControlRequest request;
  request.mutable_model()->set_verb(verb);
  request.mutable_model()->set_name(name);
  return request;
}

Result<v1::RunRecord> parse_record(const std::string& json) {
  v1::RunRecord record;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &record);
  if (!parsed.ok()) return fail(ErrorCode::kCorrupt, "run record: {}", std::string(parsed.message()));
  return record;
}

}  // namespace

std::filesystem::path source_file(const std::string& name) {
  return std::filesystem::path(KANTRIG_SOURCE_DIR) / name;
}
std::filesystem::path program(const std::string& name) {
  return std::filesystem::path(KANTRIG_BINARY_DIR) / "bin" / name;
}

Daemon::Daemon(std::vector<std::string> settings) {
  std::filesystem::create_directories(models());
  std::filesystem::create_directories(state());
  std::filesystem::copy(source_file("firmware/models/jets/jets-1.0.0"), models() / "jets-1.0.0",
                        std::filesystem::copy_options::recursive);
  std::filesystem::copy_file(source_file("config/menu.toml"), menu_file());
  settings_ = {"events.endpoints=" + events_endpoint(), "control.endpoint=" + control_endpoint(),
               "model.repository=" + models().string(), "model.active=jets-1.0.0",
               "menu.file=" + menu_file().string(),     "ledger.state_directory=" + state().string(),
               "telemetry.listen=127.0.0.1:0"};
  settings_.insert(settings_.end(), settings.begin(), settings.end());
}

Daemon::~Daemon() {
  kill();
}

Result<void> Daemon::spawn() {
  std::vector<std::string> words{program("kantrigd").string()};
  for (const std::string& setting : settings_) {
    words.emplace_back("--set");
    words.push_back(setting);
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log_file = (folder() / "kantrigd.log").string();
  log_begin_ = log().size();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(ErrorCode::kIo, "fork: {}", std::strerror(errno));
  if (child == 0) {  // only calls that are safe after fork
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int log_fd = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log_fd < 0 || ::dup2(log_fd, STDOUT_FILENO) < 0 || ::dup2(log_fd, STDERR_FILENO) < 0) ::_exit(127);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  pid_ = child;
  pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pid_fd_ < 0) {
    const int error = errno;
    kill();
    return fail(ErrorCode::kIo, "pidfd_open: {}", std::strerror(error));
  }
  return {};
}

Result<void> Daemon::start() {
  if (!context_) {
    auto context = wire::Context::create(1);
    if (!context) return tl::unexpected<Error>(context.error());
    context_.emplace(std::move(*context));
  }
  if (auto spawned = spawn(); !spawned) return spawned;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kStartTimeoutMs);
  while (std::chrono::steady_clock::now() < deadline) {
    if (const auto now = status(); now && now->state() != "starting") return {};
    if (wait_for_end(kAskAgainMs)) {
      const std::string text = log();
      return fail(ErrorCode::kIo, "kantrigd ended with exit code {} before it was ready:\n{}", exit_code_,
                  text.substr(std::min<std::size_t>(log_begin_, text.size())));
    }
  }
  const std::string text = log();
  return fail(ErrorCode::kTimeout, "kantrigd was not ready within {} ms:\n{}", kStartTimeoutMs,
              text.substr(text.size() - std::min(text.size(), kLogTailBytes)));
}

void Daemon::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  collect(status);
}

void Daemon::begin_termination() {
  if (pid_ >= 0) ::kill(pid_, SIGTERM);
}

int Daemon::exit_code() {
  if (pid_ >= 0 && !wait_for_end(kEndTimeoutMs)) kill();
  return exit_code_;
}

int Daemon::terminate() {
  begin_termination();
  return exit_code();
}

bool Daemon::running() {
  return pid_ >= 0 && !wait_for_end(0);
}

bool Daemon::wait_for_end(int timeout_ms) {
  pollfd ended{.fd = pid_fd_, .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, timeout_ms) <= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  collect(status);
  return true;
}

void Daemon::collect(int status) {
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = -1;
  if (pid_fd_ >= 0) ::close(pid_fd_);
  pid_fd_ = -1;
}

Result<v1::ControlReply> Daemon::call(v1::ControlRequest request, std::uint32_t timeout_ms) {
  request.set_protocol_version(wire::kProtocol);
  wire::ControlClient client(*context_, control_endpoint());
  const auto bytes = client.request(request.SerializeAsString(), timeout_ms);
  if (!bytes) return tl::unexpected<Error>(bytes.error());
  v1::ControlReply reply;
  if (!reply.ParseFromString(*bytes)) return fail(ErrorCode::kCorrupt, "the reply is no ControlReply");
  if (!reply.error().empty()) return fail(ErrorCode::kBusy, "{}", reply.error());
  return reply;
}

Result<v1::StatusReply> Daemon::status() {
  v1::ControlRequest request;
  request.mutable_status();
  auto reply = call(request, 2'000);
  if (!reply) return tl::unexpected<Error>(reply.error());
  return reply->status();
}

Result<v1::ControlReply> Daemon::model(v1::ModelAction::Verb verb, const std::string& name) {
  return call(model_request(verb, name));
}

Result<v1::ControlReply> Daemon::load_menu(const std::string& text, const std::string& origin) {
  v1::ControlRequest request;
  request.mutable_menu_load()->set_text(text);
  request.mutable_menu_load()->set_origin(origin);
  return call(request);
}

Result<v1::ControlReply> Daemon::set_column(const std::string& column) {
  v1::ControlRequest request;
  request.mutable_menu_column()->set_column(column);
  return call(request);
}

Result<std::uint64_t> Daemon::start_run() {
  v1::ControlRequest request;
  request.mutable_run_start();
  auto reply = call(request);
  if (!reply) return tl::unexpected<Error>(reply.error());
  return reply->run().run();
}

Result<v1::RunRecord> Daemon::stop_run() {
  v1::ControlRequest request;
  request.mutable_run_stop();
  auto reply = call(request);
  if (!reply) return tl::unexpected<Error>(reply.error());
  return parse_record(reply->run().record_json());
}

Result<v1::RunRecord> Daemon::run_record(std::uint64_t run) const {
  const auto file = state() / "runs" / fmt::format("run-{:06}.json", run);
  if (!std::filesystem::exists(file)) return fail(ErrorCode::kNotFound, "{}: not there", file.string());
  return parse_record(read_text(file));
}

std::string Daemon::telemetry_address() const {
  const std::string text = log();
  constexpr std::string_view kBefore = "metrics=http://";
  const auto at = text.rfind(kBefore);
  if (at == std::string::npos || at < log_begin_) return {};
  const auto begin = at + kBefore.size();
  return text.substr(begin, text.find('/', begin) - begin);
}

std::uint64_t Daemon::resident_bytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    std::uint64_t kib = 0;
    status >> kib;
    return kib * 1024;
  }
  return 0;
}

std::string Daemon::log() const {
  return read_text(folder() / "kantrigd.log");
}

}  // namespace kantrig::test
