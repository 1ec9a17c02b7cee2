#include "compiler/train/training_state.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "kantrig/v1/checkpoint.pb.h"

namespace kantrig::train {
namespace {

constexpr std::size_t kStateBytesMax = std::size_t{1} << 30U;

void store_record(const EpochRecord& record, v1::TrainingEpoch& out) {
  out.set_epoch(record.epoch);
  out.set_loss(record.loss);
  out.set_validation_loss(record.validation.loss);
  out.set_validation_accuracy(record.validation.accuracy);
  out.set_active_edges(record.active_edges);
  out.set_luts(record.luts);
  out.set_learning_rate(record.learning_rate);
}

EpochRecord record_of(const v1::TrainingEpoch& stored) {
  return {.epoch = stored.epoch(),
          .loss = stored.loss(),
          .validation = {.loss = stored.validation_loss(), .accuracy = stored.validation_accuracy()},
          .active_edges = stored.active_edges(),
          .luts = stored.luts(),
          .learning_rate = stored.learning_rate()};
}

Result<TrainingState> state_of(const v1::TrainingState& stored) {
  TrainingState state;
  auto kan = learned::decode_checkpoint(stored.kan());
  if (!kan) return tl::unexpected(kan.error().within("kan"));
  state.kan = std::move(*kan);
  state.parameters.assign(stored.parameters().begin(), stored.parameters().end());
  state.optimizer.first.assign(stored.first_moments().begin(), stored.first_moments().end());
  state.optimizer.second.assign(stored.second_moments().begin(), stored.second_moments().end());
  state.optimizer.beta1_power = stored.beta1_power();
  state.optimizer.beta2_power = stored.beta2_power();
  state.average.assign(stored.average().begin(), stored.average().end());
  if (stored.random_size() != static_cast<int>(state.random.size()))
    return fail(ErrorCode::kCorrupt, "random: has {} words, expected {}", stored.random_size(),
                state.random.size());
  std::copy(stored.random().begin(), stored.random().end(), state.random.begin());
  state.order.assign(stored.order().begin(), stored.order().end());
  for (const v1::TrainingEpoch& epoch : stored.epochs()) state.epochs.push_back(record_of(epoch));
  if (!stored.best().empty()) {
    auto best = learned::decode_checkpoint(stored.best());
    if (!best) return tl::unexpected(best.error().within("best"));
    state.best = std::move(*best);
    state.best_record = record_of(stored.best_epoch());
  }
  state.charge = stored.charge();
  return state;
}

}  // namespace

Result<void> write_state(const TrainingState& state, const std::string& task,
                         const std::filesystem::path& path) {
  v1::TrainingState message;
  message.set_task(task);
  message.set_kan(learned::encode_checkpoint(state.kan));
  message.mutable_parameters()->Add(state.parameters.begin(), state.parameters.end());
  message.mutable_first_moments()->Add(state.optimizer.first.begin(), state.optimizer.first.end());
  message.mutable_second_moments()->Add(state.optimizer.second.begin(), state.optimizer.second.end());
  message.set_beta1_power(state.optimizer.beta1_power);
  message.set_beta2_power(state.optimizer.beta2_power);
  message.mutable_average()->Add(state.average.begin(), state.average.end());
  message.mutable_random()->Add(state.random.begin(), state.random.end());
  message.mutable_order()->Add(state.order.begin(), state.order.end());
  for (const EpochRecord& record : state.epochs) store_record(record, *message.add_epochs());
  if (state.best) {
    message.set_best(learned::encode_checkpoint(*state.best));
    store_record(state.best_record, *message.mutable_best_epoch());
  }
  message.set_charge(state.charge);
  return base::write_file_atomic(path, message.SerializeAsString());
}

Result<std::optional<TrainingState>> read_state(const std::string& task, const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::optional<TrainingState>();
  const auto bytes = base::read_file(path, kStateBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  v1::TrainingState message;
  if (!message.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())))
    return fail(ErrorCode::kCorrupt, "{}: is no state of a training, or cut off; remove it to begin anew",
                path.string());
  if (message.task() != task) {
    return fail(
        ErrorCode::kInvalid,
        "{}: belongs to another specification or other data; remove it to begin anew, or name another file",
        path.string());
  }
  auto state = state_of(message);
  if (!state) return tl::unexpected(state.error().within(path.string()));
  return std::optional<TrainingState>(std::move(*state));
}

}  // namespace kantrig::train
