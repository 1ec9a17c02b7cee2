// Resources as JSON, as text, and as a part of a bundle's report.json.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "synth/resources.hpp"

namespace kantrig::synth {

/// {"design": {...}, "baseline": {...}, "ratio": {...}}, ending in a line feed. The same figures give the
/// same bytes.
[[nodiscard]] std::string resources_to_json(const Resources& resources,
                                            const compiler::HardwareDesign& design);

[[nodiscard]] std::string resources_to_text(const Resources& resources,
                                            const compiler::HardwareDesign& design);

/// `report` (report.json of a bundle, or empty) with the figures under hardware.resources.<family>;
/// everything else stays. Putting the same figures in twice changes nothing the second time.
[[nodiscard]] Result<std::string> report_with_resources(std::string_view report, const Resources& resources,
                                                        const compiler::HardwareDesign& design);

}  // namespace kantrig::synth
