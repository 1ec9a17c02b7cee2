#include "kan/kernel_bench.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <span>
#include <string_view>
#include <utility>

#include "kan/evaluator.hpp"
#include "kan/reference.hpp"
#include "kernels/kernels.hpp"

namespace kantrig::kan {
namespace {

constexpr std::uint32_t kBatches[] = {1, 64, 4096};
constexpr std::uint32_t kEvents = 4096;

enum class Encoding : std::uint8_t { kCode16, kCode8, kFloat32 };

std::string_view name_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::kCode8:
      return "code8";
    case Encoding::kFloat32:
      return "float32";
    default:
      return "code16";
  }
}

/// The random events, in every encoding that the model takes, and what the reference makes of them.
struct Events {
  std::size_t inputs = 0;
  std::vector<std::uint16_t> codes;
  std::vector<std::uint8_t> bytes;  // empty when a code needs more
  std::vector<float> floats;        // empty for a model of codes only; gives `codes`
  std::vector<std::int16_t> outputs;
  std::vector<std::uint8_t> classes;

  [[nodiscard]] std::span<const std::byte> rows(Encoding encoding, std::uint32_t first,
                                                std::uint32_t count) const {
    const auto cut = [&](const auto& values) {
      return std::as_bytes(std::span(values).subspan(first * inputs, count * inputs));
    };
    if (encoding == Encoding::kCode8) return cut(bytes);
    if (encoding == Encoding::kFloat32) return cut(floats);
    return cut(codes);
  }
};

float value_of(const InputFeature& input, std::uint32_t code) {
  if (input.scale == 0.0F) return 0.0F;
  return (static_cast<float>(code) - input.offset) / input.scale;
}

Events random_events(const Model& model, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Events events;
  events.inputs = model.inputs.size();
  const bool byte_codes =
      std::ranges::all_of(model.inputs, [](const InputFeature& input) { return input.bits <= 8; });
  for (std::uint32_t e = 0; e < kEvents; ++e) {
    for (const InputFeature& input : model.inputs) {
      std::uint32_t code = static_cast<std::uint32_t>(random() >> 32) & ((1U << input.bits) - 1);
      if (!model.codes_only) {
        const float value = value_of(input, code);
        events.floats.push_back(value);
        code = reference_code(input, value).value_or(0);
      }
      events.codes.push_back(static_cast<std::uint16_t>(code));
      if (byte_codes) events.bytes.push_back(static_cast<std::uint8_t>(code));
    }
  }
  for (std::uint32_t e = 0; e < kEvents; ++e) {
    const auto outputs =
        reference_outputs(model, std::span(events.codes).subspan(e * events.inputs, events.inputs));
    events.outputs.insert(events.outputs.end(), outputs.begin(), outputs.end());
    events.classes.push_back(reference_class(model, outputs));
  }
  return events;
}

void load(const Evaluator& evaluator, Workspace& workspace, const Events& events, Encoding encoding,
          std::uint32_t first, std::uint32_t count) {
  const auto rows = events.rows(encoding, first, count);
  if (encoding == Encoding::kFloat32) {
    evaluator.load_float32(rows, count, workspace, {});
  } else if (encoding == Encoding::kCode8) {
    evaluator.load_code8(rows, count, workspace);
  } else {
    evaluator.load_code16(rows, count, workspace);
  }
}

/// Runs all events in batches of `batch` and compares them with the reference.
Result<void> check_equal(const Evaluator& evaluator, Workspace& workspace, const Events& events,
                         Encoding encoding, std::uint32_t batch) {
  const std::size_t outputs = evaluator.model().output_count();
  for (std::uint32_t first = 0; first < kEvents; first += batch) {
    load(evaluator, workspace, events, encoding, first, batch);
    evaluator.evaluate(workspace);
    for (std::uint32_t e = 0; e < batch; ++e) {
      bool same = workspace.classes()[e] == events.classes[first + e];
      for (std::uint32_t k = 0; k < outputs; ++k)
        same &= workspace.outputs(k)[e] == events.outputs[(first + e) * outputs + k];
      if (!same) {
        return fail(ErrorCode::kCorrupt,
                    "kernel set {}: event {} as {} in batches of {} differs from the reference",
                    evaluator.kernel_set(), first + e, name_of(encoding), batch);
      }
    }
  }
  return {};
}

/// One kernel set with the batches that it is timed on.
struct Contender {
  Evaluator evaluator;
  std::vector<Workspace> workspaces;  // a power of two of them, so that not one event is timed over and over
  std::vector<double> samples_ns{};
};

Result<std::vector<Contender>> contenders(const Model& model, const Events& events, std::uint32_t batch) {
  std::vector<Contender> all;
  for (const kernels::KernelSet& set : kernels::sets()) {
    if (!set.supported()) continue;
    auto evaluator = Evaluator::create(model, set.name);
    if (!evaluator) return tl::unexpected(evaluator.error());
    Contender& contender = all.emplace_back(Contender{.evaluator = std::move(*evaluator), .workspaces = {}});
    const std::uint32_t count = std::max<std::uint32_t>(1, 64 / batch);
    for (std::uint32_t i = 0; i < count; ++i) {
      Workspace& workspace = contender.workspaces.emplace_back(contender.evaluator, batch);
      load(contender.evaluator, workspace, events, Encoding::kCode16, i * batch, batch);
    }
  }
  return all;
}

