#include "base/npy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace kantrig::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes.append(raw, sizeof(T));
  }
  return bytes;
}

/// A file as NumPy writes it: the header is padded so that the values start at a multiple of 64 bytes.
std::string npy(const std::string& type, const std::string& shape, const std::string& data,
                const std::string& order = "False", int version = 1) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  const std::size_t prefix = version == 1 ? 10 : 12;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (std::size_t i = 0; i < prefix - 8; ++i) file += static_cast<char>((header.size() >> (8 * i)) & 0xFFU);
  return file + header + data;
}

TEST(Npy, ReadsRowsOfFloat32) {
  const auto table = parse_npy(npy("<f4", "(2, 3)", bytes_of<float>({1, 2, 3, 4, 5, 6.5F})), "x.npy");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->rows, 2U);
  EXPECT_EQ(table->columns, 3U);
  EXPECT_THAT(table->row(1), ElementsAre(4, 5, 6.5F));
}

TEST(Npy, ReadsEveryOtherTypeAsFloat32) {
  const auto values = [](const std::string& type, const std::string& data) {
    const auto table = parse_npy(npy(type, "(2,)", data), "x.npy");
    EXPECT_TRUE(table) << table.error().message;
    return table->values;
  };
  EXPECT_THAT(values("<f8", bytes_of<double>({0.1, -1e300})), ElementsAre(0.1F, -INFINITY));
  EXPECT_THAT(values("|i1", bytes_of<std::int8_t>({-128, 127})), ElementsAre(-128, 127));
  EXPECT_THAT(values("|u1", bytes_of<std::uint8_t>({0, 255})), ElementsAre(0, 255));
  EXPECT_THAT(values("<i2", bytes_of<std::int16_t>({-32768, 2})), ElementsAre(-32768, 2));
  EXPECT_THAT(values("<u2", bytes_of<std::uint16_t>({65535, 2})), ElementsAre(65535, 2));
  EXPECT_THAT(values("<i4", bytes_of<std::int32_t>({-7, 8})), ElementsAre(-7, 8));
  EXPECT_THAT(values("<i8", bytes_of<std::int64_t>({-7, 8})), ElementsAre(-7, 8));
}

TEST(Npy, ReadsVersion2WhoseHeaderLengthHasFourBytes) {
  const auto table = parse_npy(npy("<f4", "(1, 1)", bytes_of<float>({3}), "False", 2), "x.npy");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(table->values, ElementsAre(3));
}

TEST(Npy, ReadsIntegersAsLabelsAndRefusesFloats) {
  const auto labels = parse_npy_integers(npy("|u1", "(3,)", bytes_of<std::uint8_t>({4, 0, 255})), "y.npy");
  ASSERT_TRUE(labels) << labels.error().message;
  EXPECT_THAT(*labels, ElementsAre(4, 0, 255));
  const auto floats = parse_npy_integers(npy("<f4", "(1,)", bytes_of<float>({1})), "y.npy");
  ASSERT_FALSE(floats);
  EXPECT_EQ(floats.error().message, "y.npy: holds type 'f4', expected integers");
}

TEST(Npy, SaysWhatWasExpectedAndWhatWasFound) {
  const std::string one = bytes_of<float>({1});
  const auto message = [](const std::string& file) {
    const auto table = parse_npy(file, "x.npy");
    return table ? "no error" : table.error().message;
  };
  EXPECT_THAT(message("PK\3\4 not numpy"), HasSubstr("x.npy: is not a NumPy file"));
  EXPECT_THAT(message(npy(">f4", "(1,)", one)), HasSubstr("holds type '>f4', expected one of <f4"));
  EXPECT_THAT(message(npy("<c8", "(1,)", one)), HasSubstr("holds type '<c8'"));
  EXPECT_THAT(message(npy("<f4", "(1, 1, 1)", one)), HasSubstr("has 3 dimensions, expected 1 or 2"));
  EXPECT_THAT(message(npy("<f4", "(1, 1)", one, "True")), HasSubstr("Fortran order"));
  EXPECT_THAT(message(npy("<f4", "(2, 1)", one)),
              HasSubstr("has 4 bytes of values, expected 2 x 1 of 4 bytes"));
  EXPECT_THAT(message(npy("<f4", "(1, 0)", one)), HasSubstr("has 0 columns"));
  EXPECT_THAT(message(npy("<f4", "(1, 1)", one, "False", 3)),
              HasSubstr("is NumPy format 3, expected 1 or 2"));
  EXPECT_THAT(message(npy("<f4", "(18446744073709551615, 2)", one)), HasSubstr("expected at most"));
  EXPECT_THAT(message(npy("<f4", "(4294967296, 4294967296)", one)), HasSubstr("expected 1 to 65536"));
  EXPECT_THAT(message(npy("<f4", "(1", one)), HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy("<f4", "(1,), 'shape': (1,)", one)), HasSubstr("header cannot be read"));
}

TEST(Npy, EveryTruncationIsRefused) {
  const std::string file = npy("<f4", "(1, 2)", bytes_of<float>({1, 2}));
  for (std::size_t length = 0; length < file.size(); ++length) {
    EXPECT_FALSE(parse_npy(file.substr(0, length), "x.npy")) << length;
  }
}

TEST(Npy, NamesTheFileThatIsMissing) {
  const auto table = read_npy("/nonexistent/x.npy");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(table.error().message, HasSubstr("/nonexistent/x.npy"));
}

}  // namespace
}  // namespace kantrig::base
