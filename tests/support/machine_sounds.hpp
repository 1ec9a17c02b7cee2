// Spectra of 64 bands as of a machine that runs (the shape of ToyADMOS features): normal ones follow four
// hidden factors, anomalies have something else in them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <fmt/core.h>

namespace kantrig::test {

constexpr std::uint32_t kSoundBands = 64;

struct MachineSounds {
  std::vector<float> values;          // rows x kSoundBands, in dB
  std::vector<std::uint32_t> labels;  // 0: normal, 1: anomaly

  [[nodiscard]] std::size_t rows() const { return labels.size(); }
};

/// Uniform in [low, high); the same everywhere, which std's distributions are not.
inline double uniform(std::mt19937_64& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random() >> 11U) * 0x1.0p-53;
}

/// A line of a spectrum, 1 at its middle.
inline double line_at(double band, double middle, double width) {
  const double away = (band - middle) / width;
  return 1.0 / (1.0 + away * away);
}

/// One spectrum: a motor with two overtones, a fan, noise. An anomaly has a narrow line more, of a worn
/// bearing, or a fan that hums in another place.
inline void add_sound(bool anomaly, std::mt19937_64& random, MachineSounds& sounds) {
  const double speed = uniform(random, 8.0, 14.0);
  const double load = uniform(random, 8.0, 16.0);
  const double fan = uniform(random, 4.0, 10.0);
  const double floor = uniform(random, 0.0, 4.0);
  const bool worn = anomaly && random() % 2 == 0;
  const double worn_at = uniform(random, 4.0, 60.0);
  const double fan_at = anomaly && !worn ? uniform(random, 22.0, 34.0) : 50.0;
  for (std::uint32_t band = 0; band < kSoundBands; ++band) {
    double level = floor + 0.05 * band + uniform(random, -0.5, 0.5);
    for (const double overtone : {1.0, 2.0, 3.0})
      level += load / overtone * line_at(band, speed * overtone, 3.0 * overtone);
    level += fan * line_at(band, fan_at, 5.0);
    if (worn) level += 9.0 * line_at(band, worn_at, 1.0);
    sounds.values.push_back(static_cast<float>(level));
  }
  sounds.labels.push_back(anomaly ? 1 : 0);
}

/// Every `anomaly_every`-th sound is an anomaly; 0: none.
inline MachineSounds machine_sounds(std::size_t rows, std::size_t anomaly_every, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  MachineSounds sounds;
  for (std::size_t row = 0; row < rows; ++row)
    add_sound(anomaly_every > 0 && row % anomaly_every == 0, random, sounds);
  return sounds;
}

inline std::string band_name(std::uint32_t band) {
  return fmt::format("mel{}", band);
}

/// As a .csv with a header; with the column "kind" where asked.
inline std::string sounds_csv(const MachineSounds& sounds, bool with_kind) {
  std::string text;
  for (std::uint32_t band = 0; band < kSoundBands; ++band)
    text += fmt::format("{}{}", band == 0 ? "" : ",", band_name(band));
  text += with_kind ? ",kind\n" : "\n";
  for (std::size_t row = 0; row < sounds.rows(); ++row) {
    for (std::uint32_t band = 0; band < kSoundBands; ++band)
      text += fmt::format("{}{}", band == 0 ? "" : ",", sounds.values[row * kSoundBands + band]);
    text += with_kind ? (sounds.labels[row] == 1 ? ",anomaly\n" : ",normal\n") : "\n";
  }
  return text;
}

/// What `kanc train` is asked for.
inline std::string sound_specification(std::uint32_t epochs) {
  std::string text = "name = \"sounds\"\nversion = \"1.0.0\"\ntask = \"autoencoder\"\nfeatures = [\n";
  for (std::uint32_t band = 0; band < kSoundBands; ++band)
    text += fmt::format("  {{ name = \"{}\", unit = \"dB\" }},\n", band_name(band));
  text += fmt::format(R"(]
[model]
layers = [64, 16, 8, 16, 64]
bits = [6, 8, 8, 8, 8]
grid_size = 6
[training]
epochs = {}
batch_size = 64
learning_rate = 0.01
learning_rate_decay = 0.9
choose_by = "loss"
[score]
measure = "absolute"
threshold_percent = 98
)",
                      epochs);
  return text;
}

}  // namespace kantrig::test
