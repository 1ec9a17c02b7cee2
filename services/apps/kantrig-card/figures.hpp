// What the process counts. Each counter has one writer, named by its group; the scrape reads them all.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "apps/kantrig-card/xrt/fault.hpp"
#include "base/counter.hpp"
#include "base/histogram.hpp"

namespace kantrig::card_host {

/// The taking thread's.
struct TakerFigures {
  base::Counter taken;  // slots
  base::Counter bytes_in;
  base::Counter copy_in_ns;
  base::Counter broken;  // links whose rings held what cannot be
  std::atomic<std::uint64_t> beat{0};
};

/// The completing thread's.
struct CompleterFigures {
  base::Counter batches;  // slots that came back done
  base::Counter events;
  base::Counter not_loaded;  // slots by how else they came back
  base::Counter failed;
  base::Counter timed_out;
  base::Counter invalid;
  base::Counter bytes_out;
  base::Counter copy_out_ns;
  base::LatencyHistogram submit_to_complete;
  base::LatencyHistogram queueing;  // the stages of it
  base::LatencyHistogram fabric;
  std::atomic<std::uint64_t> beat{0};
};

/// The supervisor's.
struct SupervisorFigures {
  std::array<base::Counter, kFaultKinds> faults;
  base::Counter recoveries;
  base::Counter recoveries_failed;
  base::Counter resets;
  std::array<base::Counter, 4> swaps;  // by LoadKind
  std::array<base::LatencyHistogram, 4> swap_times;
  std::array<base::Gauge, 4> last_program_s;
  std::array<base::Gauge, 4> last_golden_s;
  base::Counter loads_failed;
  base::Counter golden_passed;
  base::Counter golden_failed;
};

/// The server's.
struct ServerFigures {
  base::Counter daemons;  // joined
  base::Counter operators;
  base::Counter refused;  // greetings, packets and connections that broke a rule
};

struct Figures {
  TakerFigures taker;
  CompleterFigures completer;
  SupervisorFigures supervisor;
  ServerFigures server;
  std::atomic<std::uint64_t> runs_in_flight{0};
};

}  // namespace kantrig::card_host