/// How a figure is sampled: reading the clock once in `calls` calls costs nothing beside them.
struct Sampling {
  std::uint32_t calls = 0;
  std::uint32_t repeats = 0;
  std::uint64_t sample_ns = 0;
};

Sampling sampling_of(std::uint32_t batch, const KernelBenchOptions& options) {
  return {.calls = std::max(1U, 1024 / batch),
          .repeats = std::clamp(options.repeats, 1U, 1000U),
          .sample_ns = options.sample_ns};
}

/// Nanoseconds a call, over at least sample_ns.
double sample(const base::Clock& clock, const Sampling& sampling,
              const std::function<void(std::uint32_t)>& run) {
  std::uint64_t calls = 0;
  const std::uint64_t begin = clock.now_ns();
  std::uint64_t end = begin;
  do {
    run(sampling.calls);
    calls += sampling.calls;
    end = clock.now_ns();
  } while (end - begin < sampling.sample_ns);
  return static_cast<double>(end - begin) / static_cast<double>(calls);
}

double median(std::vector<double>& samples) {
  const auto middle = samples.begin() + std::ssize(samples) / 2;
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

/// Times `run(contender, calls)` for all, taking turns, so that noise hits all alike.
template <typename Run>
void take_turns(std::vector<Contender>& all, const base::Clock& clock, const Sampling& sampling,
                const Run& run) {
  for (Contender& contender : all) contender.samples_ns.clear();
  for (std::uint32_t r = 0; r < sampling.repeats; ++r) {
    for (Contender& contender : all) {
      const auto calls = [&](std::uint32_t count) { run(contender, count); };
      calls(sampling.calls);  // its code and tables are warm again
      contender.samples_ns.push_back(sample(clock, sampling, calls));
    }
  }
}

void evaluate_in_turn(const Contender& contender, std::vector<Workspace>& workspaces, std::uint32_t calls) {
  std::size_t next = 0;
  for (std::uint32_t c = 0; c < calls; ++c) {
    Workspace& workspace = workspaces[next];
    contender.evaluator.evaluate(workspace);
    next = (next + 1 + workspace.classes()[0]) &
           (workspaces.size() - 1);  // which event comes next waits for the class
  }
}

Result<void> bench_batch(const Model& model, const Events& events, const base::Clock& clock,
                         const KernelBenchOptions& options, std::uint32_t batch, KernelBench& bench) {
  auto all = contenders(model, events, batch);
  if (!all) return tl::unexpected(all.error());
  std::vector<Encoding> encodings;
  if (!events.floats.empty()) encodings.push_back(Encoding::kFloat32);
  if (!events.bytes.empty()) encodings.push_back(Encoding::kCode8);
  for (Contender& contender : *all) {
    Workspace workspace(contender.evaluator, batch);
    std::vector<Encoding> checked = encodings;
    checked.push_back(Encoding::kCode16);
    for (const Encoding encoding : checked) {
      if (auto ok = check_equal(contender.evaluator, workspace, events, encoding, batch); !ok) return ok;
    }
  }
  const Sampling sampling = sampling_of(batch, options);
  take_turns(*all, clock, sampling, [](Contender& contender, std::uint32_t calls) {
    evaluate_in_turn(contender, contender.workspaces, calls);
  });
  for (Contender& contender : *all) {
    const double ns = median(contender.samples_ns) / batch;
    bench.results.push_back({std::string(contender.evaluator.kernel_set()), batch, ns, 1e9 / ns});
  }
  for (const Encoding encoding : encodings) {
    take_turns(*all, clock, sampling, [&](Contender& contender, std::uint32_t calls) {
      for (std::uint32_t c = 0; c < calls; ++c) {
        load(contender.evaluator, contender.workspaces[0], events, encoding, c * batch % kEvents, batch);
      }
    });
    for (Contender& contender : *all) {
      const double ns = median(contender.samples_ns) / batch;
      bench.loads.push_back({std::string(contender.evaluator.kernel_set()), std::string(name_of(encoding)),
                             batch, ns, 1e9 / ns});
    }
  }
  return {};
}

}  // namespace

Result<KernelBench> bench_kernels(const Model& model, const base::Clock& clock, KernelBenchOptions options) {
  if (auto ok = check(model); !ok) return tl::unexpected(ok.error());
  const Events events = random_events(model, options.seed);
  KernelBench bench{.events_checked = kEvents, .results = {}, .loads = {}};
  for (const std::uint32_t batch : kBatches) {
    if (auto ok = bench_batch(model, events, clock, options, batch, bench); !ok)
      return tl::unexpected(ok.error());
  }
  return bench;
}

}  // namespace kantrig::kan
