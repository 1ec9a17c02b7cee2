#include "support/daemon.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "wire/control_channel.hpp"
#include "wire/messages.hpp"

namespace kantrig::test {
namespace {

constexpr int kStartTimeoutMs = 30'000;
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

Daemon::Daemon(std::vector<std::string> settings) : child_(folder_.path() / "kantrigd.log") {
  std::filesystem::create_directories(models());
  std::filesystem::create_directories(state());
  std::filesystem::copy(source_file("firmware/models/jets/jets-1.1.0"), models() / "jets-1.1.0",
                        std::filesystem::copy_options::recursive);
  std::filesystem::copy_file(source_file("config/menu.toml"), menu_file());
  settings_ = {"events.endpoints=" + events_endpoint(), "control.endpoint=" + control_endpoint(),
               "model.repository=" + models().string(), "model.active=jets-1.1.0",
               "menu.file=" + menu_file().string(),     "ledger.state_directory=" + state().string(),
               "telemetry.listen=127.0.0.1:0"};
  settings_.insert(settings_.end(), settings.begin(), settings.end());
}

Result<void> Daemon::spawn() {
  std::vector<std::string> words{program("kantrigd").string()};
  for (const std::string& setting : settings_) {
    words.emplace_back("--set");
    words.push_back(setting);
  }
  return child_.start(std::move(words));
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
    if (child_.wait_for_end(kAskAgainMs)) {
      return fail(ErrorCode::kIo, "kantrigd ended with exit code {} before it was ready:\n{}",
                  child_.exit_code(), child_.log_of_this_life());
    }
  }
  const std::string text = log();
  return fail(ErrorCode::kTimeout, "kantrigd was not ready within {} ms:\n{}", kStartTimeoutMs,
              text.substr(text.size() - std::min(text.size(), kLogTailBytes)));
}

int Daemon::terminate() {
  begin_termination();
  return exit_code();
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
  const std::string text = child_.log_of_this_life();
  constexpr std::string_view kBefore = "metrics=http://";
  const auto at = text.rfind(kBefore);
  if (at == std::string::npos) return {};
  const auto begin = at + kBefore.size();
  return text.substr(begin, text.find('/', begin) - begin);
}

}  // namespace kantrig::test
