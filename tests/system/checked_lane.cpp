#include "system/checked_lane.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace kantrig::test {
namespace {

constexpr std::size_t kFaultsMax = 10;
constexpr std::uint32_t kPollMs = 10;
constexpr std::uint32_t kFarewellMs = 30'000;

void keep(void* /*data*/, void* /*hint*/) {}  // the pool outlives every batch

std::string hex(const DigestBytes& bytes) {
  return base::Digest{bytes}.hex();
}

void add(const client::Statistics& from, client::Statistics& to) {
  to.events_sent += from.events_sent;
  to.events_accepted += from.events_accepted;
  to.events_rejected += from.events_rejected;
  to.events_malformed += from.events_malformed;
  to.events_refused += from.events_refused;
  to.events_unknown += from.events_unknown;
  to.batches_answered += from.batches_answered;
  to.batches_resent += from.batches_resent;
  to.answers_ignored += from.answers_ignored;
  to.answers_passing += from.answers_passing;
  to.reconnects += from.reconnects;
  to.books_lost += from.books_lost;
}

void expect_same_block(const v1::BlockRecord& block, const BlockTally& tally,
                       const ReferenceDecisions& reference) {
  EXPECT_EQ(block.counts().accepted(), tally.accepted);
  EXPECT_EQ(block.counts().rejected(), tally.rejected);
  EXPECT_EQ(block.counts().malformed(), tally.malformed);
  if (tally.generation == 0) return;  // no client was told anything under it
  EXPECT_EQ(block.generation(), tally.generation);
  EXPECT_EQ(block.model_digest(), hex(tally.model));
  EXPECT_EQ(block.menu_digest(), hex(tally.menu));
  const menu::Menu* menu = reference.menu(tally.menu, tally.model);
  ASSERT_TRUE(menu != nullptr && tally.column < menu->columns().size());
  EXPECT_EQ(block.column(), menu->columns()[tally.column]);
}

}  // namespace

void Progress::add_one(std::uint64_t round_trip_ns) {
  const std::lock_guard lock(mutex_);
  ++answered_;
  longest_ns_ = std::max(longest_ns_, round_trip_ns);
  changed_.notify_all();
}

bool Progress::wait_for(std::uint64_t more) {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = answered_ + more;
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return answered_ >= target; });
}

std::uint64_t Progress::answered() {
  const std::lock_guard lock(mutex_);
  return answered_;
}

std::uint64_t Progress::take_longest_ns() {
  const std::lock_guard lock(mutex_);
  return std::exchange(longest_ns_, 0);
}

CheckedLane::CheckedLane(const ReferenceDecisions& reference, Progress& progress, Options options)
    : reference_(reference),
      progress_(progress),
      options_(std::move(options)),
      check_(reference),
      random_(options_.seed) {}

Result<void> CheckedLane::connect() {
  client::Options client_options;
  client_options.endpoint = options_.endpoint;
  client_options.source = SourceId{1};
  client_options.lane = LaneId{options_.lane};
  client_options.name = "system test";
  client_options.batches_pending_max = options_.pending_max;
  auto client = client::Client::connect(client_options);
  if (!client) return tl::unexpected<Error>(client.error());
  client_ = std::make_unique<client::Client>(std::move(*client));
  return {};
}

void CheckedLane::run(const std::atomic<bool>& stop) {
  while (!stop) {
    while (!stop &&
           client_->has_room(EventPool::kEventsMax * reference_.pool().feature_count * sizeof(float)))
      submit_one();
    client_->poll(kPollMs);
  }
  farewell_ = client_->close(kFarewellMs);
}

