// Verification of a compiled design: its simulation against the integer KAN, bit for bit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "compiler/verify/fault.hpp"
#include "kan/bundle.hpp"
#include "kan/rtl_library.hpp"

namespace kantrig::compiler {

inline constexpr std::uint64_t kExhaustiveMax = std::uint64_t{1} << 20U;       // rows, of one node or model
inline constexpr std::uint64_t kExhaustiveTotalMax = std::uint64_t{1} << 22U;  // rows, of all nodes together

struct VerifyOptions {
  std::uint64_t random = 10'000;  // events through kan_datapath, and as many through each layer
  std::uint64_t seed = 1;
  std::function<void(std::string_view)> progress;  // told what begins now; may be empty
};

/// One kind of rows through one unit.
struct StageResult {
  std::string unit;
  std::string stage;
  std::uint64_t rows = 0;
  std::uint64_t values = 0;     // compared
  std::uint64_t differing = 0;  // of these
  Mismatch example;             // of these
  std::string example_name;     // of its output
  std::string note;             // what was left out, and why
};

struct VerifyReport {
  std::vector<StageResult> stages;
  std::vector<Fault> faults;
  std::uint64_t entries = 0;        // table entries that were swept
  std::uint64_t entries_exact = 0;  // of these, such that an error of one, up and down, is seen
  std::uint64_t rows = 0;
  double simulation_seconds = 0.0;
  std::vector<std::string> left_out;  // what of a design with tables of its own an overlay has not, and why

  [[nodiscard]] bool equal() const;
};

/// Golden vectors, boundary codes, random events and, where there are few enough, all events through
/// kan_datapath; every code of every edge, every combination of small nodes, and random codes through each
/// layer. An overlay is driven through kan_datapath only: once through bank 0, as its library loads it, and
/// once through bank 1, written here beside an emptied bank 0. The error is what kept it from comparing; a
/// difference is in the report.
[[nodiscard]] Result<VerifyReport> verify_design(const kan::Bundle& bundle, const HardwareDesign& design,
                                                 const kan::RtlLibrary& library,
                                                 const VerifyOptions& options);

}  // namespace kantrig::compiler
