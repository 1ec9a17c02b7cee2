// Every kernel set makes the codes that the reference makes, finds the same malformed events, and stays in
// the payload.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "contract/kernels/guarded_bytes.hpp"
#include "contract/kernels/kernel_set_test.hpp"
#include "contract/kernels/random_model.hpp"
#include "kan/evaluator.hpp"
#include "kan/reference.hpp"

namespace kantrig::test {
namespace {

using kan::Evaluator;
using kan::Model;
using kan::Workspace;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A model whose output i is the code of input i: its outputs show what the input stage made.
Model mirror(const std::vector<kan::InputFeature>& inputs) {
  Model model;
  model.inputs = inputs;
  kan::Layer& layer = model.layers.emplace_back();
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    const std::uint32_t codes = 1U << inputs[i].bits;
    layer.input_codes.push_back(codes);
    layer.edges.push_back({.input = i, .table_offset = static_cast<std::uint32_t>(layer.tables.size())});
    for (std::uint32_t c = 0; c < codes; ++c) layer.tables.push_back(static_cast<std::int16_t>(c));
    layer.nodes.push_back(
        {.bias = 0, .shift = 0, .low = 0, .high = 4095, .edge_begin = i, .edge_end = i + 1});
  }
  model.output_scales.assign(inputs.size(), 1.0);
  return model;
}

std::vector<kan::InputFeature> features(std::uint32_t count, std::uint32_t bits, std::uint64_t seed) {
  Random random(seed);
  std::vector<kan::InputFeature> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    all.push_back({.bits = bits,
                   .scale = std::uniform_real_distribution<float>(-9.0F, 20.0F)(random),
                   .offset = std::uniform_real_distribution<float>(-10.0F, 40.0F)(random)});
  }
  return all;
}

struct Expected {
  std::vector<std::uint16_t> codes;
  std::vector<bool> malformed;         // per event
  std::vector<std::uint32_t> clamped;  // per feature
};

Expected expected_floats(const Model& model, std::span<const float> rows) {
  const std::size_t inputs = model.input_count();
  Expected expected{.codes = {},
                    .malformed = std::vector<bool>(rows.size() / inputs),
                    .clamped = std::vector<std::uint32_t>(inputs)};
  for (std::size_t v = 0; v < rows.size(); ++v) {
    const kan::InputFeature& feature = model.inputs[v % inputs];
    const auto code = kan::reference_code(feature, rows[v]);
    expected.codes.push_back(code.value_or(0));
    if (!code) {
      expected.malformed[v / inputs] = true;
      continue;
    }
    volatile float scaled = rows[v] * feature.scale;
    volatile float shifted = scaled + feature.offset;
    const float rounded = std::nearbyint(shifted);
    if (rounded < 0.0F || rounded > static_cast<float>((1 << feature.bits) - 1))
      ++expected.clamped[v % inputs];
  }
  return expected;
}

template <typename Code>
Expected expected_codes(const Model& model, std::span<const Code> rows) {
  const std::size_t inputs = model.input_count();
  Expected expected{.codes = {}, .malformed = std::vector<bool>(rows.size() / inputs), .clamped = {}};
  for (std::size_t v = 0; v < rows.size(); ++v) {
    expected.codes.push_back(rows[v]);
    if (rows[v] > (1U << model.inputs[v % inputs].bits) - 1) expected.malformed[v / inputs] = true;
  }
  return expected;
}

void compare(const Model& model, const Evaluator& evaluator, Workspace& workspace, std::uint32_t counted,
             const Expected& expected) {
  const std::size_t events = expected.malformed.size();
  std::uint32_t malformed = 0;
  ASSERT_EQ(workspace.malformed().size(), (events + 63) / 64);
  evaluator.evaluate(workspace);
  for (std::size_t e = 0; e < workspace.malformed().size() * 64; ++e) {
    const bool bad = (workspace.malformed()[e / 64] >> (e % 64) & 1U) != 0;
    ASSERT_EQ(bad, e < events && expected.malformed[e]) << "event " << e << " of " << events;
    malformed += bad ? 1 : 0;
    if (bad || e >= events) continue;
    for (std::uint32_t f = 0; f < model.input_count(); ++f) {
      ASSERT_EQ(workspace.outputs(f)[e], expected.codes[e * model.input_count() + f])
          << "event " << e << " feature " << f;
    }
  }
  EXPECT_EQ(counted, malformed);
}

