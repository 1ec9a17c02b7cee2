// The sources of board/, carried by the program so that it needs no folder of its own.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace kantrig::synth {

/// Name and content of each file of board/.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> board_files();

}  // namespace kantrig::synth