void CheckedLane::submit_one() {
  constexpr std::array kEncodings{wire::Encoding::kFloat32, wire::Encoding::kCode8, wire::Encoding::kCode16};
  const std::uint64_t dice = random_();
  Cut cut;
  cut.encoding = kEncodings[dice % kEncodings.size()];
  cut.event_count =
      static_cast<std::uint32_t>((dice >> 8) % 8 == 0 ? 1 : 1 + (dice >> 11) % EventPool::kEventsMax);
  cut.first_row = static_cast<std::uint32_t>((dice >> 24) % EventPool::kRows);
  cut.want_lines = (dice >> 40) % 4 == 0;
  cut.want_classes = (dice >> 42) % 2 == 0;
  cut.want_scores = (dice >> 43) % 4 == 0;
  cut.first_event_id = next_event_id_;
  const auto rows = reference_.pool().rows(cut.encoding, cut.first_row, cut.event_count);
  client::Batch batch;
  batch.payload = client::Payload::borrowed(rows, keep, nullptr);
  batch.event_count = cut.event_count;
  batch.feature_count = reference_.pool().feature_count;
  batch.encoding = cut.encoding;
  batch.first_event_id = cut.first_event_id;
  batch.want_lines = cut.want_lines;
  batch.want_classes = cut.want_classes;
  batch.want_scores = cut.want_scores;
  next_event_id_ += cut.event_count;
  answers_.resize(next_event_id_);
  const auto sequence =
      client_->submit(std::move(batch), [this, cut](const client::Answer& answer) { take(cut, answer); });
  if (!sequence) add_fault("submit: " + sequence.error().message);
}

void CheckedLane::take(const Cut& cut, const client::Answer& answer) {
  for (std::uint32_t i = 0; i < cut.event_count; ++i) ++answers_[cut.first_event_id + i];
  const std::string name = fmt::format("lane {} batch {}", options_.lane, answer.sequence.value);
  if (answer.first_event_id != cut.first_event_id || answer.event_count != cut.event_count ||
      (answer.outcome == client::Outcome::kDecided && answer.decision.first_event_id != cut.first_event_id)) {
    add_fault(name + ": the answer is to other events");
  } else if (answer.outcome != client::Outcome::kDecided) {
    add_fault(fmt::format("{}: outcome {} reason {} {}", name, static_cast<int>(answer.outcome),
                          wire::name_of(answer.decision.reason), answer.decision.detail));
  } else if (const auto fault = check_.fault(cut, answer.decision)) {
    add_fault(fmt::format("{} ({} events, {}, generation {}, block {}, duplicate {}): {}", name,
                          cut.event_count, wire::name_of(cut.encoding), answer.decision.generation.value,
                          answer.decision.block.value, answer.decision.duplicate, *fault));
  } else {
    note(answer.decision);
  }
  progress_.add_one(answer.round_trip_ns);
}

void CheckedLane::note(const wire::DecisionView& decision) {
  duplicates_ += decision.duplicate ? 1 : 0;
  events_by_path_.at(static_cast<std::size_t>(decision.path)) += decision.event_count;
  auto [at, is_new] = blocks_.try_emplace({decision.run.value, decision.block.value});
  BlockTally& tally = at->second;
  if (is_new) {
    tally.generation = decision.generation.value;
    tally.model = digest_of(decision.model_digest);
    tally.menu = digest_of(decision.menu_digest);
    tally.column = decision.column;
  } else if (tally.generation != decision.generation.value ||
             tally.model != digest_of(decision.model_digest) ||
             tally.menu != digest_of(decision.menu_digest) || tally.column != decision.column) {
    add_fault(
        fmt::format("lane {} block {}: decided under two conditions", options_.lane, decision.block.value));
  }
  tally.accepted += decision.accepted_count;
  tally.rejected += decision.rejected_count;
  tally.malformed += decision.malformed_count;
}

void CheckedLane::add_fault(std::string fault) {
  if (faults_.size() < kFaultsMax) faults_.push_back(std::move(fault));
}

Result<std::unique_ptr<CheckedLoad>> CheckedLoad::start(const ReferenceDecisions& reference,
                                                        const Options& options) {
  std::unique_ptr<CheckedLoad> load(new CheckedLoad);
  for (std::uint32_t i = 0; i < options.lanes; ++i) {
    load->lanes_.push_back(
        std::make_unique<CheckedLane>(reference, load->progress_,
                                      CheckedLane::Options{.endpoint = options.endpoint,
                                                           .lane = i,
                                                           .seed = options.seed + i,
                                                           .pending_max = options.pending_max}));
    if (auto connected = load->lanes_.back()->connect(); !connected)
      return tl::unexpected<Error>(connected.error());
  }
  for (const auto& lane : load->lanes_) {
    load->threads_.emplace_back([&lane = *lane, &stop = load->stop_] { lane.run(stop); });
  }
  return load;
}

