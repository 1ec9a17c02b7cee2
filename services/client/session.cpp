#include "client/session.hpp"

#include <utility>

namespace kantrig::client {

Session Session::of(const wire::WelcomeView& welcome, std::string endpoint) {
  Session session;
  session.endpoint = std::move(endpoint);
  session.credit = welcome.credit;
  session.events_per_batch_max = welcome.events_per_batch_max;
  session.heartbeat_interval_ms = welcome.heartbeat_interval_ms;
  session.run = welcome.run;
  session.generation = welcome.generation;
  session.model_digest.assign(welcome.model_digest.begin(), welcome.model_digest.end());
  session.menu_digest.assign(welcome.menu_digest.begin(), welcome.menu_digest.end());
  session.features.assign(welcome.features.begin(), welcome.features.end());
  session.classes.assign(welcome.classes.begin(), welcome.classes.end());
  session.lines.assign(welcome.lines.begin(), welcome.lines.end());
  session.feature_bits.assign(welcome.feature_bits.begin(), welcome.feature_bits.end());
  session.codes_only = welcome.codes_only;
  return session;
}

}  // namespace kantrig::client
