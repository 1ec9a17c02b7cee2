// with_assignments(): a specification with some of its fields set to other values, again as TOML.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compiler/explore/sweep_axis.hpp"

namespace kantrig::explore {

/// Later assignments win. A key that is not there is added, for it may have a default; an entry of a list
/// must be there. What the fields mean is not looked at. Comments are lost; keys come out in alphabetical
/// order, so that the same input gives the same bytes. `origin` names the text in errors.
[[nodiscard]] Result<std::string> with_assignments(std::string_view text, std::string_view origin,
                                                   std::span<const Assignment> assignments);

}  // namespace kantrig::explore
