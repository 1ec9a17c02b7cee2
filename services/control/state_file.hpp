// StateFile: what is on, so that a daemon that was stopped or killed comes back to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/result.hpp"

namespace kantrig::control {

/// What the configuration said when the state was written: tells an edited configuration from an old one.
struct Configured {
  std::string model;
  std::string menu_digest;  // hex, of the menu file's text
  std::string column;
  friend bool operator==(const Configured&, const Configured&) = default;
};

/// What runs, or is about to: written before the shards are told, so that no generation or block number is
/// given twice.
struct PersistedState {
  Configured configured;
  Generation generation;
  std::string model;     // <name>-<version>
  std::string previous;  // empty: none
  std::string shadow;    // empty: none
  std::string menu_text;
  std::string menu_origin;
  std::string column;
  RunNumber run;
  BlockNumber block;       // of `run`
  BlockNumber idle_block;  // last one outside runs
};

inline constexpr std::size_t kStateBytesMax = 64U << 20;

/// Empty when there is no file yet. Errors name the file and what is wrong in it.
[[nodiscard]] Result<std::optional<PersistedState>> read_state(const std::filesystem::path& file);
[[nodiscard]] Result<void> write_state(const std::filesystem::path& file, const PersistedState& state);

}  // namespace kantrig::control
