// Every kind of backend gives what the reference evaluator gives, bit for bit, from every encoding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "backend/backend.hpp"
#include "base/file.hpp"
#include "kan/reference.hpp"
#include "support/plain_design.hpp"
#include "support/rtl_build.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::test {
namespace {

using backend::Kind;
using testing::HasSubstr;

constexpr std::uint32_t kEventsMax = 1'024;

kan::Bundle bundle_with_design(kan::Bundle bundle = two_layer_bundle()) {
  add_plain_design(bundle);
  return bundle;
}

/// Rows in all encodings, with what the reference says of them.
struct Events {
  std::vector<float> floats;
  std::vector<std::uint8_t> codes8;
  std::vector<std::uint16_t> codes16;

  Events(const kan::Model& model, std::uint32_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::uint32_t i = 0; i < count; ++i) {
      for (const kan::InputFeature& input : model.inputs) {
        const auto code = static_cast<std::uint16_t>(random() % (1U << input.bits));
        codes8.push_back(static_cast<std::uint8_t>(code));
        codes16.push_back(code);
        const bool special = random() % 50 == 0;
        floats.push_back(special ? specials_[random() % specials_.size()]
                                 : (static_cast<float>(random() % 40) - 4.0F - input.offset) / input.scale);
      }
    }
  }

 private:
  std::vector<float> specials_{std::numeric_limits<float>::quiet_NaN(),
                               std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity(), -0.0F};
};

struct Case {
  Kind kind = Kind::kCpu;
  bool distance = false;  // the model ends in an output stage
};

class BackendContract : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    options_.kind = GetParam().kind;
    if (GetParam().kind != Kind::kRtlSim) return;
    if (!can_simulate()) GTEST_SKIP() << kCannotSimulate;
    const auto library = build_library(bundle_);
    ASSERT_TRUE(library) << library.error().message;
    options_ = {.kind = Kind::kRtlSim, .kernel_set = "auto", .rtl_sim_library = *library};
  }
  [[nodiscard]] std::shared_ptr<const backend::PreparedModel> prepared() const {
    return backend::prepare(bundle_, options_).value();
  }
  /// The model on codes that are known to be valid.
  void expect_event(const backend::Workspace& space, std::uint32_t event,
                    std::span<const std::uint16_t> codes) {
    const auto expected = kan::reference_outputs(bundle_.model, codes);
    for (std::uint32_t k = 0; k < expected.size(); ++k) ASSERT_EQ(space.outputs(k)[event], expected[k]);
    ASSERT_EQ(space.classes()[event], kan::reference_class(bundle_.model, expected));
  }

  kan::Bundle bundle_ =
      bundle_with_design(GetParam().distance ? two_layer_autoencoder() : two_layer_bundle());
  backend::Options options_;
};

TEST_P(BackendContract, CodesGiveTheReferencesBitsInBatchesOfEverySize) {
  const auto model = prepared();
  const auto space = model->make_workspace(kEventsMax);
  const std::uint32_t inputs = bundle_.model.input_count();
  for (const std::uint32_t events : {1U, 2U, 63U, 64U, 65U, 255U, 256U, 257U, 700U, 1'024U, 3U}) {
    SCOPED_TRACE(events);
    const Events rows(bundle_.model, events, events);
    for (const bool wide : {false, true}) {
      const backend::Payload payload =
          wide ? backend::Payload{wire::Encoding::kCode16, std::as_bytes(std::span(rows.codes16)), events}
               : backend::Payload{wire::Encoding::kCode8, std::as_bytes(std::span(rows.codes8)), events};
      ASSERT_EQ(space->evaluate(payload, {}), 0U);
      ASSERT_EQ(space->path(), model->path());
      for (std::uint32_t i = 0; i < events; ++i) {
        ASSERT_NO_FATAL_FAILURE(
            expect_event(*space, i, std::span(rows.codes16).subspan(std::size_t{i} * inputs, inputs)));
      }
    }
  }
}

TEST_P(BackendContract, FloatsAreQuantisedAndNanIsMalformed) {
  const auto model = prepared();
  const auto space = model->make_workspace(kEventsMax);
  const std::uint32_t inputs = bundle_.model.input_count();
  const Events rows(bundle_.model, kEventsMax, 99);
  const backend::Payload payload{wire::Encoding::kFloat32, std::as_bytes(std::span(rows.floats)), kEventsMax};
  std::vector<std::uint32_t> clamped(inputs);
  const std::uint32_t malformed = space->evaluate(payload, clamped);
  std::uint32_t expected_malformed = 0;
  for (std::uint32_t i = 0; i < kEventsMax; ++i) {
    std::vector<std::uint16_t> codes;
    for (std::uint32_t j = 0; j < inputs; ++j) {
      const auto code =
          kan::reference_code(bundle_.model.inputs[j], rows.floats[std::size_t{i} * inputs + j]);
      if (code) codes.push_back(*code);
    }
    const bool whole = codes.size() == inputs;
    expected_malformed += whole ? 0 : 1;
    ASSERT_EQ((space->malformed()[i / 64] >> (i % 64) & 1U) == 0, whole) << i;
    if (!whole) continue;
    ASSERT_NO_FATAL_FAILURE(expect_event(*space, i, codes));
  }
  EXPECT_EQ(malformed, expected_malformed);
  EXPECT_GT(malformed, 0U);
  EXPECT_GT(clamped[0], 0U);
}

TEST_P(BackendContract, GoldenVectorsAreReproducedAndAWrongOneIsNamed) {
  const auto model = prepared();
  EXPECT_TRUE(backend::replay_golden(bundle_, *model));
  kan::Bundle wrong = bundle_;
  ++wrong.golden.outputs[5];
  const auto replayed = backend::replay_golden(wrong, *model);
  ASSERT_FALSE(replayed);
  const std::string where = GetParam().distance ? "vector 5 output 0" : "vector 2 output 1";
  EXPECT_THAT(replayed.error().message,
              HasSubstr("golden " + where + ": backend " + std::string(model->backend()) + " gives"));
}

TEST_P(BackendContract, WorkspacesOfOneModelAreIndependent) {
  const auto model = prepared();
  const auto one = model->make_workspace(64);
  const auto other = model->make_workspace(64);
  const Events rows(bundle_.model, 2, 4);
  const std::uint32_t inputs = bundle_.model.input_count();
  const auto codes = std::span(rows.codes16);
  ASSERT_EQ(one->evaluate({wire::Encoding::kCode16, std::as_bytes(codes.first(inputs)), 1}, {}), 0U);
  ASSERT_EQ(other->evaluate({wire::Encoding::kCode16, std::as_bytes(codes.last(inputs)), 1}, {}), 0U);
  expect_event(*one, 0, codes.first(inputs));
  expect_event(*other, 0, codes.last(inputs));
}

INSTANTIATE_TEST_SUITE_P(Kinds, BackendContract,
                         testing::Values(Case{Kind::kCpu, false}, Case{Kind::kCard, false},
                                         Case{Kind::kRtlSim, false}, Case{Kind::kCpu, true},
                                         Case{Kind::kCard, true}, Case{Kind::kRtlSim, true}),
                         [](const auto& param) {
                           const std::string kind = param.param.kind == Kind::kCpu    ? "Cpu"
                                                    : param.param.kind == Kind::kCard ? "CardThatIsNotThere"
                                                                                      : "RtlSim";
                           return kind + (param.param.distance ? "Autoencoder" : "");
                         });

class RtlSim : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_simulate()) GTEST_SKIP() << kCannotSimulate;
    const auto library = build_library(bundle_);
    ASSERT_TRUE(library) << library.error().message;
    options_.rtl_sim_library = *library;
  }
  std::string refusal() { return backend::prepare(bundle_, options_).error().message; }

  kan::Bundle bundle_ = bundle_with_design();
  backend::Options options_{.kind = Kind::kRtlSim, .kernel_set = "auto", .rtl_sim_library = {}};
  TemporaryFolder folder_;
};

