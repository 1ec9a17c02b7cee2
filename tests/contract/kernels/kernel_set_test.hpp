// The fixture of the tests that run once for each kernel set.
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <utility>

#include "kan/evaluator.hpp"
#include "kernels/kernels.hpp"
#include "support/kernel_set_option.hpp"

namespace kantrig::test {

class KernelSetTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kernels::select_set(kernel_set_option()) != nullptr) return;
    std::cout << kernel_set_option() << " is not supported by this CPU\n";
    GTEST_SKIP() << "not supported by this CPU";
  }
  static kan::Evaluator evaluator(const kan::Model& model) {
    auto made = kan::Evaluator::create(model, kernel_set_option());
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
    return std::move(*made);
  }
};

}  // namespace kantrig::test
