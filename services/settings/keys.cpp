#include "settings/keys.hpp"

#include "card_link/region.hpp"
#include "settings/key_kinds.hpp"

namespace kantrig::settings {
namespace {

constexpr std::uint64_t kKiB = 1ULL << 10U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

std::vector<Key> events_keys() {
  using S = EventsSettings;
  const auto at = section(&Settings::events);
  return {
      text_list("events.endpoints",
                "Where clients connect with events; shard i adds \"-i\" to an ipc path and i to a tcp port.",
                at(&S::endpoints), {.count_min = 1, .count_max = 16}),
      whole("events.io_threads", "ZeroMQ threads that move bytes between the sockets and the shards.",
            at(&S::io_threads), {1, 16}),
      whole("events.shards",
            "Threads that decide, each with a socket of its own; a lane belongs to one of them.",
            at(&S::shards), {1, 64}),
      whole("events.batch_events_max", "The most events in a batch; a longer one is malformed.",
            at(&S::batch_events_max), {1, 1U << 20U}),
      whole("events.payload_bytes_max",
            "The most bytes in a frame; a larger one is malformed, and one of twice as many cuts its "
            "connection.",
            at(&S::payload_bytes_max), {kKiB, kGiB}),
      whole_list("events.sources", "Source ids that may send; empty: any.", at(&S::sources),
                 {.element_max = UINT32_MAX, .count_max = 64}),
      whole("events.credit_events", "Events that a lane may have sent and unanswered.", at(&S::credit_events),
            {1, 1U << 30U}),
      whole("events.credit_bytes", "Payload bytes that a lane may have sent and unanswered.",
            at(&S::credit_bytes), {kKiB, 64 * kGiB}),
      whole("events.credit_batches", "Batches that a lane may have sent and unanswered.",
            at(&S::credit_batches), {1, 65'536}),
      whole("events.lanes_max", "Lanes that a shard keeps books for.", at(&S::lanes_max), {1, 4'096}),
      whole("events.answer_bytes_kept",
            "Bytes of answers kept a lane, in the ledger's file, for batches that are sent again.",
            at(&S::answer_bytes_kept), {64 * kKiB, kGiB}),
      whole("events.heartbeat_interval_ms", "How often an idle client says that it lives.",
            at(&S::heartbeat_interval_ms), {10, 60'000}),
      whole("events.lane_timeout_ms", "Silence after which a lane counts as disconnected.",
            at(&S::lane_timeout_ms), {20, 600'000}),
      whole("events.unsent_answers_max",
            "Answers and refusals that wait for a client that does not read, before its lane is cut.",
            at(&S::unsent_answers_max), {1, 1U << 20U}),
      whole("events.socket_buffer_bytes",
            "Kernel buffer of each socket and direction; 0 leaves it to the system.",
            at(&S::socket_buffer_bytes), {0, 1U << 30U}),
  };
}

std::vector<Key> threads_keys() {
  using S = ThreadsSettings;
  const auto at = section(&Settings::threads);
  return {
      whole_lists("threads.shard_cpus",
                  "CPUs that each shard may run on, as one list a shard; empty: anywhere.",
                  at(&S::shard_cpus), {.element_max = 4'095, .count_max = 64}),
      whole("threads.realtime_priority",
            "SCHED_FIFO priority of the shards; 0 keeps the ordinary scheduling class.",
            at(&S::realtime_priority), {0, 98}),
      flag("threads.lock_memory", "Locks all memory, so that no page of the data path is ever swapped out.",
           at(&S::lock_memory)),
      flag("threads.busy_poll", "Shards never sleep: the lowest latency, at the price of one whole CPU each.",
           at(&S::busy_poll)),
      whole("threads.spin_us",
            "How long a shard looks for the next batch before it sleeps: worth it only with a CPU to spare "
            "for each shard.",
            at(&S::spin_us), {0, 100'000}),
  };
}

std::vector<Key> model_keys() {
  using S = ModelSettings;
  const auto at = section(&Settings::model);
  return {
      text("model.repository", "Folder of the bundles.", at(&S::repository), Empty::kRefused),
      text("model.active", "Bundle that is active after the start: its folder's name in the repository.",
           at(&S::active), Empty::kRefused),
      choice("model.kernel_set",
             "Instruction set of the CPU path; \"auto\" takes the best that this CPU runs.",
             at(&S::kernel_set), {"auto", "scalar", "avx2", "avx512"}),
      flag("model.require_signature", "Refuses bundles without a valid signature.",
           at(&S::require_signature)),
      text("model.public_keys",
           "File with the Ed25519 public keys that may sign bundles, one in hex a line; empty: none.",
           at(&S::public_keys), Empty::kAllowed),
  };
}

std::vector<Key> backend_keys() {
  using S = BackendSettings;
  const auto at = section(&Settings::backend);
  return {
      choice("backend.kind",
             "What decides: \"cpu\"; \"card\", which is \"cpu\" and the cards of [card]; or \"rtl_sim\", the "
             "simulation of the model's compiled design (slow; for trials).",
             at(&S::kind), {"cpu", "card", "rtl_sim"}),
      text(
          "backend.rtl_sim_library",
          "For rtl_sim: a shared object of kanc simulate, or a folder with <model digest>.so for each model.",
          at(&S::rtl_sim_library), Empty::kAllowed),
  };
}

std::vector<Key> card_keys() {
  using S = CardSettings;
  const auto at = section(&Settings::card);
  return {
      text_list("card.sockets",
                "Where each kantrig-card listens; shard i uses the card number i modulo their count.",
                at(&S::sockets), {.count_max = 16}),
      choice(
          "card.route",
          "Where batches go while a card is ready: \"auto\" by measured cost, \"cpu\", or \"card\" whatever "
          "it can take. A reload changes it.",
          at(&S::route), {"auto", "cpu", "card"}),
      whole("card.slots", "Slots of shared memory that each shard has at its card.", at(&S::slots),
            {2, card_link::kSlotsMax}),
      whole(
          "card.slot_bytes",
          "Bytes of events in a slot, and as many of results; a longer batch the CPU decides. A multiple of "
          "4096.",
          at(&S::slot_bytes), {card_link::kPageBytes, card_link::kSlotBytesMax}),
      whole("card.join_us", "How long a batch waits for others to share its slot while the card is busy.",
            at(&S::join_us), {0, 100'000}),
      whole("card.deadline_us",
            "When a slot is not back by then, the card is taken out and the CPU decides what it had.",
            at(&S::deadline_us), {100, 60'000'000}),
      fraction("card.cross_check", "Fraction of the card's events that the CPU decides too, to compare.",
               at(&S::cross_check)),
      whole("card.canary_ms", "How often a shard sends golden vectors to its card.", at(&S::canary_ms),
            {10, 60'000}),
      whole("card.retry_min_ms",
            "The first pause before a card that was taken out is tried again; it doubles.",
            at(&S::retry_min_ms), {1, 600'000}),
      whole("card.retry_max_ms", "The longest such pause.", at(&S::retry_max_ms), {1, 3'600'000}),
      whole("card.load_timeout_ms", "How long a card may take to load a model, its xclbin included.",
            at(&S::load_timeout_ms), {100, 3'600'000}),
  };
}

std::vector<Key> other_keys() {
  const auto menu = section(&Settings::menu);
  const auto ledger = section(&Settings::ledger);
  const auto run = section(&Settings::run);
  return {
      text("menu.file", "The trigger menu.", menu(&MenuSettings::file), Empty::kRefused),
      text("menu.column", "Prescale column after the start; empty: the menu's default.",
           menu(&MenuSettings::column), Empty::kAllowed),
      text("ledger.state_directory", "Folder of the ledger, the run records and the run number.",
           ledger(&LedgerSettings::state_directory), Empty::kRefused),
      whole("ledger.block_seconds", "Length of a block that nothing else ends.",
            ledger(&LedgerSettings::block_seconds), {1, 86'400}),
      flag("run.autostart", "Starts a run when the daemon starts and none is on.",
           run(&RunSettings::autostart)),
      text("control.endpoint", "Where operators connect (the kantrig command).",
           section(&Settings::control)(&ControlSettings::endpoint), Empty::kRefused),
      text("telemetry.listen", "Address and port of /metrics, /healthz and /readyz.",
           section(&Settings::telemetry)(&TelemetrySettings::listen), Empty::kRefused),
      choice("log.level", "The least important lines that are logged.",
             section(&Settings::log)(&LogSettings::level), {"debug", "info", "warn", "error"}),
      whole("stop.drain_timeout_ms", "How long a stop waits for clients to finish what they have sent.",
            section(&Settings::stop)(&StopSettings::drain_timeout_ms), {0, 3'600'000}),
  };
}

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

constexpr std::size_t kNameBytesMax = 128;  // edits() costs the product of the lengths

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

}  // namespace

std::string_view section_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

std::vector<Key> all_keys() {
  std::vector<Key> keys;
  for (auto group :
       {events_keys(), threads_keys(), model_keys(), backend_keys(), card_keys(), other_keys()}) {
    keys.insert(keys.end(), group.begin(), group.end());
  }
  return keys;
}

std::string_view nearest_key(std::string_view name, const std::vector<Key>& keys) {
  name = name.substr(0, kNameBytesMax);
  const auto distance = [&](const Key& key) {
    if (!name.empty() && key.name.starts_with(name)) return std::size_t{1};
    const std::size_t other_section = 1 + edits(last_part(name), last_part(key.name));
    return std::min(edits(name, key.name), other_section);
  };
  const auto nearer = [&](const Key& a, const Key& b) { return distance(a) < distance(b); };
  return std::min_element(keys.begin(), keys.end(), nearer)->name;
}

std::string_view nearest_section(std::string_view name, const std::vector<Key>& keys) {
  name = name.substr(0, kNameBytesMax);
  const auto nearer = [&](const Key& a, const Key& b) {
    return edits(name, section_of(a.name)) < edits(name, section_of(b.name));
  };
  return section_of(std::min_element(keys.begin(), keys.end(), nearer)->name);
}

}  // namespace kantrig::settings
