#include "kan/model_proto.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "kantrig/v1/bundle.pb.h"
#include "unit/kan/small_autoencoder.hpp"

namespace kantrig::kan {
namespace {

using testing::HasSubstr;

v1::Model stored_model() {
  v1::Model stored;
  EXPECT_TRUE(stored.ParseFromString(encode_model(test::small_model())));
  return stored;
}

std::string error_of(const v1::Model& stored) {
  const auto model = decode_model(stored.SerializeAsString(), false);
  return model ? "no error" : model.error().message;
}

TEST(ModelProto, EdgesThatShareATableComeBackWithOneEach) {
  Model model = test::small_model();
  model.layers[0].edges[2].table_offset = 4;  // node 1 reads the table of node 0's second edge
  const auto decoded = decode_model(encode_model(model), true);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_TRUE(decoded->codes_only);
  EXPECT_EQ(decoded->layers[0].tables.size(), 12U);
  for (std::uint16_t code = 0; code < 16; ++code) {
    const std::vector<std::uint16_t> codes{static_cast<std::uint16_t>(code % 4),
                                           static_cast<std::uint16_t>(code / 4)};
    EXPECT_EQ(reference_outputs(*decoded, codes), reference_outputs(model, codes));
  }
}

TEST(ModelProto, EveryTruncationIsRefused) {
  const std::string bytes = encode_model(test::small_model());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_model(std::string_view(bytes).substr(0, length), false)) << length;
  }
}

TEST(ModelProto, NumbersThatDisagreeAreRefusedWithTheirPlace) {
  v1::Model stored = stored_model();
  stored.mutable_inputs(1)->set_bits(13);
  EXPECT_EQ(error_of(stored), "input 1: has 13 bits, expected 1 to 12");

  stored = stored_model();
  stored.mutable_inputs(0)->set_scale(std::numeric_limits<float>::infinity());
  EXPECT_EQ(error_of(stored), "input 0: scale and offset must be finite");

  stored = stored_model();
  stored.mutable_layers(0)->mutable_nodes(0)->set_high(5000);
  EXPECT_THAT(error_of(stored), HasSubstr("layer 0 node 0: has 5005 output codes"));

  stored = stored_model();
  stored.mutable_layers(0)->mutable_nodes(1)->set_low(3);
  EXPECT_THAT(error_of(stored), HasSubstr("layer 0 node 1"));

  stored = stored_model();
  stored.mutable_layers(1)->set_edge_inputs(2, 2);
  EXPECT_EQ(error_of(stored), "layer 1 edge 2: reads input 2, expected one below 2");

  stored = stored_model();
  stored.mutable_layers(1)->set_edge_counts(1, 4'000'000'000U);
  EXPECT_THAT(error_of(stored), HasSubstr("layer 1 node 1: edges end at 4000000002, expected at most 3"));

  stored = stored_model();
  stored.mutable_layers(1)->set_edge_counts(1, 0);
  EXPECT_THAT(error_of(stored), HasSubstr("1 edges belong to no node"));

  stored = stored_model();
  stored.mutable_layers(0)->mutable_tables()->pop_back();
  EXPECT_EQ(error_of(stored), "layer 0: tables have 23 bytes, expected 24 for 3 edges");

  stored = stored_model();
  stored.mutable_layers(0)->mutable_nodes(0)->set_bias(std::numeric_limits<std::int32_t>::max());
  EXPECT_THAT(error_of(stored), HasSubstr("expected to stay inside int32"));

  stored = stored_model();
  stored.clear_layers();
  EXPECT_EQ(error_of(stored), "model: has 0 layers, expected 1 to 64");

  stored = stored_model();
  stored.add_output_scales(1.0);
  EXPECT_EQ(error_of(stored), "model: has 4 output scales for 3 outputs");
}

TEST(ModelProto, BytesThatWouldFillTheMemoryAreRefusedBeforeTheyAreParsed) {
  std::string nodes;
  for (int i = 0; i < 5000; ++i) nodes += std::string("\x0A\x00", 2);  // empty Node messages
  v1::Model stored = stored_model();
  std::string bytes = stored.SerializeAsString();
  bytes += '\x12';  // Layer
  bytes += static_cast<char>(0x80U | (nodes.size() & 0x7FU));
  bytes += static_cast<char>(nodes.size() >> 7U);
  bytes += nodes;
  const auto model = decode_model(bytes, false);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message, "Layer.nodes occurs more than 4096 times");
}

TEST(ModelProto, UnknownFieldsAndWrongWireTypesAreRefused) {
  const std::string good = encode_model(test::small_model());
  const auto message = [&](std::string_view extra) {
    const auto model = decode_model(good + std::string(extra), false);
    return model ? "no error" : model.error().message;
  };
  EXPECT_EQ(message("\x78\x01"), "Model has no field 15");
  EXPECT_EQ(message("\x10\x01"), "Model is cut off or garbled");  // layers as a number
  EXPECT_EQ(message("\x13\x14"), "Model is cut off or garbled");  // layers as a group
}

