#include "backend/rtl_sim/rtl_sim_model.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <vector>

#include "base/digest.hpp"
#include "kan/model_proto.hpp"

namespace kantrig::backend {
namespace {

constexpr std::uint32_t kChunkEvents = 256;  // rows that are packed at once

class RtlSimWorkspace final : public Workspace {
 public:
  RtlSimWorkspace(const kan::Evaluator& evaluator, std::optional<kan::RtlInstance> instance,
                  std::uint32_t events_max)
      : evaluator_(evaluator), instance_(std::move(instance)), space_(evaluator, events_max) {
    stride_ = kan::padded_events(events_max);
    outputs_.resize(stride_ * evaluator.model().node_count());
    classes_.resize(stride_);
    codes_.resize(std::size_t{kChunkEvents} * evaluator.model().input_count());
    if (!instance_) return;
    rows_.resize(kChunkEvents * kan::row_words(instance_->unit().input_width));
    results_.resize(kChunkEvents * kan::row_words(instance_->unit().output_width));
  }

  std::uint32_t evaluate(const Payload& payload, kan::ClampCounts clamped) noexcept override {
    const std::uint32_t malformed = load_codes(evaluator_, payload, space_, clamped);
    bool simulated = instance_.has_value();
    for (std::uint32_t first = 0; simulated && first < payload.event_count; first += kChunkEvents)
      simulated = simulate(first, std::min(kChunkEvents, payload.event_count - first));
    if (!simulated)
      evaluate_on_cpu(payload.event_count);
    else if (evaluator_.model().output_stage)
      score(payload.event_count);
    path_ = simulated ? wire::Path::kFpga : wire::Path::kCpu;
    return malformed;
  }
  [[nodiscard]] const std::int16_t* outputs(std::uint32_t k) const noexcept override {
    return outputs_.data() + k * stride_;
  }
  [[nodiscard]] const std::uint8_t* classes() const noexcept override { return classes_.data(); }
  [[nodiscard]] std::span<const std::uint64_t> malformed() const noexcept override {
    return space_.malformed();
  }
  [[nodiscard]] wire::Path path() const noexcept override { return path_; }

 private:
  bool simulate(std::uint32_t first, std::uint32_t events) noexcept {
    const kantrig_rtl_unit& unit = instance_->unit();
    const auto codes = std::span(codes_).first(std::size_t{events} * unit.input_count);
    evaluator_.copy_codes(space_, first, codes);
    const std::uint32_t input_words = kan::row_words(unit.input_width);
    std::ranges::fill(rows_, 0U);
    for (std::uint32_t i = 0; i < events; ++i) {
      std::uint32_t* const row = &rows_[std::size_t{i} * input_words];
      for (std::uint32_t j = 0; j < unit.input_count; ++j)
        kan::put_field(row, unit.inputs[j], codes[std::size_t{i} * unit.input_count + j]);
    }
    if (!instance_->run(rows_, results_, events)) return false;
    const std::uint32_t output_words = kan::row_words(unit.output_width);
    for (std::uint32_t i = 0; i < events; ++i) {
      const std::uint32_t* const row = &results_[std::size_t{i} * output_words];
      for (std::uint32_t k = 0; k < unit.output_count; ++k)
        outputs_[k * stride_ + first + i] =
            static_cast<std::int16_t>(kan::get_signed_field(row, unit.outputs[k]));
      if (!evaluator_.model().output_stage) classes_[first + i] = class_of(first + i, unit.output_count);
    }
    return true;
  }

  /// The nodes are used up: the score takes the place of the first.
  void score(std::uint32_t events) noexcept {
    evaluator_.score_nodes({outputs_.data(), stride_}, space_);
    take_over(events);
  }

