// CardImage: what a bundle says of its hardware for one platform, fpga/<platform>.json.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "kan/record_layout.hpp"

namespace kantrig::kan {

struct CardImage {
  std::string platform;  // "emulated", or the vendor's name of the shell
  std::string kernel;    // in the xclbin
  std::uint32_t compute_units = 1;
  std::uint32_t interface_version = 0;  // of the kernel's registers
  bool overlay = false;                 // tables in memory that is written, not burnt in as logic
  std::string hardware_digest;          // hex, what the register model_digest must read
  RecordLayout input;                   // codes
  RecordLayout output;                  // scores
  std::string xclbin_sha256;            // hex
  // Of an overlay only:
  std::array<std::uint32_t, 2> bank_begin{};  // first table address of each bank
  std::uint32_t table_words = 0;              // of fpga/<platform>.tables

  friend bool operator==(const CardImage&, const CardImage&) = default;
};

/// The same image gives the same bytes, which end in a line feed.
[[nodiscard]] std::string card_image_to_json(const CardImage& image);
/// The error names the field and what was expected.
[[nodiscard]] Result<CardImage> card_image_from_json(std::string_view json);

}  // namespace kantrig::kan
