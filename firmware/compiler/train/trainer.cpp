#include "compiler/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/assert.hpp"
#include "base/digest.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/train/area.hpp"
#include "compiler/train/calibrate.hpp"
#include "compiler/train/initial.hpp"
#include "compiler/train/lbfgs.hpp"
#include "compiler/train/teacher.hpp"
#include "compiler/train/training_state.hpp"

namespace kantrig::train {
namespace {

constexpr double kChargeFirst = 1e-6;      // loss a LUT, where the search for the right charge begins
constexpr double kChargeStep = 1.3;        // by an epoch, at most
constexpr double kBudgetUsed = 0.98;       // the estimate wanders a little
constexpr double kSpreadKept = 0.4;        // codes; an edge that varies less is as good as gone
constexpr std::uint32_t kSearchEvery = 4;  // epochs between two searches for widths
constexpr std::size_t kSearchRows = 12'288;

/// Learning rows and validation rows: a random split by the seed, each kept in rising order.
struct Split {
  std::vector<std::uint32_t> learned;
  std::vector<std::uint32_t> validation;
};

Split split_rows(std::size_t rows, double validation_fraction, learned::Random& random) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  const auto held_out =
      static_cast<std::ptrdiff_t>(std::max(1.0, std::floor(validation_fraction * static_cast<double>(rows))));
  Split split{.learned = {order.begin() + held_out, order.end()},
              .validation = {order.begin(), order.begin() + held_out}};
  std::sort(split.learned.begin(), split.learned.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

/// KANELE's ramp (arXiv 2512.12850, the published code): 0 up to the start, 95 % of the way at the end.
double pruning_threshold(const PruningPlan& plan, std::uint32_t epoch) {
  if (epoch <= plan.start_epoch) return 0.0;
  if (epoch >= plan.end_epoch) return plan.threshold;
  const double part = static_cast<double>(epoch - plan.start_epoch) / (plan.end_epoch - plan.start_epoch);
  return plan.threshold * (1.0 - learned::exponential(-learned::logarithm(20.0) * part));
}

double rate_at(const TrainingPlan& plan, std::uint32_t epoch) {
  if (plan.schedule == Schedule::kCosine) {  // Loshchilov and Hutter, arXiv 1608.03983, without restarts
    const double part = plan.epochs == 1 ? 0.0 : static_cast<double>(epoch - 1) / (plan.epochs - 1);
    const double wave = 0.5 * (1.0 + learned::cosine(std::numbers::pi * part));
    return plan.learning_rate * (plan.learning_rate_decay + (1.0 - plan.learning_rate_decay) * wave);
  }
  double rate = plan.learning_rate;
  for (std::uint32_t e = 1; e < epoch; ++e) rate *= plan.learning_rate_decay;
  return rate;
}

std::vector<double> class_weights(const Specification& specification, const Samples& samples,
                                  std::span<const std::uint32_t> rows) {
  if (specification.task != Task::kClasses || !specification.training.balanced)
    return specification.training.class_weights;
  std::vector<double> counts(specification.classes.size(), 0.0);
  for (const std::uint32_t row : rows) counts[samples.classes[row]] += 1.0;
  const double mean = static_cast<double>(rows.size()) / static_cast<double>(counts.size());
  for (double& count : counts) count = mean / std::max(count, 1.0);
  return counts;
}

std::vector<std::uint32_t> spread_over(std::span<const std::uint32_t> rows, std::size_t count) {
  std::vector<std::uint32_t> taken;
  const std::size_t all = std::min(count, rows.size());
  for (std::size_t n = 0; n < all; ++n) taken.push_back(rows[n * rows.size() / all]);
  return taken;
}

/// One training on its way. Threading: owned by one thread, has helpers.
class Run {
 public:
  Run(const Specification& specification, const Dataset& data, const TrainOptions& options)
      : specification_(specification),
        plan_(specification.training),
        data_(data),
        options_(options),
        team_(options.threads) {}

  Result<Training> run();

 private:
  Result<void> begin();
  Result<void> resume();
  Result<void> rebuild();
  double run_steps(double rate);
  double run_lbfgs();
  void change_structure(std::uint32_t epoch, bool& changed);
  void follow_budget(std::uint32_t epoch, bool& changed);
  Result<void> run_epoch(std::uint32_t epoch);
  void judge(EpochRecord& record);
  [[nodiscard]] bool better(const EpochRecord& a, const EpochRecord& b) const;
  [[nodiscard]] bool eligible(const EpochRecord& record) const;
  [[nodiscard]] learned::LearnedKan averaged() const;
  [[nodiscard]] std::string task() const;

  const Specification& specification_;
  const TrainingPlan& plan_;
  const Dataset& data_;
  const TrainOptions& options_;
  ThreadTeam team_;
  Loss loss_;
  Samples samples_;
  Split split_;
  TrainingState state_;
  std::optional<ParameterMap> map_;
  std::vector<double> gradient_;
  std::vector<double> decayed_;
  std::optional<AdamW> optimizer_;
  std::optional<Objective> objective_;
  std::optional<Lbfgs> lbfgs_;
  Occupancy occupancy_;
};

std::string Run::task() const {
  std::string text =
      fmt::format("{} {} {} {}", options_.specification_digest, data_.sha256, plan_.epochs, plan_.seed);
  for (const learned::LearnedKan& teacher : options_.teachers)
    text += base::sha256(learned::encode_checkpoint(teacher)).hex();
  if (options_.start) text += base::sha256(learned::encode_checkpoint(*options_.start)).hex();
  return text + specification_.name + specification_.version;
}

Result<void> Run::begin() {
  const std::size_t rows = plan_.rows == 0 ? data_.rows() : static_cast<std::size_t>(plan_.rows);
  learned::Random random(plan_.seed);
  split_ = split_rows(rows, plan_.validation_fraction, random);
  const std::vector<learned::Input> inputs =
      options_.start ? options_.start->inputs : fit_inputs(specification_, data_, split_.learned);
  samples_ = make_samples(specification_, inputs, data_, rows);
  if (options_.start) {
    auto start = prepare_start(specification_, *options_.start, data_, split_.learned);
    if (!start) return tl::unexpected(start.error());
    state_.kan = std::move(*start);
    for (std::size_t j = 0; j < state_.kan.inputs.size(); ++j) {
      if (state_.kan.inputs[j].bits > 0) encode_again(state_.kan.inputs, j, data_, samples_);
    }
  } else {
    state_.kan = initial_kan(specification_, inputs, samples_, random);
  }
  state_.random = random.state();
  state_.order = split_.learned;
  for (const learned::LearnedKan& teacher : options_.teachers) {
    if (teacher.classes == specification_.classes) continue;
    return fail(ErrorCode::kInvalid,
                "teacher '{}' knows other classes, or in another order, than the specification",
                teacher.name);
  }
  if (!options_.teachers.empty()) {
    if (auto ok = add_teachers(options_.teachers, data_, team_, samples_); !ok) return ok;
  }
  loss_ = {.kind = specification_.loss_kind(),
           .class_weights = class_weights(specification_, samples_, split_.learned),
           .teacher_share = options_.teachers.empty() ? 0.0 : plan_.teacher_share};
  return resume();
}

Result<void> Run::resume() {
  if (!options_.resume.empty()) {
    auto stored = read_state(task(), options_.resume);
    if (!stored) return tl::unexpected(stored.error());
    if (*stored) {
      state_ = std::move(**stored);
      for (std::size_t j = 0; j < state_.kan.inputs.size(); ++j) {
        if (state_.kan.inputs[j].bits > 0) encode_again(state_.kan.inputs, j, data_, samples_);
      }
      for (const EpochRecord& record : state_.epochs) {
        if (options_.progress) options_.progress(record);
      }
    }
  }
  return rebuild();
}

/// Engine, parameters and optimiser of the structure that state_.kan has now.
Result<void> Run::rebuild() {
  const bool first = !map_.has_value();
  if (first) map_.emplace(state_.kan, specification_.thresholds);
  if (!first || state_.parameters.empty()) state_.parameters = map_->pack(state_.kan);
  if (state_.parameters.size() != map_->size())
    return fail(ErrorCode::kCorrupt, "the state has {} parameters, expected {}", state_.parameters.size(),
                map_->size());
  decayed_ = map_->decayed(state_.kan);
  gradient_.assign(map_->size(), 0.0);
  const std::size_t slots = Objective::slot_count(std::max<std::size_t>(plan_.batch_size, kChunkRows * 4));
  auto engine = make_engine(state_.kan, *map_, slots);
  if (!engine) return tl::unexpected(engine.error());
  objective_.emplace(std::move(*engine), loss_, slots, team_);
  if (first) {
    optimizer_.emplace(map_->size(), AdamWOptions{.weight_decay = plan_.weight_decay});
    if (!state_.optimizer.first.empty()) optimizer_->restore(state_.optimizer);
  }
  if (state_.average.empty() || !first)
    state_.average = plan_.average > 0.0 ? state_.parameters : std::vector<double>();
  if (state_.kan.quantized() &&
      (specification_.pruning.threshold > 0.0 || specification_.area.lut_budget > 0.0))
    occupancy_ = count_codes(state_.kan, samples_, split_.learned);
  if (plan_.optimizer == Optimizer::kLbfgs) {
    lbfgs_.emplace([this](std::span<const double> parameters, std::span<double> gradient) {
      return objective_->learn(parameters, samples_, split_.learned, gradient);
    });
  }
  return {};
}

double Run::run_steps(double rate) {
  learned::Random random(state_.random);
  random.shuffle(state_.order);
  state_.random = random.state();
  objective_->set_charge({});
  if (state_.charge > 0.0) {
    objective_->set_charge([this](Engine& engine) {
      charge_tables(static_cast<TableEngine&>(engine), state_.kan, occupancy_, state_.charge);
    });
  }
  double loss = 0.0;
  std::size_t steps = 0;
  for (std::size_t begin = 0; begin < state_.order.size(); begin += plan_.batch_size, ++steps) {
    const std::size_t size = std::min<std::size_t>(plan_.batch_size, state_.order.size() - begin);
    loss += objective_->learn(state_.parameters, samples_, std::span(state_.order).subspan(begin, size),
                              gradient_);
    optimizer_->step(state_.parameters, gradient_, rate, decayed_);
    for (std::size_t i = 0; i < state_.average.size(); ++i)
      state_.average[i] = plan_.average * state_.average[i] + (1.0 - plan_.average) * state_.parameters[i];
  }
  return loss / static_cast<double>(steps);
}

/// Called with the structure of the epoch's end: parameters are unpacked.
void Run::change_structure(std::uint32_t epoch, bool& changed) {
  const double threshold = pruning_threshold(specification_.pruning, epoch);
  if (threshold > 0.0) {
    occupancy_ = count_codes(state_.kan, samples_, split_.learned);
    changed = prune(state_.kan, occupancy_, specification_.pruning.rule, threshold) || changed;
  }
  if (specification_.area.lut_budget > 0.0) follow_budget(epoch, changed);
}

/// The budget's target falls from what the model takes at the start to the budget, by equal factors an epoch;
/// the charge follows how far the estimate lies from it, and what it has made small goes. What the charge
/// leaves to do at the end, the search for widths does.
void Run::follow_budget(std::uint32_t epoch, bool& changed) {
  const AreaPlan& area = specification_.area;
  if (epoch < area.start_epoch) return;
  occupancy_ = count_codes(state_.kan, samples_, split_.learned);
  changed = prune(state_.kan, occupancy_, PruningRule::kSpread, kSpreadKept) || changed;
  const double luts = estimated_luts(state_.kan);
  const double before =
      state_.epochs.empty()
          ? luts
          : state_.epochs[std::min<std::size_t>(area.start_epoch, state_.epochs.size()) - 1].luts;
  const double part =
      std::min(1.0, static_cast<double>(epoch - area.start_epoch + 1) / (area.end_epoch - area.start_epoch));
  const double first = std::max(before, area.lut_budget);
  const double target =
      kBudgetUsed * first * learned::exponential(part * learned::logarithm(area.lut_budget / first));
  const double ratio = luts / target;
  state_.charge = state_.charge == 0.0 ? kChargeFirst * area.charge : state_.charge;
  state_.charge *= std::clamp(ratio * ratio * ratio, 1.0 / kChargeStep, kChargeStep);
  if (epoch < area.end_epoch || luts <= area.lut_budget || (epoch - area.end_epoch) % kSearchEvery != 0)
    return;
  const std::vector<std::uint32_t> rows = spread_over(split_.learned, kSearchRows);
  const WidthSearch search{
      .data = &data_, .loss = loss_, .rows = rows, .thresholds = specification_.thresholds, .team = &team_};
  changed = narrow(state_.kan, samples_, search, target) || changed;
}

learned::LearnedKan Run::averaged() const {
  learned::LearnedKan kan = state_.kan;
  if (!state_.average.empty()) map_->unpack(state_.average, kan);
  return kan;
}

bool Run::better(const EpochRecord& a, const EpochRecord& b) const {
  const bool by_loss = specification_.task != Task::kClasses || plan_.choose_by == ChooseBy::kLoss;
  if (!by_loss && a.validation.accuracy != b.validation.accuracy)
    return a.validation.accuracy > b.validation.accuracy;
  return a.validation.loss < b.validation.loss;
}

bool Run::eligible(const EpochRecord& record) const {
  const PruningPlan& pruning = specification_.pruning;
  if (pruning.threshold > 0.0 && record.epoch < std::min(pruning.end_epoch, plan_.epochs)) return false;
  const AreaPlan& area = specification_.area;
  return area.lut_budget == 0.0 || (record.epoch >= area.end_epoch && record.luts <= area.lut_budget);
}

void Run::judge(EpochRecord& record) {
  learned::LearnedKan kan = averaged();
  objective_->prepare(state_.average.empty() ? state_.parameters : state_.average);
  record.validation = objective_->score(samples_, split_.validation);
  record.active_edges = kan.active_edges();
  if (kan.quantized()) record.luts = estimated_luts(kan);
  if (!eligible(record) || (state_.best && !better(record, state_.best_record))) return;
  state_.best = std::move(kan);
  state_.best_record = record;
}

Result<void> Run::run_epoch(std::uint32_t epoch) {
  EpochRecord record;
  record.epoch = epoch;
  record.learning_rate = rate_at(plan_, epoch);
  record.loss = lbfgs_ ? lbfgs_->step(state_.parameters) : run_steps(record.learning_rate);
  if (!std::isfinite(record.loss)) {
    return fail(ErrorCode::kInvalid,
                "training diverged in epoch {}: the loss is no number; lower training.learning_rate", epoch);
  }
  map_->unpack(state_.parameters, state_.kan);
  if (!state_.kan.quantized()) {
    judge(record);
  } else {
    bool changed = false;
    change_structure(epoch, changed);
    if (changed) {
      if (auto ok = rebuild(); !ok) return ok;
    }
    judge(record);
  }
  state_.epochs.push_back(record);
  if (options_.progress) options_.progress(record);
  return {};
}

Result<Training> Run::run() {
  if (auto ok = begin(); !ok) return tl::unexpected(ok.error());
  auto saved = std::chrono::steady_clock::now();
  for (auto epoch = static_cast<std::uint32_t>(state_.epochs.size()) + 1; epoch <= plan_.epochs; ++epoch) {
    if (auto ok = run_epoch(epoch); !ok) return tl::unexpected(ok.error());
    if (plan_.patience > 0 && state_.best && epoch >= state_.best_record.epoch + plan_.patience) break;
    if (options_.resume.empty()) continue;
    const auto now = std::chrono::steady_clock::now();
    if (std::chrono::duration<double>(now - saved).count() < options_.resume_seconds) continue;
    state_.optimizer = optimizer_->state();
    if (auto ok = write_state(state_, task(), options_.resume); !ok) return tl::unexpected(ok.error());
    saved = now;
  }
  if (!state_.best) {
    return fail(ErrorCode::kInvalid,
                "no epoch met area.lut_budget, {}; the last model is estimated at {:.0f} LUTs",
                specification_.area.lut_budget, state_.epochs.back().luts);
  }
  std::error_code ignored;
  if (!options_.resume.empty()) std::filesystem::remove(options_.resume, ignored);
  for (std::size_t j = 0; j < state_.best->inputs.size(); ++j) {
    if (state_.best->inputs[j].bits > 0) encode_again(state_.best->inputs, j, data_, samples_);
  }
  return Training{.kan = std::move(*state_.best),
                  .samples = std::move(samples_),
                  .learned = std::move(split_.learned),
                  .validation = std::move(split_.validation),
                  .epochs = std::move(state_.epochs),
                  .chosen_epoch = state_.best_record.epoch};
}

}  // namespace

Result<Training> train(const Specification& specification, const Dataset& data, const TrainOptions& options) {
  if (auto ok = check_dataset(specification, data); !ok) return tl::unexpected(ok.error());
  if (specification.pruning.threshold > 0.0 && !specification.quantized)
    return fail(ErrorCode::kInvalid, "pruning.threshold: asks for model.quantized = true");
  return Run(specification, data, options).run();
}

}  // namespace kantrig::train
