// What the card's path costs the shard's thread: codes into records and scores out of them, ns an event.
// Answers are checked before timing.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "contract/kernels/random_model.hpp"
#include "kan/evaluator.hpp"
#include "kan/record_layout.hpp"

namespace {

using kantrig::kan::RecordLayout;
constexpr std::uint32_t kEvents = 1'024;

RecordLayout dense(std::uint32_t fields, std::uint32_t width) {
  RecordLayout layout;
  for (std::uint32_t j = 0; j < fields; ++j) layout.fields.push_back({j * width, width});
  const std::uint32_t bits = fields * width;
  layout.record_bits = bits > 512 ? (bits + 511) / 512 * 512 : std::max(8U, std::bit_ceil(bits));
  return layout;
}

[[noreturn]] void wrong(const char* what) {
  std::fprintf(stderr, "%s: records differ\n", what);
  std::abort();
}

/// `fields` features of `width` bits, as the evaluator holds them.
struct Codes {
  Codes(std::uint32_t fields, std::uint32_t width)
      : model(kantrig::test::random_model(
            {.name = "", .input_bits = std::vector<std::uint32_t>(fields, width), .nodes = {5}}, 1)),
        evaluator(kantrig::kan::Evaluator::create(model, "auto").value()),
        space(evaluator, kEvents),
        layout(dense(fields, width)),
        rows(kantrig::test::random_codes(model, kEvents, 2)),
        records(layout.buffer_bytes(kEvents)) {
    evaluator.load_code16(std::as_bytes(std::span(rows)), kEvents, space);
  }
  kantrig::kan::Model model;
  kantrig::kan::Evaluator evaluator;
  kantrig::kan::Workspace space;
  RecordLayout layout;
  std::vector<std::uint16_t> rows;
  std::vector<std::byte> records;
};

void ns_an_event(benchmark::State& state) {
  state.counters["event"] = benchmark::Counter(static_cast<double>(state.iterations()) * kEvents,
                                               benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void pack_codes(benchmark::State& state) {
  Codes codes(static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  std::vector<std::byte> expected(codes.records.size());
  kantrig::kan::pack_records(codes.layout, codes.rows, kEvents, expected);
  codes.evaluator.pack_codes(codes.space, codes.layout, codes.records);
  if (codes.records != expected) wrong("pack_codes");
  for (auto _ : state) {
    codes.evaluator.pack_codes(codes.space, codes.layout, codes.records);
    benchmark::DoNotOptimize(codes.records.data());
    benchmark::ClobberMemory();
  }
  ns_an_event(state);
}
BENCHMARK(pack_codes)->Args({16, 6})->Args({16, 8})->Args({10, 12})->Args({784, 1})->Args({1'024, 7});

void pack_rows(benchmark::State& state) {
  Codes codes(static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  for (auto _ : state) {
    kantrig::kan::pack_records(codes.layout, codes.rows, kEvents, codes.records);
    benchmark::DoNotOptimize(codes.records.data());
    benchmark::ClobberMemory();
  }
  ns_an_event(state);
}
BENCHMARK(pack_rows)->Args({16, 6})->Args({784, 1})->Args({1'024, 7});

void evaluate(benchmark::State& state) {
  Codes codes(static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  for (auto _ : state) {
    codes.evaluator.evaluate(codes.space);
    benchmark::ClobberMemory();
  }
  ns_an_event(state);
}
BENCHMARK(evaluate)->Args({16, 6})->Args({784, 1});

void unpack(benchmark::State& state) {
  const auto fields = static_cast<std::uint32_t>(state.range(0));
  const RecordLayout layout = dense(fields, static_cast<std::uint32_t>(state.range(1)));
  kantrig::test::Random random(3);
  std::vector<std::byte> records(layout.buffer_bytes(kEvents));
  std::ranges::generate(records, [&] { return static_cast<std::byte>(random()); });
  std::vector<std::vector<std::int16_t>> columns(fields, std::vector<std::int16_t>(kEvents));
  std::vector<std::int16_t*> pointers;
  for (auto& column : columns) pointers.push_back(column.data());
  for (auto _ : state) {
    kantrig::kan::unpack_records(layout, records, kEvents, pointers);
    benchmark::ClobberMemory();
  }
  std::vector<std::uint16_t> rows;
  for (std::uint32_t i = 0; i < kEvents; ++i) {
    for (const auto& column : columns) rows.push_back(static_cast<std::uint16_t>(column[i]));
  }
  std::vector<std::byte> again(records.size());
  kantrig::kan::pack_records(layout, rows, kEvents, again);
  for (std::uint32_t i = 0; i < kEvents; ++i) {
    // All but the padding, whose bits were random.
    const std::size_t begin = i * layout.record_bytes();
    const std::size_t whole = fields * layout.fields[0].width / 8;
    if (!std::equal(&records[begin], &records[begin] + whole, &again[begin])) wrong("unpack");
  }
  ns_an_event(state);
}
BENCHMARK(unpack)->Args({5, 8})->Args({5, 12})->Args({3, 10})->Args({256, 16});

}  // namespace