  /// As kan::reference_class() defines it. Precondition: no output stage.
  [[nodiscard]] std::uint8_t class_of(std::size_t event, std::uint32_t output_count) const noexcept {
    if (output_count == 1) return outputs_[event] > 0 ? 1 : 0;
    std::uint32_t best = 0;
    for (std::uint32_t k = 1; k < output_count; ++k) {
      if (outputs_[k * stride_ + event] > outputs_[best * stride_ + event]) best = k;
    }
    return static_cast<std::uint8_t>(best);
  }

  void evaluate_on_cpu(std::uint32_t events) noexcept {
    evaluator_.evaluate(space_);
    take_over(events);
  }

  /// What the evaluator left in its own workspace.
  void take_over(std::uint32_t events) noexcept {
    for (std::uint32_t k = 0; k < evaluator_.model().output_count(); ++k)
      std::copy_n(space_.outputs(k), events, outputs_.begin() + static_cast<std::ptrdiff_t>(k * stride_));
    std::copy_n(space_.classes(), events, classes_.begin());
  }

  const kan::Evaluator& evaluator_;
  std::optional<kan::RtlInstance> instance_;  // empty: there was no memory for it
  kan::Workspace space_;
  std::size_t stride_ = 0;
  std::vector<std::int16_t> outputs_;  // node or output k of event i at k * stride_ + i
  std::vector<std::uint8_t> classes_;
  std::vector<std::uint16_t> codes_;    // of a chunk, row by row
  std::vector<std::uint32_t> rows_;     // packed
  std::vector<std::uint32_t> results_;  // packed
  wire::Path path_ = wire::Path::kUnspecified;
};

/// What the simulation takes and gives is what the model takes and gives.
Result<void> check_shape(const kan::Model& model, const kantrig_rtl_unit& unit,
                         const std::filesystem::path& file) {
  bool fits = unit.input_count == model.input_count() && unit.output_count == model.node_count();
  for (std::uint32_t i = 0; fits && i < unit.input_count; ++i)
    fits = unit.inputs[i].width >= model.inputs[i].bits;
  if (fits) return {};
  return fail(ErrorCode::kCorrupt,
              "simulated design {}: takes {} codes and gives {} scores, expected {} and {}", file.string(),
              unit.input_count, unit.output_count, model.input_count(), model.node_count());
}

}  // namespace

Result<std::shared_ptr<const PreparedModel>> RtlSimModel::create(const kan::Bundle& bundle,
                                                                 kan::Evaluator evaluator,
                                                                 const std::filesystem::path& library) {
  const std::string digest = base::sha256(kan::encode_model(bundle.model)).hex();
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(library, ignored);
  const std::filesystem::path file = folder ? library / (digest + ".so") : library;
  if (!std::filesystem::exists(file, ignored)) {
    return fail(
        ErrorCode::kNotFound,
        "backend rtl_sim: no simulated design of this model: {} does not exist; kanc simulate makes it",
        file.string());
  }
  auto opened = kan::RtlLibrary::open(file);
  if (!opened) return tl::unexpected(opened.error().within("backend rtl_sim"));
  if ((*opened)->model_digest() != digest) {
    return fail(
        ErrorCode::kInvalid,
        "backend rtl_sim: {} simulates {}, model digest {:.12}, expected {:.12}: make one of this model with "
        "kanc simulate, and name a folder in backend.rtl_sim_library to have several",
        file.string(), (*opened)->bundle(), (*opened)->model_digest(), digest);
  }
  if (auto ok = check_shape(bundle.model, (*opened)->units().front(), file); !ok)
    return tl::unexpected(ok.error().within("backend rtl_sim"));
  return std::shared_ptr<const PreparedModel>(new RtlSimModel(std::move(evaluator), std::move(*opened)));
}

std::unique_ptr<Workspace> RtlSimModel::make_workspace(std::uint32_t events_max,
                                                       std::optional<std::uint32_t> /*shard*/) const {
  auto instance = library_->create(0);
  return std::make_unique<RtlSimWorkspace>(
      evaluator(), instance ? std::optional(std::move(*instance)) : std::nullopt, events_max);
}

}  // namespace kantrig::backend
