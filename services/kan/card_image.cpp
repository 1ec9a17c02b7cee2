#include "kan/card_image.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "kantrig/v1/bundle.pb.h"

namespace kantrig::kan {
namespace {

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kJsonBytesMax = std::size_t{4} << 20U;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::uint32_t kComputeUnitsMax = 128;  // what XRT's masks have room for
constexpr std::uint32_t kTableWordsMax = 1U << 22U;
constexpr int kFieldsMax = 65'536;

void store_layout(const RecordLayout& layout, v1::RecordLayout& out) {
  out.set_record_bits(layout.record_bits);
  for (const RecordField& field : layout.fields) {
    out.add_offsets(field.offset);
    out.add_widths(field.width);
  }
}

Result<RecordLayout> layout_of(const v1::RecordLayout& stored, std::string_view name) {
  if (stored.offsets_size() != stored.widths_size() || stored.offsets_size() > kFieldsMax) {
    return fail(ErrorCode::kCorrupt, "{}: has {} offsets and {} widths, expected as many of each, at most {}",
                name, stored.offsets_size(), stored.widths_size(), kFieldsMax);
  }
  RecordLayout layout{.record_bits = stored.record_bits(), .fields = {}};
  for (int i = 0; i < stored.offsets_size(); ++i)
    layout.fields.push_back({stored.offsets(i), stored.widths(i)});
  if (auto ok = check(layout); !ok) return tl::unexpected(ok.error().within(name));
  return layout;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<void> check_names(const v1::CardImage& stored) {
  for (const auto& [field, text] :
       {std::pair{"platform", &stored.platform()}, std::pair{"kernel", &stored.kernel()}}) {
    if (is_name(*text)) continue;
    return fail(ErrorCode::kCorrupt, "{}: is '{}', expected 1 to {} letters, digits and . _ -", field, *text,
                kNameBytesMax);
  }
  for (const auto& [field, text] : {std::pair{"hardware_digest", &stored.hardware_digest()},
                                    std::pair{"xclbin_sha256", &stored.xclbin_sha256()}}) {
    if (!is_digest(*text)) return fail(ErrorCode::kCorrupt, "{}: expected 64 lower-case hex digits", field);
  }
  return {};
}

Result<void> check_figures(const v1::CardImage& stored) {
  if (stored.format_version() != kFormatVersion) {
    return fail(ErrorCode::kUnsupported, "format_version: is {}, expected {}", stored.format_version(),
                kFormatVersion);
  }
  if (stored.compute_units() < 1 || stored.compute_units() > kComputeUnitsMax) {
    return fail(ErrorCode::kCorrupt, "compute_units: is {}, expected 1 to {}", stored.compute_units(),
                kComputeUnitsMax);
  }
  const bool tables =
      stored.bank_begin_size() == 2 && stored.table_words() >= 1 && stored.table_words() <= kTableWordsMax;
  const bool none = stored.bank_begin_size() == 0 && stored.table_words() == 0;
  if (stored.overlay() ? tables : none) return {};
  return fail(ErrorCode::kCorrupt,
              "bank_begin, table_words: are {} and {}, expected 2 and 1 to {} for an overlay, none else",
              stored.bank_begin_size(), stored.table_words(), kTableWordsMax);
}

}  // namespace

std::string card_image_to_json(const CardImage& image) {
  v1::CardImage out;
  out.set_format_version(kFormatVersion);
  out.set_platform(image.platform);
  out.set_kernel(image.kernel);
  out.set_compute_units(image.compute_units);
  out.set_interface_version(image.interface_version);
  out.set_overlay(image.overlay);
  out.set_hardware_digest(image.hardware_digest);
  store_layout(image.input, *out.mutable_input());
  store_layout(image.output, *out.mutable_output());
  out.set_xclbin_sha256(image.xclbin_sha256);
  if (image.overlay) {
    for (const std::uint32_t address : image.bank_begin) out.add_bank_begin(address);
    out.set_table_words(image.table_words);
  }
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails only for messages with fields of type Any.
  static_cast<void>(google::protobuf::util::MessageToJsonString(out, &json, options));
  if (!json.ends_with('\n')) json += '\n';
  return json;
}

Result<CardImage> card_image_from_json(std::string_view json) {
  if (json.size() > kJsonBytesMax) {
    return fail(ErrorCode::kCorrupt, "has {} bytes, expected at most {}", json.size(), kJsonBytesMax);
  }
  v1::CardImage stored;
  const auto status = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &stored);
  if (!status.ok()) {
    const std::string reason = status.message().as_string();
    return fail(ErrorCode::kCorrupt, "is not a card image: {}", reason.substr(0, reason.find('\n')));
  }
  if (auto ok = check_figures(stored); !ok) return tl::unexpected(ok.error());
  if (auto ok = check_names(stored); !ok) return tl::unexpected(ok.error());
  auto input = layout_of(stored.input(), "input");
  if (!input) return tl::unexpected(input.error());
  auto output = layout_of(stored.output(), "output");
  if (!output) return tl::unexpected(output.error());
  CardImage image{.platform = stored.platform(),
                  .kernel = stored.kernel(),
                  .compute_units = stored.compute_units(),
                  .interface_version = stored.interface_version(),
                  .overlay = stored.overlay(),
                  .hardware_digest = stored.hardware_digest(),
                  .input = std::move(*input),
                  .output = std::move(*output),
                  .xclbin_sha256 = stored.xclbin_sha256(),
                  .bank_begin = {},
                  .table_words = stored.table_words()};
  if (image.overlay) image.bank_begin = {stored.bank_begin(0), stored.bank_begin(1)};
  return image;
}

}  // namespace kantrig::kan
