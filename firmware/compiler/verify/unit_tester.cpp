#include "compiler/verify/unit_tester.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

#include "kan/reference.hpp"

namespace kantrig::compiler {
namespace {

std::uint32_t bits_for(std::uint32_t codes) {
  return codes <= 2 ? 1 : static_cast<std::uint32_t>(std::bit_width(codes - 1));
}

/// Nodes [begin, end) of a layer as a model of their own. Tables grow to a power of two, since features have
/// whole bits; the codes that are new never occur.
kan::Model model_of_nodes(const kan::Layer& layer, std::size_t begin, std::size_t end) {
  kan::Model model;
  model.codes_only = true;
  kan::Layer& only = model.layers.emplace_back();
  for (const std::uint32_t codes : layer.input_codes) {
    model.inputs.push_back({.bits = bits_for(codes)});
    only.input_codes.push_back(1U << bits_for(codes));
  }
  for (std::size_t k = begin; k < end; ++k) {
    kan::Node node = layer.nodes[k];
    const auto first = static_cast<std::uint32_t>(only.edges.size());
    for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
      const kan::Edge& edge = layer.edges[e];
      const auto table = std::span(layer.tables).subspan(edge.table_offset, layer.input_codes[edge.input]);
      only.edges.push_back({edge.input, static_cast<std::uint32_t>(only.tables.size())});
      only.tables.insert(only.tables.end(), table.begin(), table.end());
      only.tables.resize(only.edges.back().table_offset + only.input_codes[edge.input]);
    }
    node.edge_begin = first;
    node.edge_end = static_cast<std::uint32_t>(only.edges.size());
    only.nodes.push_back(node);
  }
  model.output_scales.assign(only.nodes.size(), 1.0);
  return model;
}

/// The model with nodes [begin, end) of its last layer only, as its outputs.
kan::Model up_to_nodes(const kan::Model& model, std::size_t begin, std::size_t end) {
  kan::Model part = model;
  kan::Layer& last = part.layers.back();
  last.nodes.assign(model.layers.back().nodes.begin() + static_cast<std::ptrdiff_t>(begin),
                    model.layers.back().nodes.begin() + static_cast<std::ptrdiff_t>(end));
  const std::uint32_t first_edge = last.nodes.front().edge_begin;
  last.edges.assign(model.layers.back().edges.begin() + first_edge,
                    model.layers.back().edges.begin() + last.nodes.back().edge_end);
  for (kan::Node& node : last.nodes) {
    node.edge_begin -= first_edge;
    node.edge_end -= first_edge;
  }
  part.output_stage.reset();
  part.output_scales.assign(last.nodes.size(), 1.0);
  return part;
}

}  // namespace

Result<void> UnitReference::add(const kan::Model& model, std::uint32_t first_output) {
  auto evaluator = kan::Evaluator::create(model, "auto");
  if (!evaluator) return tl::unexpected(evaluator.error());
  kan::Workspace space(*evaluator, kRowsMax);
  slices_.push_back({std::move(*evaluator), std::move(space), first_output});
  return {};
}

Result<void> UnitReference::add_whole(const kan::Model& model) {
  auto evaluator = kan::Evaluator::create(model, "auto");
  if (!evaluator) return tl::unexpected(evaluator.error());
  kan::Workspace space(*evaluator, kRowsMax);
  whole_.emplace(Slice{std::move(*evaluator), std::move(space), 0});
  for (std::size_t k = 0; k < model.node_count(); k += kan::kOutputsMax) {
    const std::size_t end = std::min<std::size_t>(k + kan::kOutputsMax, model.node_count());
    if (auto ok = add(up_to_nodes(model, k, end), static_cast<std::uint32_t>(k)); !ok) return ok;
  }
  return {};
}

Result<UnitReference> UnitReference::of_model(const kan::Model& model) {
  UnitReference reference;
  auto ok = model.output_stage ? reference.add_whole(model) : reference.add(model, 0);
  if (!ok) return tl::unexpected(ok.error());
  reference.subtract_.assign(model.node_count(), 0);
  return reference;
}

Result<UnitReference> UnitReference::of_layer(const kan::Model& model, std::size_t layer) {
  UnitReference reference;
  const kan::Layer& from = model.layers[layer];
  const bool last = layer + 1 == model.layers.size();
  for (std::size_t k = 0; k < from.nodes.size(); k += kan::kOutputsMax) {
    const std::size_t end = std::min<std::size_t>(k + kan::kOutputsMax, from.nodes.size());
    if (auto ok = reference.add(model_of_nodes(from, k, end), static_cast<std::uint32_t>(k)); !ok)
      return tl::unexpected(ok.error().within(fmt::format("layer {}", layer)));
  }
  reference.gives_scores_ = last;
  for (const kan::Node& node : from.nodes) reference.subtract_.push_back(last ? 0 : node.low);
  return reference;
}

