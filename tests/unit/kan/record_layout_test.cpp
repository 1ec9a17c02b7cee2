#include "kan/record_layout.hpp"

#include <algorithm>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/kernels/random_model.hpp"
#include "kan/evaluator.hpp"

namespace kantrig::test {
namespace {

using kan::RecordField;
using kan::RecordLayout;
using testing::HasSubstr;

bool bit_of(std::span<const std::byte> bytes, std::size_t bit) {
  return (std::to_integer<unsigned>(bytes[bit / 8]) >> bit % 8 & 1U) != 0;
}

/// A layout of `fields` fields with gaps here and there, in the smallest record that holds them or a larger.
RecordLayout random_layout(Random& random, std::uint64_t fields, bool dense) {
  RecordLayout layout;
  std::uint32_t end = 0;
  for (std::uint64_t j = 0; j < fields; ++j) {
    const auto gap = static_cast<std::uint32_t>(dense || random() % 4 != 0 ? 0 : random() % 100);
    const auto width = static_cast<std::uint32_t>(1 + random() % 16);
    layout.fields.push_back({end + gap, width});
    end += gap + width;
  }
  layout.record_bits = end > 512 ? (end + 511) / 512 * 512 : std::max(8U, std::bit_ceil(end));
  if (random() % 4 == 0) layout.record_bits = (layout.record_bits + 511) / 512 * 512;
  return layout;
}

/// What the contract says of every bit, one by one.
std::vector<std::byte> reference_records(const RecordLayout& layout, std::span<const std::uint16_t> rows,
                                         std::uint32_t events) {
  std::vector<std::byte> records(layout.buffer_bytes(events));
  for (std::uint32_t i = 0; i < events; ++i) {
    for (std::size_t j = 0; j < layout.fields.size(); ++j) {
      for (std::uint32_t b = 0; b < layout.fields[j].width; ++b) {
        const std::size_t bit = std::size_t{i} * layout.record_bits + layout.fields[j].offset + b;
        if ((rows[i * layout.fields.size() + j] >> b & 1U) != 0)
          records[bit / 8] |= static_cast<std::byte>(1U << bit % 8);
      }
    }
  }
  return records;
}

std::int16_t reference_score(const RecordLayout& layout, std::span<const std::byte> records,
                             std::uint32_t event, std::size_t k) {
  const RecordField field = layout.fields[k];
  const std::size_t first = std::size_t{event} * layout.record_bits + field.offset;
  std::int32_t score = 0;
  for (std::uint32_t b = 0; b < field.width; ++b) {
    const std::int32_t weight = std::int32_t{1} << b;
    if (bit_of(records, first + b)) score += b + 1 == field.width ? -weight : weight;
  }
  return static_cast<std::int16_t>(score);
}

TEST(RecordLayout, RandomLayoutsArePackedBitForBit) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const RecordLayout layout =
        random_layout(random, 1 + random() % (seed % 10 == 0 ? 200 : 12), seed % 3 == 0);
    ASSERT_TRUE(kan::check(layout)) << kan::check(layout).error().message;
    const auto events = static_cast<std::uint32_t>(random() % 70);
    std::vector<std::uint16_t> rows(events * layout.fields.size());
    std::ranges::generate(rows, [&] { return static_cast<std::uint16_t>(random()); });
    std::vector<std::byte> records(layout.buffer_bytes(events) + 16, std::byte{0x5A});
    kan::pack_records(layout, rows, events, records);
    const auto expected = reference_records(layout, rows, events);
    ASSERT_TRUE(std::ranges::equal(expected, std::span(records).first(expected.size())));
    for (const std::byte behind : std::span(records).subspan(expected.size()))
      ASSERT_EQ(behind, std::byte{0x5A}) << "written past the buffer";
  }
}

