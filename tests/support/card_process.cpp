#include "support/card_process.hpp"

namespace kantrig::test {

Result<void> CardProcess::start(const std::vector<std::string>& more,
                                const std::vector<std::string>& environment) {
  std::vector<std::string> words{KANTRIG_BINARY_DIR "/bin/kantrig-card",
                                 "--device",
                                 "0000:00:00.0",
                                 "--socket",
                                 socket().native(),
                                 "--retry-min-ms",
                                 "20",
                                 "--retry-max-ms",
                                 "200"};
  words.insert(words.end(), more.begin(), more.end());
  return process_.start(std::move(words), environment);
}

}  // namespace kantrig::test
