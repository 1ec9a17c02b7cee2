#include "apps/kantrig/send/sender.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <set>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"

namespace kantrig::apps {
namespace {

constexpr std::uint32_t kPollMs = 10;

/// One lane: a client and what came back on it.
class Lane {
 public:
  Lane(const SendOptions& options, SendProgress& progress) : options_(options), progress_(progress) {}

  Result<void> connect(std::uint32_t lane) {
    client::Options client_options;
    client_options.endpoint = options_.endpoint;
    client_options.source = SourceId{options_.source};
    client_options.lane = LaneId{options_.first_lane + lane};
    client_options.name = "kantrig send";
    client_options.batches_pending_max = options_.pending_max;
    auto client = client::Client::connect(client_options);
    if (!client) return tl::unexpected<Error>(client.error());
    client_.emplace(std::move(*client));
    return {};
  }

  /// Waits for room, then hands the batch to the client. Fails when no answer has come for answer_timeout_ms.
  Result<void> submit(client::Batch batch) {
    if (auto room = wait_for_room(batch.payload.bytes().size()); !room) return room;
    batch.want_classes = batch.want_scores = options_.decisions != nullptr;
    auto submitted =
        client_->submit(std::move(batch), [this](const client::Answer& answer) { take(answer); });
    if (!submitted) return tl::unexpected<Error>(submitted.error());
    return {};
  }

  /// Answers heartbeats and takes answers until `due_ns`.
  void poll_until(std::uint64_t due_ns) {
    for (std::uint64_t now_ns = clock_.now_ns(); now_ns < due_ns && !progress_.stop;
         now_ns = clock_.now_ns()) {
      client_->poll(
          static_cast<std::uint32_t>(std::min<std::uint64_t>((due_ns - now_ns) / 1'000'000, kPollMs)));
    }
  }

  /// Takes the last answers and says Bye.
  Result<void> finish() {
    auto bye = client_->close(options_.answer_timeout_ms);
    if (!bye) return tl::unexpected<Error>(bye.error());
    return {};
  }

  [[nodiscard]] client::Client& client() { return *client_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] RunNumber run() const { return run_; }
  [[nodiscard]] const std::set<std::uint64_t>& generations() const { return generations_; }
  [[nodiscard]] std::uint64_t events_by_cpu() const { return events_by_cpu_; }
  [[nodiscard]] std::uint64_t events_by_fpga() const { return events_by_fpga_; }

 private:
  Result<void> wait_for_room(std::size_t payload_bytes) {
    std::uint64_t answered = client_->statistics().batches_answered;
    std::uint64_t last_answer_ns = clock_.now_ns();
    while (!client_->has_room(payload_bytes)) {
      client_->poll(kPollMs);
      const std::uint64_t now_ns = clock_.now_ns();
      if (client_->statistics().batches_answered !=
          std::exchange(answered, client_->statistics().batches_answered)) {
        last_answer_ns = now_ns;
      } else if (now_ns - last_answer_ns > std::uint64_t{options_.answer_timeout_ms} * 1'000'000) {
        return fail(ErrorCode::kTimeout,
                    "no answer from {} within {} s: is kantrigd running, and is a run on? kantrig status",
                    options_.endpoint, options_.answer_timeout_ms / 1000);
      }
    }
    return {};
  }

  void take(const client::Answer& answer) {
    progress_.events_answered.fetch_add(answer.event_count,
                                        std::memory_order_relaxed);  // for the eye: orders nothing
    if (answer.outcome == client::Outcome::kDecided) {
      progress_.events_accepted.fetch_add(answer.decision.accepted_count, std::memory_order_relaxed);
      run_ = answer.decision.run;
      generations_.insert(answer.decision.generation.value);
      (answer.decision.path == wire::Path::kFpga ? events_by_fpga_ : events_by_cpu_) += answer.event_count;
      if (options_.decisions != nullptr) options_.decisions->add(answer);
    } else if (refusal_.empty()) {
      refusal_ = fmt::format("{}: {}", wire::name_of(answer.decision.reason), answer.decision.detail);
    }
  }