CheckedLoad::~CheckedLoad() {
  finish();
}

void CheckedLoad::finish() {
  stop_ = true;
  threads_.clear();
}

std::map<BlockName, BlockTally> CheckedLoad::blocks() const {
  std::map<BlockName, BlockTally> all;
  for (const auto& lane : lanes_) {
    for (const auto& [name, tally] : lane->blocks()) {
      auto [at, is_new] = all.try_emplace(name, tally);
      if (is_new) continue;
      EXPECT_EQ(at->second.generation, tally.generation) << "two lanes, one block";
      EXPECT_EQ(at->second.model, tally.model);
      at->second.accepted += tally.accepted;
      at->second.rejected += tally.rejected;
      at->second.malformed += tally.malformed;
    }
  }
  return all;
}

client::Statistics CheckedLoad::statistics() const {
  client::Statistics sum;
  for (const auto& lane : lanes_) add(lane->statistics(), sum);
  return sum;
}

std::uint64_t CheckedLoad::duplicates() const {
  std::uint64_t sum = 0;
  for (const auto& lane : lanes_) sum += lane->duplicates();
  return sum;
}

std::array<std::uint64_t, 3> CheckedLoad::events_by_path() const {
  std::array<std::uint64_t, 3> sum{};
  for (const auto& lane : lanes_) {
    for (std::size_t path = 0; path < sum.size(); ++path) sum[path] += lane->events_by_path()[path];
  }
  return sum;
}

void expect_each_event_decided_once(const CheckedLoad& load) {
  for (const auto& lane : load.lanes()) {
    for (const std::string& fault : lane->faults()) ADD_FAILURE() << fault;
    EXPECT_TRUE(lane->farewell()) << lane->farewell().error().message;
    const auto& answers = lane->answers();
    EXPECT_EQ(std::ranges::count(answers, 1), std::ssize(answers)) << "events without exactly one answer";
    const client::Statistics& s = lane->statistics();
    EXPECT_EQ(s.events_sent, answers.size());
    EXPECT_EQ(s.events_accepted + s.events_rejected + s.events_malformed, answers.size());
    EXPECT_EQ(s.books_lost, 0U);
  }
}

void expect_same_blocks(const CheckedLoad& load, const ReferenceDecisions& reference,
                        const std::vector<v1::RunRecord>& records) {
  auto told = load.blocks();
  for (const v1::RunRecord& record : records) {
    EXPECT_TRUE(record.residual_is_zero());
    EXPECT_EQ(record.totals().residual(), 0);
    EXPECT_EQ(record.totals().in_flight(), 0U);
    for (const v1::BlockRecord& block : record.blocks()) {
      SCOPED_TRACE(fmt::format("run {} block {}", record.run(), block.block()));
      expect_same_block(block, told[{record.run(), block.block()}], reference);
      told.erase({record.run(), block.block()});
    }
  }
  for (const auto& [name, tally] : told) {
    ADD_FAILURE() << "run " << name.first << " block " << name.second
                  << " decided events and is in no record";
  }
}

void expect_clients_agree(const CheckedLoad& load, const v1::RunRecord& record) {
  EXPECT_TRUE(record.clients_agree());
  ASSERT_EQ(record.clients_size(), std::ssize(load.lanes()));
  for (const v1::ClientCounts& client : record.clients()) {
    const auto& statistics = load.lanes().at(client.lane())->statistics();
    EXPECT_TRUE(client.agree());
    EXPECT_EQ(client.client().events_accepted(), statistics.events_accepted);
    EXPECT_EQ(client.ledger().accepted(), statistics.events_accepted);
    EXPECT_EQ(client.ledger().rejected(), statistics.events_rejected);
    EXPECT_EQ(client.ledger().malformed(), statistics.events_malformed);
    EXPECT_EQ(client.ledger().received() - client.ledger().duplicate(), statistics.events_sent);
    EXPECT_EQ(client.ledger().residual(), 0);
    EXPECT_EQ(client.client().events_sent(), statistics.events_sent);
  }
}

}  // namespace kantrig::test
