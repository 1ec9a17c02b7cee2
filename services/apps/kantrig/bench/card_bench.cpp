#include "apps/kantrig/bench/card_bench.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "apps/kantrig/card/card_client.hpp"
#include "base/clock.hpp"
#include "card_link/port.hpp"
#include "kan/bundle.hpp"
#include "kan/record_layout.hpp"

namespace kantrig::apps {
namespace {

constexpr std::uint64_t kLoadId = 1;
constexpr std::uint32_t kLoadMs = 60'000;
constexpr std::uint32_t kMeasureMs = 60'000;
constexpr std::uint64_t kSlotNs = 10'000'000'000;  // past it the card hangs
constexpr std::uint64_t kSpinNs = 50'000;          // looked for before sleeping, as a busy shard does
constexpr std::uint32_t kWarmUpSlots = 50;

double median(std::vector<double>& values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double quantile(std::vector<double>& values, double q) {
  std::ranges::sort(values);
  const auto index = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  return values[index];
}

double us(std::uint64_t from_ns, std::uint64_t to_ns) {
  return static_cast<double>(static_cast<std::int64_t>(to_ns - from_ns)) * 1e-3;
}

struct Stages {
  std::vector<double> total, queue, copy, submit, fabric, complete;
};

/// The golden vectors again and again, up to `events`, with what the card gives for them.
struct Golden {
  std::vector<std::uint16_t> rows;
  std::vector<std::int16_t> outputs;
};

Golden golden_of(const kan::Bundle& bundle, std::uint32_t events) {
  Golden golden;
  const std::size_t inputs = bundle.model.input_count();
  const std::size_t outputs = bundle.model.node_count();
  const kan::GoldenVectors vectors = kan::golden_nodes(bundle.golden, bundle.model, events);
  for (std::uint32_t i = 0; i < events; ++i) {
    const std::size_t vector = i % vectors.count;
    const auto row = std::span(vectors.inputs).subspan(vector * inputs, inputs);
    const auto expected = std::span(vectors.outputs).subspan(vector * outputs, outputs);
    golden.rows.insert(golden.rows.end(), row.begin(), row.end());
    golden.outputs.insert(golden.outputs.end(), expected.begin(), expected.end());
  }
  return golden;
}

/// Joined to a card that is loaded with the bundle's model.
class Joined {
 public:
  static Result<std::unique_ptr<Joined>> join(const CardBenchOptions& options, const kan::Bundle& bundle) {
    const std::uint32_t events_max = std::ranges::max(options.batches);
    card_link::RegionShape shape;
    shape.slots = options.slots;
    // 16 bits a field and the next power of two at most
    shape.input_bytes = card_link::whole_pages(std::uint64_t{events_max} *
                                               std::bit_ceil(bundle.model.input_count() * 2U + 64U));
    shape.output_bytes = card_link::whole_pages(std::uint64_t{events_max} *
                                                std::bit_ceil(bundle.model.node_count() * 2U + 64U));
    auto region = card_link::Region::create(shape);
    if (!region) return tl::unexpected(region.error());
    auto card_bell = card_link::Doorbell::create();
    if (!card_bell) return tl::unexpected(card_bell.error());
    auto own_bell = card_link::Doorbell::create();
    if (!own_bell) return tl::unexpected(own_bell.error());
    auto client = CardClient::join(options.socket, shape, {(*region)->fd(), card_bell->fd(), own_bell->fd()});
    if (!client) return tl::unexpected(client.error());
    auto loaded = client->load(
        {kLoadId, std::filesystem::absolute(options.bundle).native(), bundle.digest, {}}, kLoadMs);
    if (!loaded) return tl::unexpected(loaded.error());
    if (!loaded->error.empty())
      return fail(ErrorCode::kInvalid, "{}: {}", options.socket.native(), loaded->error);
    return std::unique_ptr<Joined>(new Joined(std::move(*client), std::move(*region), std::move(*card_bell),
                                              std::move(*own_bell), std::move(*loaded)));
  }

  card_link::DaemonPort& port() { return port_; }
  const card_link::Loaded& loaded() const { return loaded_; }
  const std::string& device() const { return client_.welcome().device; }
  [[nodiscard]] std::uint64_t now() const { return clock_.now_ns(); }

  void submit(std::uint32_t slot, std::uint32_t events) { port_.submit(slot, kLoadId, events, now()); }

  /// The next slot that comes back: looks for a while, then sleeps.
  Result<card_link::Completion> wait() {
    card_link::Completion completion;
    const std::uint64_t begin = now();
    while (true) {
      const card_link::Take take = port_.take(completion);
      if (take == card_link::Take::kBroken)
        return fail(ErrorCode::kCorrupt, "the card's process broke the protocol");
      if (take == card_link::Take::kSlot) break;
      const std::uint64_t waited = now() - begin;
      if (waited > kSlotNs)
        return fail(ErrorCode::kTimeout, "a slot did not come back in {} s", kSlotNs / 1'000'000'000);
      if (waited < kSpinNs) continue;
      if (port_.prepare_to_sleep()) (void)bell_.wait(100);
      port_.awake();
    }
    if (completion.status == card_link::SlotStatus::kDone) return completion;
    return fail(ErrorCode::kIo, "the card answered a slot with status {} and errno {}",
                static_cast<std::uint32_t>(completion.status), completion.error);
  }

 private:
  Joined(CardClient client, std::shared_ptr<card_link::Region> region, card_link::Doorbell card_bell,
         card_link::Doorbell own_bell, card_link::Loaded loaded)
      : client_(std::move(client)),
        bell_(std::move(own_bell)),
        port_(std::move(region), 0, std::make_shared<const card_link::Doorbell>(std::move(card_bell))),
        loaded_(std::move(loaded)) {}

  CardClient client_;
  card_link::Doorbell bell_;
  card_link::DaemonPort port_;
  card_link::Loaded loaded_;
  base::SystemClock clock_;
};

Result<void> check_answers(Joined& joined, const kan::Bundle& bundle, const Golden& golden,
                           std::uint32_t events, std::uint32_t slot) {
  joined.submit(slot, events);
  if (const auto completion = joined.wait(); !completion) return tl::unexpected(completion.error());
  const std::size_t outputs = bundle.model.node_count();
  std::vector<std::vector<std::int16_t>> columns(outputs, std::vector<std::int16_t>(events));
  std::vector<std::int16_t*> pointers;
  for (auto& column : columns) pointers.push_back(column.data());
  kan::unpack_records(joined.loaded().output, joined.port().output(slot), events, pointers);
  for (std::uint32_t i = 0; i < events; ++i) {
    for (std::size_t k = 0; k < outputs; ++k) {
      const std::int16_t expected = golden.outputs[i * outputs + k];
      if (columns[k][i] == expected) continue;
      return fail(ErrorCode::kCorrupt, "event {} output {}: the card gives {}, expected {}", i, k,
                  columns[k][i], expected);
    }
  }
  return {};
}

Result<Stages> lock_step(Joined& joined, std::uint32_t events, std::uint32_t count) {
  Stages stages;
  for (std::uint32_t i = 0; i < kWarmUpSlots + count; ++i) {
    joined.submit(0, events);
    const auto c = joined.wait();
    const std::uint64_t end = joined.now();
    if (!c) return tl::unexpected(c.error());
    if (i < kWarmUpSlots) continue;
    stages.total.push_back(us(c->submit_ns, end));
    stages.queue.push_back(us(c->submit_ns, c->taken_ns));
    stages.copy.push_back(us(c->taken_ns, c->copied_in_ns) + us(c->finished_ns, c->completed_ns));
    stages.submit.push_back(us(c->copied_in_ns, c->started_ns));
    stages.fabric.push_back(us(c->started_ns, c->finished_ns));
    stages.complete.push_back(us(c->completed_ns, end));
  }
  return stages;
}

/// Keeps every slot in flight for a while.
Result<double> events_per_second(Joined& joined, std::uint32_t slots, std::uint32_t events,
                                 std::uint32_t round_ms) {
  const std::uint64_t begin = joined.now();
  const std::uint64_t end = begin + std::uint64_t{round_ms} * 1'000'000;
  std::uint64_t done = 0;
  for (std::uint32_t slot = 0; slot < slots; ++slot) joined.submit(slot, events);
  while (joined.port().in_flight_count() > 0) {
    const auto completion = joined.wait();
    if (!completion) return tl::unexpected(completion.error());
    done += events;
    if (joined.now() < end) joined.submit(completion->slot, events);
  }
  return static_cast<double>(done) / (static_cast<double>(joined.now() - begin) * 1e-9);
}

Result<CardBenchResult> bench_batch(Joined& joined, const CardBenchOptions& options, std::uint32_t events) {
  CardBenchResult result{.batch = events};
  auto stages = lock_step(joined, events, options.lock_step_count);
  if (!stages) return tl::unexpected(stages.error());
  const auto rate = events_per_second(joined, options.slots, events, options.round_ms);
  if (!rate) return tl::unexpected(rate.error());
  auto other = CardClient::connect_operator(options.socket);
  if (!other) return tl::unexpected(other.error());
  const auto xrt = other->command({.verb = card_link::Verb::kMeasure, .events = events}, kMeasureMs);
  if (!xrt) return tl::unexpected(xrt.error());
  if (!xrt->error.empty()) return fail(ErrorCode::kIo, "measuring XRT alone: {}", xrt->error);
  result.events_per_s = *rate;
  result.p50_us = quantile(stages->total, 0.5);
  result.p99_us = quantile(stages->total, 0.99);
  result.queue_us = median(stages->queue);
  result.copy_us = median(stages->copy);
  result.submit_us = median(stages->submit);
  result.fabric_us = median(stages->fabric);
  result.complete_us = median(stages->complete);
  result.xrt_us = xrt->times.total_us;
  result.overhead_us = result.p50_us - result.xrt_us;
  return result;
}

}  // namespace

Result<CardBench> run_card_bench(const CardBenchOptions& options,
                                 const std::function<void(const CardBenchResult&)>& progress) {
  const auto bundle = kan::load_bundle(options.bundle);
  if (!bundle) return tl::unexpected(bundle.error());
  auto joined = Joined::join(options, *bundle);
  if (!joined) return tl::unexpected(joined.error());
  CardBench bench{.device = (*joined)->device(), .events_checked = 0, .results = {}};
  const Golden golden = golden_of(*bundle, std::ranges::max(options.batches));
  for (std::uint32_t slot = 0; slot < options.slots; ++slot) {
    kan::pack_records((*joined)->loaded().input, golden.rows, std::ranges::max(options.batches),
                      (*joined)->port().input(slot));
    for (const std::uint32_t events : options.batches) {
      if (auto ok = check_answers(**joined, *bundle, golden, events, slot); !ok)
        return tl::unexpected(ok.error());
      bench.events_checked += events;
    }
  }
  if (!options.before_timing.empty() && std::system(options.before_timing.c_str()) != 0)
    return fail(ErrorCode::kInvalid, "'{}' failed", options.before_timing);
  for (const std::uint32_t events : options.batches) {
    auto result = bench_batch(**joined, options, events);
    if (!result) return tl::unexpected(result.error().within(fmt::format("{} events a slot", events)));
    progress(*result);
    bench.results.push_back(*result);
  }
  return bench;
}

}  // namespace kantrig::apps