TEST(RecordLayout, AnyBitsAreReadAsTwosComplement) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const RecordLayout layout =
        random_layout(random, 1 + random() % (seed % 10 == 0 ? 100 : 8), seed % 3 == 0);
    const auto events = static_cast<std::uint32_t>(random() % 70);
    // No byte more than the records have: what is read past them shows under AddressSanitizer.
    std::vector<std::byte> records(events * layout.record_bytes());
    std::ranges::generate(records, [&] { return static_cast<std::byte>(random()); });
    std::vector<std::vector<std::int16_t>> columns(layout.fields.size(), std::vector<std::int16_t>(events));
    std::vector<std::int16_t*> pointers;
    for (auto& column : columns) pointers.push_back(column.data());
    kan::unpack_records(layout, records, events, pointers);
    for (std::uint32_t i = 0; i < events; ++i) {
      for (std::size_t k = 0; k < layout.fields.size(); ++k)
        ASSERT_EQ(columns[k][i], reference_score(layout, records, i, k)) << i << ' ' << k;
    }
  }
}

TEST(RecordLayout, AnEvaluatorsCodesArePackedAsItsRowsAre) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    ModelShape shape{.name = "", .input_bits = {}, .nodes = {2}};
    RecordLayout layout;
    const std::uint64_t inputs = 1 + random() % (seed % 10 == 0 ? 300 : 20);
    std::uint32_t end = 0;
    for (std::uint64_t j = 0; j < inputs; ++j) {
      shape.input_bits.push_back(static_cast<std::uint32_t>(draw(random, 1, 12)));
      const auto wider = static_cast<std::uint32_t>(draw(random, 0, 3));
      const auto gap = static_cast<std::uint32_t>(random() % 5 == 0 ? random() % 140 : 0);
      layout.fields.push_back({end + gap, shape.input_bits.back() + wider});
      end += gap + shape.input_bits.back() + wider;
    }
    layout.record_bits = end > 512 ? (end + 511) / 512 * 512 : std::max(8U, std::bit_ceil(end));
    if (seed % 7 == 0) layout.record_bits = (layout.record_bits + 511) / 512 * 512;
    const kan::Model model = random_model(shape, seed);
    const auto evaluator = kan::Evaluator::create(model, "auto").value();
    const auto events = static_cast<std::uint32_t>(1 + random() % 200);
    kan::Workspace space(evaluator, 256);
    const auto codes = random_codes(model, events, seed);
    ASSERT_EQ(evaluator.load_code16(std::as_bytes(std::span(codes)), events, space), 0U);
    std::vector<std::byte> records(events * layout.record_bytes());
    evaluator.pack_codes(space, layout, records);
    const auto expected = reference_records(layout, codes, events);
    ASSERT_TRUE(std::ranges::equal(records, std::span(expected).first(records.size())));
  }
}

TEST(RecordLayout, WhatDoesNotFitIsRefusedByWhatWasExpected) {
  const auto refusal = [](RecordLayout layout) {
    const auto ok = kan::check(layout);
    return ok ? std::string() : ok.error().message;
  };
  EXPECT_EQ(refusal({512, {{0, 16}, {496, 16}}}), "");
  EXPECT_EQ(refusal({1'536, {{0, 1}}}), "");
  EXPECT_THAT(refusal({24, {{0, 1}}}), HasSubstr("24 bits, expected a power of two from 8"));
  EXPECT_THAT(refusal({4, {{0, 1}}}), HasSubstr("4 bits"));
  EXPECT_THAT(refusal({0, {{0, 1}}}), HasSubstr("0 bits"));
  EXPECT_THAT(refusal({1U << 31U, {{0, 1}}}), HasSubstr("2147483648 bits"));
  EXPECT_THAT(refusal({64, {}}), HasSubstr("no fields"));
  EXPECT_THAT(refusal({64, {{0, 0}}}), HasSubstr("a field of bits 0 to 0"));
  EXPECT_THAT(refusal({64, {{0, 17}}}), HasSubstr("a field of bits 0 to 17"));
  EXPECT_THAT(refusal({64, {{49, 16}}}), HasSubstr("and below 64"));
  EXPECT_THAT(refusal({8, {{0xFFFF'FFF8, 16}}}), HasSubstr("and below 8"));
  EXPECT_THAT(refusal({64, {{0, 8}, {7, 8}}}), HasSubstr("from 8 on"));
  EXPECT_THAT(refusal({64, {{8, 8}, {0, 8}}}), HasSubstr("from 16 on"));
}

}  // namespace
}  // namespace kantrig::test
