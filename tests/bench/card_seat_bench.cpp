// What a batch costs the shard's thread by way of a seat at a card: begin() until done(), the card's own time
// left out. A 16-8-5 model of 6-bit codes. Answers are checked before timing.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "backend/card/card_model.hpp"
#include "contract/kernels/random_model.hpp"
#include "kan/reference.hpp"
#include "support/test_card.hpp"

namespace {

using namespace kantrig;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kLoad = 1;

std::uint64_t now_ns() {
  return base::SystemClock().now_ns();
}

[[noreturn]] void wrong(const char* what) {
  std::fprintf(stderr, "card seat: %s\n", what);
  std::abort();
}

struct Room {
  explicit Room(std::uint32_t events)
      : data(test::random_model(
            {.name = "", .input_bits = std::vector<std::uint32_t>(16, 6), .nodes = {8, 5}}, 1)),
        codes(test::random_codes(data, events, 2)) {
    kan::GoldenVectors golden{.count = 1, .inputs = std::vector<std::uint16_t>(16), .outputs = {}};
    golden.outputs = kan::reference_outputs(data, golden.inputs);
    model = std::make_unique<backend::CardModel>(kan::Evaluator::create(data, "auto").value(),
                                                 std::vector<backend::CardSeat*>{&seat}, golden);
    const card_link::RegionShape shape{
        .ports = 1, .slots = 2, .input_bytes = 1U << 20U, .output_bytes = 1U << 20U};
    region = card_link::Region::create(shape).value();
    auto bell = std::make_shared<card_link::Doorbell>(card_link::Doorbell::create().value());
    port = std::make_unique<card_link::CardPort>(region, 0, card_link::Doorbell::create().value());
    if (!seat.offer(std::make_unique<card_link::DaemonPort>(region, 0, bell))) wrong("port not taken");
    card.load(kLoad, data, test::dense_input(data), test::dense_output(data));
    if (!model->set_place(0, {kLoad, test::dense_input(data), test::dense_output(data)})) wrong("no place");
    seat.set_route(backend::Route::kCard);
    seat.poll(now_ns());
    card.serve(*region, 0, *port, now_ns());
    seat.poll(now_ns());
    if (seat.state() != backend::SeatState::kUp) wrong("not proven");
    space = model->make_workspace(events, 0);
  }
  [[nodiscard]] backend::Payload payload() const {
    return {wire::Encoding::kCode16, std::as_bytes(std::span(codes)),
            static_cast<std::uint32_t>(codes.size() / 16)};
  }
  /// What a card with no time of its own does with the slot: the results lie there already.
  void complete() {
    card_link::Submission slot;
    while (port->take(slot) == card_link::Take::kSlot)
      port->complete({.slot = slot.slot, .status = card_link::SlotStatus::kDone});
  }

  kan::Model data;
  std::vector<std::uint16_t> codes;
  backend::CardSeat seat{{.canary_ns = 3'600'000'000'000}};
  std::unique_ptr<backend::CardModel> model;
  std::shared_ptr<card_link::Region> region;
  std::unique_ptr<card_link::CardPort> port;
  test::TestCard card;
  std::unique_ptr<backend::Workspace> space;
};

void by_card(benchmark::State& state) {
  const auto events = static_cast<std::uint32_t>(state.range(0));
  Room room(events);
  std::uint64_t count = 0;
  for (auto _ : state) {
    const auto begin = Clock::now();
    room.space->begin(room.payload(), {}, 1);
    room.seat.flush(now_ns());
    const auto away = Clock::now();
    // The first time for every slot the answers are made; then they lie there.
    if (count++ < 2)
      room.card.serve(*room.region, 0, *room.port, now_ns());
    else
      room.complete();
    const auto back = Clock::now();
    room.seat.poll(now_ns());
    if (!room.space->done() || room.space->path() != wire::Path::kFpga) wrong("not decided by the card");
    const auto end = Clock::now();
    state.SetIterationTime(std::chrono::duration<double>((away - begin) + (end - back)).count());
  }
  state.counters["event"] = benchmark::Counter(static_cast<double>(state.iterations()) * events,
                                               benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(by_card)->UseManualTime()->Arg(1)->Arg(16)->Arg(256)->Arg(4'096);

void by_cpu(benchmark::State& state) {
  const auto events = static_cast<std::uint32_t>(state.range(0));
  Room room(events);
  for (auto _ : state) {
    const auto begin = Clock::now();
    room.space->evaluate(room.payload(), {});
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  state.counters["event"] = benchmark::Counter(static_cast<double>(state.iterations()) * events,
                                               benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(by_cpu)->UseManualTime()->Arg(1)->Arg(16)->Arg(256)->Arg(4'096);

}  // namespace