void check_floats(const Model& model, const Evaluator& evaluator, std::span<const float> rows) {
  const auto events = static_cast<std::uint32_t>(rows.size() / model.input_count());
  const Expected expected = expected_floats(model, rows);
  GuardedBytes payload(std::as_bytes(rows));
  ASSERT_TRUE(payload.valid());
  Workspace workspace(evaluator, events);
  std::vector<std::uint32_t> clamped(model.input_count(), 1000);
  const std::uint32_t counted = evaluator.load_float32(payload.bytes(), events, workspace, clamped);
  ASSERT_NO_FATAL_FAILURE(compare(model, evaluator, workspace, counted, expected));
  for (std::size_t f = 0; f < clamped.size(); ++f)
    ASSERT_EQ(clamped[f], expected.clamped[f] + 1000) << "feature " << f;
  const std::uint32_t again = evaluator.load_float32(payload.bytes(), events, workspace, {});
  ASSERT_NO_FATAL_FAILURE(compare(model, evaluator, workspace, again, expected));
}

/// Values around every place where rounding or clamping may go wrong, and a few that are not numbers.
std::vector<float> awkward_values(const kan::InputFeature& feature, Random& random, std::size_t count) {
  const float highest = static_cast<float>((1U << feature.bits) - 1);
  const float specials[] = {0.0F,
                            -0.0F,
                            kInfinity,
                            -kInfinity,
                            kNan,
                            -kNan,
                            std::numeric_limits<float>::denorm_min(),
                            -std::numeric_limits<float>::denorm_min(),
                            std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::lowest(),
                            1e-38F,
                            3e9F,
                            -3e9F};
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t kind = draw(random, 0, 19);
    if (kind == 0) {
      values.push_back(specials[draw(random, 0, static_cast<std::int32_t>(std::size(specials)) - 1)]);
      continue;
    }
    // Half of the values aim at a half of a code, and at the floats next to it.
    float t = std::uniform_real_distribution<float>(-3.0F, highest + 3.0F)(random);
    if (kind < 10) t = std::floor(t) + 0.5F;
    float value = feature.scale == 0.0F ? t : (t - feature.offset) / feature.scale;
    if (kind < 4) value = std::nextafter(value, kind < 2 ? kInfinity : -kInfinity);
    values.push_back(value);
  }
  return values;
}

constexpr std::uint32_t kBatches[] = {1, 3, 4, 5, 9, 31, 33, 63, 64, 65, 127, 128, 200};
constexpr std::uint32_t kFeatureCounts[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50};

TEST_F(KernelSetTest, FloatsGiveTheCodesOfTheReferenceNextToAPageThatNobodyMayRead) {
  for (const std::uint32_t count : kFeatureCounts) {
    const Model model = mirror(features(count, 1 + count % 8, count));
    const Evaluator under_test = evaluator(model);
    for (const std::uint32_t events : kBatches) {
      SCOPED_TRACE(std::to_string(events) + " events of " + std::to_string(count) + " features");
      Random random(count * 1000 + events);
      std::vector<float> rows;
      for (std::uint32_t v = 0; v < events * count; ++v) {
        rows.push_back(awkward_values(model.inputs[v % count], random, 1).front());
      }
      ASSERT_NO_FATAL_FAILURE(check_floats(model, under_test, rows));
    }
  }
}

TEST_F(KernelSetTest, FloatsGiveTheCodesOfTheReferenceForCodesOfMixedWidth) {
  std::vector<kan::InputFeature> mixed = features(37, 6, 5);
  for (std::size_t i = 0; i < mixed.size(); ++i)
    mixed[i].bits = static_cast<std::uint32_t>(i < 17 ? 1 + i % 8 : 1 + i % 12);
  const Model model = mirror(mixed);
  const Evaluator under_test = evaluator(model);
  Random random(6);
  std::vector<float> rows;
  for (std::uint32_t v = 0; v < 200 * 37; ++v)
    rows.push_back(awkward_values(mixed[v % 37], random, 1).front());
  ASSERT_NO_FATAL_FAILURE(check_floats(model, under_test, rows));
}