TEST(ModelProto, GoldenVectorsMustFitTheModel) {
  const Model model = test::small_model();
  const std::string good = encode_golden(test::every_vector(model), model);
  v1::GoldenVectors stored;
  const auto message = [&](auto change) {
    stored.ParseFromString(good);
    change(stored);
    const auto golden = decode_golden(stored.SerializeAsString(), model);
    return golden ? "no error" : golden.error().message;
  };
  EXPECT_EQ(message([](auto&) {}), "no error");
  EXPECT_EQ(message([](auto& g) { g.set_input_count(3); }),
            "is for 3 inputs and 3 outputs, expected 2 and 3");
  EXPECT_EQ(message([](auto& g) { g.set_vector_count(0); }), "has 0 vectors, expected 1 to 65536");
  EXPECT_EQ(message([](auto& g) { g.set_vector_count(4'000'000'000U); }),
            "has 4000000000 vectors, expected 1 to 65536");
  EXPECT_EQ(message([](auto& g) { g.set_vector_count(15); }),
            "has 32 codes and 48 outputs, expected 30 and 45 for 15 vectors");
  EXPECT_EQ(message([](auto& g) { g.mutable_inputs()->pop_back(); }),
            "has an odd number of bytes, expected two for each value");
}

TEST(ModelProto, AHistogramWithoutWidthIsRefused) {
  Reference reference;
  reference.features = {{"mass", 0, 0, {1, 2}}};
  const auto decoded = decode_reference(encode_reference(reference));
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().message, HasSubstr("histogram 'mass': has 2 bins of width 0"));
}

TEST(ModelProto, AModelWithoutAnOutputStageHasTheBytesThatItAlwaysHad) {
  const std::string bytes = encode_model(test::small_model());
  EXPECT_EQ(base::sha256(bytes).hex(), "d3d5cef851cbeff4575fe8b7c9627f9cc2bcfb443929a8c4a39727dfbbf6b924");
  EXPECT_FALSE(stored_model().has_output_stage());
}

TEST(ModelProto, AnOutputStageComesBackAsItWas) {
  const Model model = test::small_autoencoder();
  const auto decoded = decode_model(encode_model(model), false);
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_TRUE(decoded->output_stage.has_value());
  EXPECT_EQ(decoded->output_stage->measure, model.output_stage->measure);
  EXPECT_EQ(decoded->output_stage->shift, model.output_stage->shift);
  EXPECT_EQ(decoded->output_stage->class_above, model.output_stage->class_above);
  EXPECT_EQ(decoded->output_stage->inputs, model.output_stage->inputs);
  EXPECT_EQ(decoded->output_stage->targets, model.output_stage->targets);
}

TEST(ModelProto, AnOutputStageThatIsCutOffIsRefused) {
  // A cut between two fields of the model leaves a model that another check refuses.
  const std::string bytes = encode_model(test::small_autoencoder());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode_model(std::string_view(bytes).substr(0, length), false)) << length;
}

TEST(ModelProto, AnOutputStageWithWrongNumbersIsRefused) {
  const auto error_with = [](const auto& change) {
    v1::Model stored;
    EXPECT_TRUE(stored.ParseFromString(encode_model(test::small_autoencoder())));
    change(*stored.mutable_output_stage());
    return error_of(stored);
  };
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.clear_distance(); }),
            "output stage: distance is of measure 0, expected 1 (absolute) or 2 (squared)");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.set_distance(static_cast<v1::DistanceMeasure>(257)); }),
            "output stage: distance is of measure 257, expected 1 (absolute) or 2 (squared)");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.mutable_targets()->pop_back(); }),
            "output stage: targets have 15 bytes, expected two for each");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.mutable_targets()->append(2, '\0'); }),
            "output stage: has 9 targets, expected 8, one for each code of each input");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.clear_inputs(); }),
            "output stage: reconstructs 0 features, expected one for each of 2 nodes");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.set_inputs(1, 4'000'000'000U); }),
            "output stage: node 1 reconstructs input 4000000000, expected one below 2");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.set_shift(4'000'000'000U); }),
            "output stage: shift is 4000000000, expected at most 30");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.set_class_above(-5); }),
            "output stage: class 1 is above -5, expected 0 to 32767");
  EXPECT_EQ(error_with([](v1::OutputStage& s) { s.Clear(); }),
            "output stage: distance is of measure 0, expected 1 (absolute) or 2 (squared)");
}

}  // namespace
}  // namespace kantrig::kan
