#include "kan/verify_vectors.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/file.hpp"

namespace kantrig::kan {
namespace {

constexpr std::size_t kTextBytesMax = std::size_t{256} << 20U;
constexpr std::uint32_t kEventsPerBatch = 256;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Adds the integers of one line. Returns how many there are.
Result<std::uint32_t> parse_line(std::string_view line, std::vector<std::int32_t>& values) {
  std::uint32_t count = 0;
  for (;;) {
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (line.empty()) return count;
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    const auto length = static_cast<std::size_t>(end - line.data());
    if (error != std::errc{} || (length < line.size() && !is_blank(line[length]))) {
      return fail(ErrorCode::kInvalid, "expected integers and spaces, found '{}'", line.substr(0, 20));
    }
    line.remove_prefix(length);
    values.push_back(value);
    ++count;
  }
}

Result<std::vector<std::uint16_t>> checked_codes(const Model& model, const TextVectors& inputs) {
  std::vector<std::uint16_t> codes;
  codes.reserve(inputs.values.size());
  for (const std::int32_t value : inputs.values) {
    const std::size_t at = codes.size();
    const std::int32_t highest = (1 << model.inputs[at % inputs.width].bits) - 1;
    if (value < 0 || value > highest) {
      return fail(ErrorCode::kInvalid, "input vector {} value {}: code is {}, expected 0 to {}",
                  at / inputs.width, at % inputs.width, value, highest);
    }
    codes.push_back(static_cast<std::uint16_t>(value));
  }
  return codes;
}

void compare(const Workspace& workspace, const TextVectors& expected, std::uint32_t first,
             std::uint32_t events, VerifyResult& result) {
  for (std::uint32_t i = 0; i < events; ++i) {
    bool agrees = true;
    for (std::uint32_t k = 0; k < expected.width && agrees; ++k) {
      const std::int32_t wanted = expected.values[std::size_t{first + i} * expected.width + k];
      const std::int32_t got = workspace.outputs(k)[i];
      agrees = got == wanted;
      if (!agrees && !result.first) result.first = Disagreement{first + i, k, wanted, got};
    }
    ++result.vectors;
    if (agrees) ++result.agreeing;
  }
}

}  // namespace

Result<TextVectors> read_text_vectors(const std::filesystem::path& path) {
  const auto content = base::read_file(path, kTextBytesMax);
  if (!content) return tl::unexpected(content.error());
  return parse_text_vectors(*content, path.string());
}

Result<TextVectors> parse_text_vectors(std::string_view content, std::string_view name) {
  TextVectors vectors;
  for (std::size_t number = 1; !content.empty(); ++number) {
    const std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    const auto width = parse_line(line, vectors.values);
    if (!width) return tl::unexpected(width.error().within(fmt::format("{} line {}", name, number)));
    if (*width == 0) continue;
    if (vectors.count > 0 && *width != vectors.width) {
      return fail(ErrorCode::kInvalid, "{} line {}: has {} values, expected {} as in the lines before", name,
                  number, *width, vectors.width);
    }
    vectors.width = *width;
    ++vectors.count;
  }
  if (vectors.count == 0) return fail(ErrorCode::kInvalid, "{}: holds no vector", name);
  return vectors;
}

Result<VerifyResult> verify_vectors(const Evaluator& evaluator, const TextVectors& inputs,
                                    const TextVectors& expected) {
  const Model& model = evaluator.model();
  if (inputs.width != model.input_count() || expected.width != model.output_count()) {
    return fail(ErrorCode::kInvalid, "vectors have {} inputs and {} outputs, expected {} and {}",
                inputs.width, expected.width, model.input_count(), model.output_count());
  }
  if (inputs.count != expected.count) {
    return fail(ErrorCode::kInvalid, "there are {} input vectors and {} expected ones", inputs.count,
                expected.count);
  }
  const auto codes = checked_codes(model, inputs);
  if (!codes) return tl::unexpected(codes.error());
  VerifyResult result;
  Workspace workspace(evaluator, kEventsPerBatch);
  for (std::uint32_t first = 0; first < inputs.count; first += kEventsPerBatch) {
    const std::uint32_t events = std::min(kEventsPerBatch, inputs.count - first);
    const auto batch =
        std::span(*codes).subspan(std::size_t{first} * inputs.width, std::size_t{events} * inputs.width);
    evaluator.load_code16(std::as_bytes(batch), events, workspace);
    evaluator.evaluate(workspace);
    compare(workspace, expected, first, events, result);
  }
  return result;
}

}  // namespace kantrig::kan