  const SendOptions& options_;
  SendProgress& progress_;
  base::SystemClock clock_;
  std::optional<client::Client> client_;
  std::string refusal_;
  RunNumber run_;
  std::set<std::uint64_t> generations_;
  std::uint64_t events_by_cpu_ = 0;
  std::uint64_t events_by_fpga_ = 0;
};

/// Adds one lane's figures to the totals.
void add(Lane& lane, SendTotals& totals) {
  const client::Statistics& s = lane.client().statistics();
  client::Statistics& t = totals.statistics;
  t.batches_sent += s.batches_sent;
  t.events_sent += s.events_sent;
  t.bytes_sent += s.bytes_sent;
  t.events_accepted += s.events_accepted;
  t.events_rejected += s.events_rejected;
  t.events_malformed += s.events_malformed;
  t.events_refused += s.events_refused;
  t.events_unknown += s.events_unknown;
  t.batches_answered += s.batches_answered;
  t.batches_resent += s.batches_resent;
  t.answers_ignored += s.answers_ignored;
  t.answers_passing += s.answers_passing;
  t.reconnects += s.reconnects;
  t.resend_timeouts += s.resend_timeouts;
  t.books_lost += s.books_lost;
  totals.latency->merge(lane.client().latency());
  if (totals.refusal.empty()) totals.refusal = lane.refusal();
  totals.run = std::max(totals.run, lane.run());
  totals.events_by_cpu += lane.events_by_cpu();
  totals.events_by_fpga += lane.events_by_fpga();
  std::vector<std::uint64_t> all(lane.generations().begin(), lane.generations().end());
  all.insert(all.end(), totals.generations.begin(), totals.generations.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  totals.generations = std::move(all);
}

/// The share of `total` that lane `i` of `n` sends: [first, second).
std::pair<std::uint64_t, std::uint64_t> share(std::uint64_t total, std::uint32_t i, std::uint32_t n) {
  return {total / n * i + std::min<std::uint64_t>(i, total % n),
          total / n * (i + 1) + std::min<std::uint64_t>(i + 1, total % n)};
}

/// Sends events [first, last) of the endless repetition of the rows.
Result<void> send_range(Lane& lane, const EventRows& rows, const SendOptions& options, SendProgress& progress,
                        std::pair<std::uint64_t, std::uint64_t> range) {
  const base::SystemClock clock;
  const std::uint64_t start_ns = clock.now_ns();
  const double lane_rate_hz = options.rate_hz / options.lanes;
  for (std::uint64_t event = range.first; event < range.second && !progress.stop;) {
    if (lane_rate_hz > 0) {
      lane.poll_until(start_ns + static_cast<std::uint64_t>(static_cast<double>(event - range.first) /
                                                            lane_rate_hz * 1e9));
    }
    const auto events_max =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(options.batch_events, range.second - event));
    client::Batch batch = batch_of(rows, event % rows.rows, events_max);
    batch.first_event_id = event;
    event += batch.event_count;
    if (auto ok = lane.submit(std::move(batch)); !ok) return ok;
  }
  return lane.finish();
}

}  // namespace

Result<SendTotals> send_rows(const EventRows& rows, const SendOptions& options, SendProgress& progress) {
  const std::uint64_t total = options.loop         ? std::numeric_limits<std::uint64_t>::max() / 2
                              : options.events > 0 ? options.events
                                                   : rows.rows;
  std::deque<Lane> lanes;  // a lane's callbacks point to it: it must not move
  for (std::uint32_t i = 0; i < options.lanes; ++i) {
    lanes.emplace_back(options, progress);
    if (auto ok = lanes.back().connect(i); !ok) return tl::unexpected<Error>(ok.error());
  }
  const std::uint32_t features = static_cast<std::uint32_t>(lanes.front().client().session().features.size());
  if (features != rows.feature_count) {
    std::string names;
    for (const std::string& name : lanes.front().client().session().features)
      names += (names.empty() ? "" : ", ") + name;
    return fail(ErrorCode::kInvalid,
                "the file has {} columns, expected the {} features of the active model: {}",
                rows.feature_count, features, names);
  }
  const base::SystemClock clock;
  const std::uint64_t start_ns = clock.now_ns();
  std::vector<Result<void>> outcomes(lanes.size());
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < options.lanes; ++i) {
      threads.emplace_back([&, i] {
        outcomes[i] = send_range(lanes[i], rows, options, progress, share(total, i, options.lanes));
        if (!outcomes[i]) progress.stop = true;
      });
    }
  }
  SendTotals totals;
  totals.seconds = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
  for (const auto& outcome : outcomes) {
    if (!outcome) return tl::unexpected<Error>(outcome.error());
  }
  for (Lane& lane : lanes) add(lane, totals);
  return totals;
}

Result<SendTotals> send_text(const SendOptions& options, SendProgress& progress) {
  Lane lane(options, progress);
  if (auto ok = lane.connect(0); !ok) return tl::unexpected<Error>(ok.error());
  TextSource source(static_cast<std::uint32_t>(lane.client().session().features.size()));
  const base::SystemClock clock;
  const std::uint64_t start_ns = clock.now_ns();
  while (!progress.stop) {
    auto batch = source.next(options.batch_events);
    if (!batch) return tl::unexpected<Error>(batch.error());
    if (batch->event_count == 0) break;
    if (auto ok = lane.submit(std::move(*batch)); !ok) return tl::unexpected<Error>(ok.error());
  }
  if (auto ok = lane.finish(); !ok) return tl::unexpected<Error>(ok.error());
  SendTotals totals;
  totals.seconds = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
  add(lane, totals);
  return totals;
}

}  // namespace kantrig::apps