TEST_F(RtlSim, SaysFpga) {
  const auto model = backend::prepare(bundle_, options_).value();
  EXPECT_EQ(model->path(), wire::Path::kFpga);
  EXPECT_EQ(model->backend(), "rtl_sim");
}

TEST_F(RtlSim, TheLibraryOfAnotherModelIsRefusedByBothDigests) {
  ++bundle_.model.layers[0].nodes[0].bias;
  EXPECT_THAT(refusal(), HasSubstr("simulates two-1.0.0, model digest"));
  EXPECT_THAT(refusal(), HasSubstr("make one of this model with kanc simulate"));
}

TEST_F(RtlSim, AFolderIsSearchedByTheModelsDigest) {
  const auto library = options_.rtl_sim_library;
  options_.rtl_sim_library = folder_.path();
  EXPECT_THAT(refusal(), HasSubstr("no simulated design of this model"));
  EXPECT_THAT(refusal(), HasSubstr(".so does not exist; kanc simulate makes it"));
  const auto design = compiler::design_from_json(bundle_.rtl_files.at("rtl/design.json")).value();
  std::filesystem::copy_file(library, folder_.path() / (design.model_digest + ".so"));
  EXPECT_TRUE(backend::prepare(bundle_, options_));
}

TEST_F(RtlSim, AFileThatIsNoSimulatedDesignIsRefused) {
  options_.rtl_sim_library = folder_.path() / "text.so";
  ASSERT_TRUE(base::write_file_atomic(options_.rtl_sim_library, "not a library"));
  EXPECT_THAT(refusal(), HasSubstr("text.so"));
  EXPECT_THAT(refusal(), HasSubstr("kanc simulate makes one"));
}

TEST_F(RtlSim, ASimulationThatStopsLeavesItsBatchesToTheCpu) {
  std::string& text = bundle_.rtl_files.at("rtl/kan_layer0.sv");
  text.insert(text.rfind("endmodule"),
              "  always_ff @(posedge clk_i) if (codes_i[3:0] == 4'd9) $fatal(1, \"nine\");\n");
  options_.rtl_sim_library = build_library(bundle_).value();
  const auto model = backend::prepare(bundle_, options_).value();
  const auto space = model->make_workspace(64);
  const std::vector<std::uint16_t> good{3, 1, 2};
  const std::vector<std::uint16_t> bad{9, 1, 2};
  const auto evaluate = [&](const std::vector<std::uint16_t>& codes) {
    EXPECT_EQ(space->evaluate({wire::Encoding::kCode16, std::as_bytes(std::span(codes)), 1}, {}), 0U);
    const auto expected = kan::reference_outputs(bundle_.model, codes);
    EXPECT_EQ(space->outputs(0)[0], expected[0]);
    EXPECT_EQ(space->outputs(1)[0], expected[1]);
    return space->path();
  };
  EXPECT_EQ(evaluate(good), wire::Path::kFpga);
  EXPECT_EQ(evaluate(bad), wire::Path::kCpu);
  EXPECT_EQ(evaluate(good), wire::Path::kCpu);
  const auto replayed = backend::replay_golden(bundle_, *model);
  ASSERT_FALSE(replayed);
  EXPECT_THAT(replayed.error().message, HasSubstr("backend rtl_sim failed and left them to the CPU"));
}

}  // namespace
}  // namespace kantrig::test
