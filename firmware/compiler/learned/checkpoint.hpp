// Checkpoints: a LearnedKan as a file, proto/kantrig/v1/checkpoint.proto in binary (.kan) or as protobuf JSON
// (.json), which exporters for other frameworks write.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"

namespace kantrig::learned {

inline constexpr std::size_t kCheckpointBytesMax = std::size_t{256} << 20U;

/// The same model gives the same bytes.
[[nodiscard]] std::string encode_checkpoint(const LearnedKan& kan);
/// A model that passes check(). Takes bytes from anywhere; binary, or JSON when the first byte that is no
/// space is '{'.
[[nodiscard]] Result<LearnedKan> decode_checkpoint(std::string_view bytes);

[[nodiscard]] Result<LearnedKan> read_checkpoint(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_checkpoint(const LearnedKan& kan, const std::filesystem::path& path);

}  // namespace kantrig::learned
