#include "ledger/run_book.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.hpp"
#include "ledger/run_record.hpp"

namespace kantrig::ledger {
namespace {

constexpr std::size_t kRecordBytesMax = std::size_t{1} << 30U;
constexpr std::string_view kPrefix = "run-";
constexpr std::string_view kSuffix = ".json";

/// The number in run-000042.json; nothing for any other name.
std::optional<std::uint64_t> run_in_name(const std::string& name) {
  std::string_view digits = name;
  if (!digits.starts_with(kPrefix) || !digits.ends_with(kSuffix) ||
      digits.size() < kPrefix.size() + kSuffix.size() + 6) {
    return std::nullopt;
  }
  digits = digits.substr(kPrefix.size(), digits.size() - kPrefix.size() - kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

Result<RunNumber> last_run(const std::filesystem::path& folder) {
  std::error_code error;
  std::uint64_t last = 0;
  for (auto file = std::filesystem::directory_iterator(folder, error);
       !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    last = std::max(last, run_in_name(file->path().filename().string()).value_or(0));
  }
  if (error)
    return fail(ErrorCode::kIo, "{}: cannot list the run records: {}", folder.string(), error.message());
  return RunNumber{last};
}

}  // namespace

struct RunBook::State {
  [[nodiscard]] std::filesystem::path path_of(RunNumber run) const {
    return folder / fmt::format("{}{:06}{}", kPrefix, run.value, kSuffix);
  }
  [[nodiscard]] Result<v1::RunRecord> load(RunNumber run) const;
  /// The record to be changed: of the last run from memory, of an earlier one from its file.
  [[nodiscard]] Result<v1::RunRecord> copy_of(RunNumber run) const;
  /// Writes the changed record, and remembers it when it is the last run's.
  [[nodiscard]] Result<void> adopt(v1::RunRecord changed);

  std::filesystem::path folder;
  std::string daemon_version;
  RunNumber last;        // 0: there was no run yet
  v1::RunRecord record;  // of `last`
};

RunBook::RunBook(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
RunBook::RunBook(RunBook&&) noexcept = default;
RunBook& RunBook::operator=(RunBook&&) noexcept = default;
RunBook::~RunBook() = default;

Result<v1::RunRecord> RunBook::State::load(RunNumber run) const {
  const std::filesystem::path path = path_of(run);
  auto text = base::read_file(path, kRecordBytesMax);
  if (!text) return tl::unexpected(text.error());
  auto parsed = parse_record(*text);
  if (!parsed) return tl::unexpected(parsed.error().within(path.string()));
  if (parsed->run() != run.value) {
    return fail(ErrorCode::kCorrupt, "{}: is the record of run {}, expected {}", path.string(), parsed->run(),
                run.value);
  }
  return parsed;
}

Result<v1::RunRecord> RunBook::State::copy_of(RunNumber run) const {
  if (run == last) return record;
  auto loaded = load(run);
  if (loaded || loaded.error().code != ErrorCode::kNotFound) return loaded;
  v1::RunRecord lost;  // somebody took the file away: what still comes of that run begins it anew
  lost.set_run(run.value);
  lost.set_state("stopped");
  lost.set_daemon_version(daemon_version);
  lost.set_residual_is_zero(true);
  lost.set_clients_agree(true);
  return lost;
}

Result<void> RunBook::State::adopt(v1::RunRecord changed) {
  const RunNumber run{changed.run()};
  auto json = json_of(changed);
  if (!json) return tl::unexpected(json.error().within(fmt::format("run {}", run.value)));
  if (auto written = base::write_file_atomic(path_of(run), *json); !written) {
    return tl::unexpected(written.error().within(fmt::format("record of run {}", run.value)));
  }
  if (run >= last) {
    last = run;
    record = std::move(changed);
  }
  return {};
}

Result<RunBook> RunBook::open(const std::filesystem::path& folder, std::string daemon_version) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail(ErrorCode::kIo, "{}: cannot make the folder of run records: {}", folder.string(),
                error.message());
  const auto last = last_run(folder);
  if (!last) return tl::unexpected(last.error());

  auto state = std::make_unique<State>();
  state->folder = folder;
  state->daemon_version = std::move(daemon_version);
  state->last = *last;
  if (last->value != 0) {
    auto record = state->load(*last);
    if (!record) {
      return tl::unexpected(record.error().within(
          "cannot tell whether the last run is still on; repair the record or move it away"));
    }
    state->record = std::move(*record);
  }
  return RunBook(std::move(state));
}

RunNumber RunBook::current() const noexcept {
  return state_->record.state() == "running" ? state_->last : RunNumber{0};
}

std::filesystem::path RunBook::path_of(RunNumber run) const {
  return state_->path_of(run);
}

Result<RunNumber> RunBook::start(const std::string& comment, std::uint64_t unix_ns) {
  if (current().value != 0) return fail(ErrorCode::kBusy, "run {} is on; stop it first", current().value);
  const RunNumber run{state_->last.value + 1};
  v1::RunRecord record;
  record.set_run(run.value);
  record.set_state("running");
  record.set_start_time_ns(unix_ns);
  record.set_start_comment(comment);
  record.set_daemon_version(state_->daemon_version);
  record.mutable_totals();
  record.set_residual_is_zero(true);
  record.set_clients_agree(true);
  if (auto ok = state_->adopt(std::move(record)); !ok) return tl::unexpected(ok.error());
  return run;
}

Result<RunSummary> RunBook::stop(const std::string& comment, std::uint64_t unix_ns) {
  if (current().value == 0) return fail(ErrorCode::kBusy, "no run is on");
  v1::RunRecord record = state_->record;
  record.set_state("stopped");
  record.set_stop_time_ns(unix_ns);
  record.set_stop_comment(comment);
  if (auto ok = state_->adopt(std::move(record)); !ok) return tl::unexpected(ok.error());
  return summarise(state_->record, path_of(state_->last));
}

Result<void> RunBook::merge(std::span<const CollectedBlock> blocks) {
  std::map<RunNumber, v1::RunRecord> changed;
  for (const CollectedBlock& block : blocks) {
    const RunNumber run = block.counts.key.run;
    if (run.value == 0) continue;
    if (!changed.contains(run)) {
      auto record = state_->copy_of(run);
      if (!record) return tl::unexpected(record.error());
      changed.emplace(run, std::move(*record));
    }
    v1::RunRecord& record = changed.at(run);
    if (record.start_time_ns() == 0) record.set_start_time_ns(block.counts.start_unix_ns);
    enter_block(record, block);
  }
  for (auto& [run, record] : changed) {
    if (auto ok = state_->adopt(std::move(record)); !ok)
      return ok;  // a run that was written stays so: merging again is harmless
  }
  return {};
}

Result<void> RunBook::add_client(const ClientReport& report) {
  if (report.run.value == 0 || report.run != state_->last) {
    return fail(ErrorCode::kNotFound, "source {} lane {} reports on run {}, expected the last one, {}",
                report.source.value, report.lane.value, report.run.value, state_->last.value);
  }
  if (static_cast<std::uint32_t>(state_->record.clients_size()) >= kClientsMax) {
    return fail(ErrorCode::kBusy, "run {} has {} client reports, no more are kept", report.run.value,
                kClientsMax);
  }
  v1::RunRecord record = state_->record;
  enter_client(record, report);
  return state_->adopt(std::move(record));
}

Result<RunSummary> RunBook::summary(RunNumber run) const {
  if (run == state_->last && run.value != 0) return summarise(state_->record, path_of(run));
  auto record = state_->load(run);
  if (!record) return tl::unexpected(record.error());
  return summarise(*record, path_of(run));
}

Result<std::string> RunBook::to_json(RunNumber run) const {
  return base::read_file(path_of(run), kRecordBytesMax);
}

}  // namespace kantrig::ledger