TEST_F(KernelSetTest, HalvesRoundToTheEvenCode) {
  const Model model = mirror({{.bits = 6, .scale = 1.0F, .offset = 0.0F}});
  const Evaluator under_test = evaluator(model);
  std::vector<float> rows;
  for (int code = -1; code < 65; ++code) {
    const float half = static_cast<float>(code) + 0.5F;
    rows.insert(rows.end(), {half, std::nextafter(half, kInfinity), std::nextafter(half, -kInfinity)});
  }
  ASSERT_NO_FATAL_FAILURE(check_floats(model, under_test, rows));
  Workspace workspace(under_test, 64);
  const std::vector<float> known(64, 2.5F);
  ASSERT_EQ(under_test.load_float32(std::as_bytes(std::span(known)), 64, workspace, {}), 0U);
  under_test.evaluate(workspace);
  EXPECT_EQ(workspace.outputs(0)[0], 2);
  EXPECT_EQ(workspace.outputs(0)[63], 2);
}

TEST_F(KernelSetTest, MultiplyAndAddRoundTwice) {
  // 1 + 2^-12 squared is 1 + 2^-11 + 2^-24: rounded after the product the last term is gone, fused it is not.
  const float value = 1.0F + 0x1p-12F;
  const Model model = mirror({{.bits = 6, .scale = value, .offset = -0.5F - 0x1p-11F}});
  const Evaluator under_test = evaluator(model);
  ASSERT_NO_FATAL_FAILURE(check_floats(model, under_test, std::vector<float>(64, value)));
  Workspace workspace(under_test, 64);
  const std::vector<float> rows(64, value);
  ASSERT_EQ(under_test.load_float32(std::as_bytes(std::span(rows)), 64, workspace, {}), 0U);
  under_test.evaluate(workspace);
  EXPECT_EQ(workspace.outputs(0)[17], 0);  // exactly one half, to even; fused it would be above and give 1
}

TEST_F(KernelSetTest, InfinityTimesZeroIsMalformed) {
  const Model model =
      mirror({{.bits = 4, .scale = 0.0F, .offset = 3.0F}, {.bits = 4, .scale = 1.0F, .offset = 0.0F}});
  std::vector<float> rows;
  for (int e = 0; e < 70; ++e)
    rows.insert(rows.end(), {e % 3 == 0 ? kInfinity : 7.0F, e % 5 == 0 ? kInfinity : 7.0F});
  ASSERT_NO_FATAL_FAILURE(check_floats(model, evaluator(model), rows));
}

template <typename Code>
std::vector<Code> random_rows(const Model& model, std::uint32_t events, double wrong_fraction,
                              std::uint64_t seed) {
  Random random(seed);
  std::vector<Code> rows;
  for (std::uint32_t e = 0; e < events; ++e) {
    for (const kan::InputFeature& input : model.inputs) {
      const std::int32_t highest = (1 << input.bits) - 1;
      const bool wrong = std::uniform_real_distribution<double>()(random) < wrong_fraction;
      const std::int32_t code =
          draw(random, wrong ? highest : 0, wrong ? std::numeric_limits<Code>::max() : highest);
      rows.push_back(static_cast<Code>(code));
    }
  }
  return rows;
}

TEST_F(KernelSetTest, CodesOfOneByteAreTakenAsSentAndTooLargeOnesAreMalformed) {
  for (const std::uint32_t count : kFeatureCounts) {
    for (const std::uint32_t bits : {1U, 6U, 8U}) {
      const Model model = mirror(features(count, bits, count));
      const Evaluator under_test = evaluator(model);
      for (const std::uint32_t events : kBatches) {
        SCOPED_TRACE(std::to_string(events) + " events of " + std::to_string(count) + " features");
        const auto rows = random_rows<std::uint8_t>(model, events, 0.01, events);
        GuardedBytes payload(std::as_bytes(std::span(rows)));
        Workspace workspace(under_test, events);
        const std::uint32_t counted = under_test.load_code8(payload.bytes(), events, workspace);
        ASSERT_NO_FATAL_FAILURE(compare(model, under_test, workspace, counted,
                                        expected_codes(model, std::span<const std::uint8_t>(rows))));
      }
    }
  }
}