Result<void> UnitReference::run(Slice& slice, std::span<const std::uint16_t> codes, std::uint32_t rows) {
  if (slice.evaluator.load_code16(std::as_bytes(codes), rows, slice.space) != 0)
    return fail(ErrorCode::kInvalid, "verification drove a code that the model does not have");
  slice.evaluator.evaluate(slice.space);
  const kan::Model& model = slice.evaluator.model();
  const std::size_t inputs = model.input_count();
  for (std::uint32_t i = 0; i < rows; i += kReferenceEvery) {
    const auto exact = kan::reference_outputs(model, codes.subspan(std::size_t{i} * inputs, inputs));
    for (std::uint32_t k = 0; k < exact.size(); ++k) {
      if (exact[k] == slice.space.outputs(k)[i]) continue;
      return fail(ErrorCode::kCorrupt, "kernel set {} gives {} where the reference evaluator gives {}",
                  slice.evaluator.kernel_set(), slice.space.outputs(k)[i], exact[k]);
    }
  }
  return {};
}

Result<void> UnitReference::evaluate(std::span<const std::uint16_t> codes, std::uint32_t rows,
                                     std::span<std::int32_t> outputs) {
  const std::size_t width = subtract_.size();
  for (Slice& slice : slices_) {
    if (auto ok = run(slice, codes, rows); !ok) return ok;
    for (std::uint32_t k = 0; k < slice.evaluator.model().output_count(); ++k) {
      const std::int16_t* const column = slice.space.outputs(k);
      const std::uint32_t output = slice.first_output + k;
      for (std::uint32_t i = 0; i < rows; ++i) outputs[i * width + output] = column[i] - subtract_[output];
    }
  }
  return {};
}

Result<UnitReference::Scores> UnitReference::score(std::span<const std::uint16_t> codes, std::uint32_t rows,
                                                   kan::NodeColumns nodes) {
  if (auto ok = run(*whole_, codes, rows); !ok) return tl::unexpected(ok.error());
  scores_.assign(whole_->space.outputs(0), whole_->space.outputs(0) + rows);
  whole_->evaluator.score_nodes(nodes, whole_->space);
  return Scores{scores_, {whole_->space.outputs(0), rows}};
}

Result<void> UnitTester::run(std::uint64_t rows, const Fill& fill, const Report& report) {
  const std::size_t inputs = instance_.unit().input_count;
  for (std::uint64_t first = 0; first < rows; first += UnitReference::kRowsMax) {
    const auto count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(UnitReference::kRowsMax, rows - first));
    codes_.resize(count * inputs);
    for (std::uint32_t i = 0; i < count; ++i) fill(first + i, std::span(codes_).subspan(i * inputs, inputs));
    if (auto ok = run_batch(first, count, report); !ok) return ok;
  }
  return {};
}

Result<void> UnitTester::run_batch(std::uint64_t first, std::uint32_t rows, const Report& report) {
  const kantrig_rtl_unit& unit = instance_.unit();
  const std::size_t input_words = kan::row_words(unit.input_width);
  const std::size_t output_words = kan::row_words(unit.output_width);
  packed_.assign(rows * input_words, 0);
  results_.resize(rows * output_words);
  expected_.resize(std::size_t{rows} * unit.output_count);
  for (std::uint32_t i = 0; i < rows; ++i) {
    for (std::uint32_t j = 0; j < unit.input_count; ++j)
      kan::put_field(&packed_[i * input_words], unit.inputs[j],
                     codes_[std::size_t{i} * unit.input_count + j]);
  }
  const auto begin = std::chrono::steady_clock::now();
  if (!instance_.run(packed_, results_, rows)) {
    return fail(ErrorCode::kCorrupt, "{}: the simulation was stopped by an assertion of the design",
                unit.module);
  }
  simulation_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (auto ok = reference_.evaluate(codes_, rows, expected_); !ok) return ok;
  rows_compared_ += rows;
  for (std::uint32_t i = 0; i < rows; ++i) {
    for (std::uint32_t k = 0; k < unit.output_count; ++k) {
      const std::int32_t expected = expected_[std::size_t{i} * unit.output_count + k];
      const std::uint32_t* const row = &results_[i * output_words];
      const std::int32_t got = reference_.gives_scores()
                                   ? kan::get_signed_field(row, unit.outputs[k])
                                   : static_cast<std::int32_t>(kan::get_field(row, unit.outputs[k]));
      if (got == expected) continue;
      report({first + i, k, got, expected},
             std::span(codes_).subspan(std::size_t{i} * unit.input_count, unit.input_count));
    }
  }
  return reference_.has_output_stage() ? compare_scores(first, rows, report) : Result<void>{};
}

/// The output stage is no part of the design: the daemon applies it to what the design gives.
Result<void> UnitTester::compare_scores(std::uint64_t first, std::uint32_t rows, const Report& report) {
  const kantrig_rtl_unit& unit = instance_.unit();
  const std::size_t words = kan::row_words(unit.output_width);
  const std::size_t stride = kan::padded_events(rows);
  nodes_.resize(stride * unit.output_count);
  for (std::uint32_t k = 0; k < unit.output_count; ++k) {
    for (std::uint32_t i = 0; i < rows; ++i)
      nodes_[k * stride + i] =
          static_cast<std::int16_t>(kan::get_signed_field(&results_[i * words], unit.outputs[k]));
  }
  const auto scores = reference_.score(codes_, rows, {nodes_.data(), stride});
  if (!scores) return tl::unexpected(scores.error());
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (scores->of_nodes[i] == scores->expected[i]) continue;
    report({first + i, unit.output_count, scores->of_nodes[i], scores->expected[i]},
           std::span(codes_).subspan(std::size_t{i} * unit.input_count, unit.input_count));
  }
  return {};
}

}  // namespace kantrig::compiler
