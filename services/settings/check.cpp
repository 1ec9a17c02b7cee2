// check(): what no single key can tell: contradictions between keys, and the form of endpoints and addresses.
#include <algorithm>
#include <map>

#include "card_link/region.hpp"
#include "settings/endpoint.hpp"
#include "settings/keys.hpp"
#include "telemetry/listen_address.hpp"

namespace kantrig::settings {
namespace {

Result<void> check_bounds(const Settings& settings) {
  Settings copy = settings;
  for (const Key& key : all_keys()) {
    if (auto fits = key.set(copy, key.get(settings)); !fits) {
      return fail(ErrorCode::kInvalid, "{} {}", key.name, fits.error().message);
    }
  }
  return {};
}

Result<void> check_endpoints(const Settings& settings) {
  const auto control = parse_endpoint(settings.control.endpoint);
  if (!control) return tl::unexpected(control.error().within("control.endpoint"));
  std::map<std::string, std::string> owners = {{control->text(), "control.endpoint"}};
  for (const std::string& text : settings.events.endpoints) {
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return tl::unexpected(endpoint.error().within("events.endpoints"));
    const std::uint32_t last_port = endpoint->port + settings.events.shards - 1;
    if (endpoint->scheme == Endpoint::Scheme::kTcp && endpoint->port != 0 && last_port > UINT16_MAX) {
      return fail(ErrorCode::kInvalid,
                  "events.endpoints contradicts events.shards: \"{}\" with {} shards needs port {}, "
                  "the last one is 65535",
                  text, settings.events.shards, last_port);
    }
    for (std::uint32_t shard = 0; shard < settings.events.shards; ++shard) {
      const Endpoint derived = endpoint->for_shard(shard);
      if (derived.scheme == Endpoint::Scheme::kTcp && derived.port == 0) continue;
      const std::string owner = fmt::format("events.endpoints, shard {} of \"{}\"", shard, text);
      const auto [other, fresh] = owners.emplace(derived.text(), owner);
      if (!fresh) {
        return fail(ErrorCode::kInvalid, "two sockets would listen at {}: {}, and {}", derived.text(),
                    other->second, owner);
      }
    }
  }
  return {};
}

/// One "a contradicts b" each: the condition that must hold, and what to say when it does not.
struct Rule {
  bool holds;
  std::string broken;
};

constexpr std::size_t kSocketPathBytesMax = 107;  // of a Unix socket
constexpr std::uint64_t kAnswerBytesMax = 64ULL << 30U;

std::vector<Rule> event_rules(const EventsSettings& e) {
  return {
      {e.credit_events >= e.batch_events_max,
       fmt::format("events.credit_events ({}) contradicts events.batch_events_max ({}): the longest batch "
                   "could never be "
                   "sent; raise the one or lower the other",
                   e.credit_events, e.batch_events_max)},
      {e.credit_bytes >= e.payload_bytes_max,
       fmt::format("events.credit_bytes ({}) contradicts events.payload_bytes_max ({}): the largest payload "
                   "could never "
                   "be sent; raise the one or lower the other",
                   e.credit_bytes, e.payload_bytes_max)},
      {e.unsent_answers_max >= e.credit_batches,
       fmt::format("events.unsent_answers_max ({}) contradicts events.credit_batches ({}): a client within "
                   "its credit "
                   "could be cut; raise the one or lower the other",
                   e.unsent_answers_max, e.credit_batches)},
      {e.lane_timeout_ms >= 2 * e.heartbeat_interval_ms,
       fmt::format("events.lane_timeout_ms ({}) contradicts events.heartbeat_interval_ms ({}): expected at "
                   "least twice "
                   "as much, or one late heartbeat cuts a lane",
                   e.lane_timeout_ms, e.heartbeat_interval_ms)},
      {e.lanes_max * e.answer_bytes_kept <= kAnswerBytesMax,
       fmt::format("events.lanes_max ({}) times events.answer_bytes_kept ({}) is more than {} bytes of "
                   "ledger a shard; "
                   "lower one of them",
                   e.lanes_max, e.answer_bytes_kept, kAnswerBytesMax)},
      {e.payload_bytes_max >= e.batch_events_max,
       fmt::format(
           "events.payload_bytes_max ({}) contradicts events.batch_events_max ({}): not one byte an event",
           e.payload_bytes_max, e.batch_events_max)},
  };
}

std::vector<Rule> other_rules(const Settings& s) {
  const bool cpus_named = !s.threads.shard_cpus.empty();
  return {
      {!cpus_named || s.threads.shard_cpus.size() == s.events.shards,
       fmt::format("threads.shard_cpus has {} lists and contradicts events.shards ({}): expected one list a "
                   "shard, or none",
                   s.threads.shard_cpus.size(), s.events.shards)},
      {!s.threads.busy_poll || s.threads.realtime_priority == 0 || cpus_named,
       "threads.busy_poll with threads.realtime_priority needs threads.shard_cpus: a shard that never sleeps "
       "and yields "
       "to nobody must have named CPUs"},
      {!s.model.require_signature || !s.model.public_keys.empty(),
       "model.require_signature contradicts model.public_keys (empty): no bundle could ever be accepted"},
      {s.backend.kind != "rtl_sim" || !s.backend.rtl_sim_library.empty(),
       "backend.kind \"rtl_sim\" contradicts backend.rtl_sim_library (empty): expected what kanc simulate "
       "made"},
      {s.model.active.find('/') == std::string::npos && s.model.active[0] != '.',
       fmt::format("model.active is \"{}\", expected the name of a folder in model.repository, as jets-1.1.0",
                   s.model.active)},
  };
}

std::vector<Rule> card_rules(const Settings& s) {
  const CardSettings& c = s.card;
  const std::uint64_t cards = std::max<std::size_t>(c.sockets.size(), 1);
  const std::uint64_t shards_of_one = (s.events.shards + cards - 1) / cards;
  const std::uint64_t region_bytes = shards_of_one * c.slots * 2 * c.slot_bytes;
  std::vector<Rule> rules = {
      {s.backend.kind != "card" || !c.sockets.empty(),
       "backend.kind \"card\" contradicts card.sockets (empty): expected the socket of a kantrig-card"},
      {c.slot_bytes % card_link::kPageBytes == 0,
       fmt::format("card.slot_bytes is {}, expected a multiple of {}", c.slot_bytes, card_link::kPageBytes)},
      {c.retry_max_ms >= c.retry_min_ms,
       fmt::format("card.retry_max_ms ({}) contradicts card.retry_min_ms ({}): expected at least as much",
                   c.retry_max_ms, c.retry_min_ms)},
      {c.deadline_us > c.join_us,
       fmt::format("card.deadline_us ({}) contradicts card.join_us ({}): expected more", c.deadline_us,
                   c.join_us)},
      {region_bytes + (1ULL << 20U) <= card_link::kRegionBytesMax,
       fmt::format("card.slots ({}) times card.slot_bytes ({}) is more memory than {} bytes for the {} "
                   "shards of a card; lower one of them",
                   c.slots, c.slot_bytes, card_link::kRegionBytesMax, shards_of_one)},
  };
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < c.sockets.size(); ++i) {
    const std::string& path = c.sockets[i];
    rules.push_back({path.starts_with('/') && path.size() <= kSocketPathBytesMax,
                     fmt::format("card.sockets element {} is \"{}\", expected an absolute path of at most {} "
                                 "bytes",
                                 i, path, kSocketPathBytesMax)});
    rules.push_back({seen.emplace(path, i).second,
                     fmt::format("card.sockets names \"{}\" twice, expected each card once", path)});
  }
  return rules;
}

}  // namespace

Result<void> check(const Settings& settings) {
  if (auto done = check_bounds(settings); !done) return done;
  for (const auto& rules : {event_rules(settings.events), card_rules(settings), other_rules(settings)}) {
    for (const Rule& rule : rules) {
      if (!rule.holds) return fail(ErrorCode::kInvalid, "{}", rule.broken);
    }
  }
  if (auto address = telemetry::parse_listen_address(settings.telemetry.listen); !address) {
    return tl::unexpected(address.error().within("telemetry.listen"));
  }
  return check_endpoints(settings);
}

std::vector<std::string> shard_endpoints(const EventsSettings& settings, std::uint32_t shard) {
  std::vector<std::string> endpoints;
  for (const std::string& text : settings.endpoints) {
    endpoints.push_back(parse_endpoint(text)->for_shard(shard).text());
  }
  return endpoints;
}

}  // namespace kantrig::settings
