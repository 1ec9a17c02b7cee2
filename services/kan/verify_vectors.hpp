// Checks an evaluator against vectors in text files: what `kantrig model verify` runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kan/evaluator.hpp"

namespace kantrig::kan {

/// Integers of a text file: space separated, one vector a line, all of one width.
struct TextVectors {
  std::uint32_t count = 0;
  std::uint32_t width = 0;
  std::vector<std::int32_t> values;  // count x width
};

/// Errors name the file, line and what was expected. Blank lines are left out.
[[nodiscard]] Result<TextVectors> read_text_vectors(const std::filesystem::path& path);
/// The same from memory; `name` stands for the file in errors.
[[nodiscard]] Result<TextVectors> parse_text_vectors(std::string_view content, std::string_view name);

/// The first output that is not what was expected; counts from 0.
struct Disagreement {
  std::uint32_t vector = 0;
  std::uint32_t output = 0;
  std::int32_t expected = 0;
  std::int32_t got = 0;
};

struct VerifyResult {
  std::uint32_t vectors = 0;
  std::uint32_t agreeing = 0;
  std::optional<Disagreement> first;
};

/// Runs `inputs` (unsigned codes) through `evaluator` and compares with `expected` (signed outputs). Fails
/// where the vectors do not fit the model or each other: another width, another count, a code out of range.
[[nodiscard]] Result<VerifyResult> verify_vectors(const Evaluator& evaluator, const TextVectors& inputs,
                                                  const TextVectors& expected);

}  // namespace kantrig::kan
