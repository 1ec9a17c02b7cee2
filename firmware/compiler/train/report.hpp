// make_report(): report.json of a training, for people and for scripts.
#pragma once

#include <string>

#include "compiler/train/trainer.hpp"
#include "kan/bundle.hpp"

namespace kantrig::train {

/// Rows, epochs with losses, the chosen epoch, and what each layer costs. Same training, same bytes.
[[nodiscard]] std::string make_report(const kan::Bundle& bundle, const Training& training);

}  // namespace kantrig::train
