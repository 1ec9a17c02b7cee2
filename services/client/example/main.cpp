// Sends random events to a running kantrigd and prints what it decided.
// Usage: kantrig_client_example [ENDPOINT]
#include <cstdio>
#include <random>
#include <vector>

#include "client/client.hpp"

int main(int argc, char** argv) {
  using namespace kantrig;
  client::Options options;
  options.name = "example";
  options.submit_wait_ms = 1'000;  // submit() may wait for room
  if (argc > 1) options.endpoint = argv[1];

  auto client = client::Client::connect(options);
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().message.c_str());
    return 4;
  }
  const client::Session& session = client->session();
  const auto feature_count = static_cast<std::uint32_t>(session.features.size());
  std::printf("model of %u features and %zu classes, menu of %zu lines\n", feature_count,
              session.classes.size(), session.lines.size());
  if (session.codes_only) {
    std::fprintf(stderr, "this model takes codes only, the example sends floats\n");
    return 1;
  }

  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 100; ++i) {
    client::BatchBuilder builder(feature_count, 256);
    std::vector<float> row(feature_count);
    while (!builder.full()) {
      for (float& value : row) value = normal(random);
      builder.add(row);
    }
    auto taken = client->submit(builder.take(), [](const client::Answer& answer) {
      if (answer.outcome == client::Outcome::kDecided && answer.accepted(0)) {
        std::printf("event %llu is kept\n", static_cast<unsigned long long>(answer.first_event_id));
      }
    });
    if (!taken) std::fprintf(stderr, "%s\n", taken.error().message.c_str());
    client->poll(0);  // callbacks run in here
  }

  const auto counts = client->close(10'000);
  if (!counts) {
    std::fprintf(stderr, "%s\n", counts.error().message.c_str());
    return 4;
  }
  std::printf("%llu events sent, %llu accepted\n", static_cast<unsigned long long>(counts->events_sent),
              static_cast<unsigned long long>(counts->events_accepted));
  return 0;
}