TEST_F(KernelSetTest, CodesOfTwoBytesAreTakenAsSentAndTooLargeOnesAreMalformed) {
  for (const std::uint32_t count : kFeatureCounts) {
    for (const std::uint32_t bits : {1U, 7U, 8U, 9U, 12U}) {
      const Model model = mirror(features(count, bits, count));
      const Evaluator under_test = evaluator(model);
      for (const std::uint32_t events : kBatches) {
        SCOPED_TRACE(std::to_string(events) + " events of " + std::to_string(count) + " features");
        const auto rows = random_rows<std::uint16_t>(model, events, 0.01, events);
        GuardedBytes payload(std::as_bytes(std::span(rows)));
        Workspace workspace(under_test, events);
        const std::uint32_t counted = under_test.load_code16(payload.bytes(), events, workspace);
        ASSERT_NO_FATAL_FAILURE(compare(model, under_test, workspace, counted,
                                        expected_codes(model, std::span<const std::uint16_t>(rows))));
      }
    }
  }
}

TEST_F(KernelSetTest, APayloadMayStartAtAnyByte) {
  const Model model = mirror(features(16, 6, 3));
  const Evaluator under_test = evaluator(model);
  Workspace workspace(under_test, 100);
  const auto codes = random_rows<std::uint16_t>(model, 100, 0.0, 4);
  std::vector<std::uint8_t> bytes(codes.begin(), codes.end());
  std::vector<float> floats;
  for (std::size_t v = 0; v < codes.size(); ++v) {
    floats.push_back((static_cast<float>(codes[v]) - model.inputs[v % 16].offset) /
                     model.inputs[v % 16].scale);
  }
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const auto moved = [&](std::span<const std::byte> payload) {
      std::vector<std::byte> copy(shift);
      copy.insert(copy.end(), payload.begin(), payload.end());
      return copy;
    };
    const auto as_bytes = moved(std::as_bytes(std::span(bytes)));
    const auto as_words = moved(std::as_bytes(std::span(codes)));
    const auto as_floats = moved(std::as_bytes(std::span(floats)));
    const Expected expected = expected_codes(model, std::span<const std::uint16_t>(codes));
    std::uint32_t counted = under_test.load_code8(std::span(as_bytes).subspan(shift), 100, workspace);
    ASSERT_NO_FATAL_FAILURE(compare(model, under_test, workspace, counted, expected));
    counted = under_test.load_code16(std::span(as_words).subspan(shift), 100, workspace);
    ASSERT_NO_FATAL_FAILURE(compare(model, under_test, workspace, counted, expected));
    counted = under_test.load_float32(std::span(as_floats).subspan(shift), 100, workspace, {});
    ASSERT_NO_FATAL_FAILURE(compare(model, under_test, workspace, counted, expected_floats(model, floats)));
  }
}

TEST_F(KernelSetTest, MalformedEventsNeverReadPastATable) {
  // Every code of every event is wrong. Under AddressSanitizer a code that was kept would read past its
  // table.
  const Model model =
      random_model({.name = "", .input_bits = {3, 5, 9, 1, 12, 8}, .nodes = {5, 3}, .entry_max = 300}, 21);
  const Evaluator under_test = evaluator(model);
  Workspace workspace(under_test, 130);
  const std::vector<std::uint16_t> rows(130 * 6, 65535);
  EXPECT_EQ(under_test.load_code16(std::as_bytes(std::span(rows)), 130, workspace), 130U);
  under_test.evaluate(workspace);
  const auto highest = kan::reference_outputs(model, std::vector<std::uint16_t>{7, 31, 511, 1, 4095, 255});
  EXPECT_EQ(workspace.outputs(0)[129], highest[0]);
}

}  // namespace
}  // namespace kantrig::test
