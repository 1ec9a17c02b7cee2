#include "compiler/train/train_log.hpp"

#include <iterator>

#include "picture/chart.hpp"

namespace kantrig::train {

std::string log_as_csv(std::span<const EpochRecord> epochs) {
  std::string text = "epoch,learning_rate,loss,validation_loss,validation_accuracy,active_edges,luts\n";
  for (const EpochRecord& record : epochs) {
    fmt::format_to(std::back_inserter(text), "{},{:.9g},{:.9g},{:.9g},{:.9g},{},{:.1f}\n", record.epoch,
                   record.learning_rate, record.loss, record.validation.loss, record.validation.accuracy,
                   record.active_edges, record.luts);
  }
  return text;
}

std::string log_as_picture(const Specification& specification, std::span<const EpochRecord> epochs,
                           std::uint32_t chosen_epoch) {
  picture::Series learned{.name = "training", .x = {}, .y = {}, .mark = picture::Mark::kLine, .labels = {}};
  picture::Series validation{
      .name = "validation", .x = {}, .y = {}, .mark = picture::Mark::kLine, .labels = {}};
  picture::Series chosen{.name = fmt::format("chosen epoch, {}", chosen_epoch),
                         .x = {},
                         .y = {},
                         .mark = picture::Mark::kPoints,
                         .labels = {}};
  for (const EpochRecord& record : epochs) {
    learned.x.push_back(record.epoch);
    learned.y.push_back(record.loss);
    validation.x.push_back(record.epoch);
    validation.y.push_back(record.validation.loss);
    if (record.epoch != chosen_epoch) continue;
    chosen.x.push_back(record.epoch);
    chosen.y.push_back(record.validation.loss);
  }
  const bool square = specification.task != Task::kClasses;
  return picture::draw(
      picture::Chart{.title = "Training of " + specification.name,
                     .x = {.label = "epoch"},
                     .y = {.label = square ? "mean square error" : "cross-entropy, nats",
                           .scale = square ? picture::Scale::kLogarithmic : picture::Scale::kLinear},
                     .series = {std::move(learned), std::move(validation), std::move(chosen)}});
}

}  // namespace kantrig::train
