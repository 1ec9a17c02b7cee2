// The C interface of a simulated design: what a shared object made by kanc from a design's SystemVerilog
// offers. A unit is one module of the design that is simulated by itself: unit 0 is kan_datapath, unit 1 + l
// is kan_layer<l>. Vectors are rows of 32-bit words, (width + 31) / 32 of them, lowest bit first.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Raised with every change of this page; whoever loads another version refuses it.
#define KANTRIG_RTL_ABI_VERSION 2

// Bits [offset, offset + width) of a row.
typedef struct kantrig_rtl_field {
  uint32_t offset;
  uint32_t width;
} kantrig_rtl_field;

typedef struct kantrig_rtl_unit {
  const char* module;
  uint32_t cycles;  // latency
  uint32_t input_width;
  uint32_t output_width;
  uint32_t input_count;
  uint32_t output_count;
  const kantrig_rtl_field* inputs;
  const kantrig_rtl_field* outputs;
} kantrig_rtl_unit;

typedef struct kantrig_rtl_description {
  uint32_t abi_version;
  uint32_t unit_count;
  const char* bundle;        // full name of the bundle that the design was compiled from
  const char* model_digest;  // hex SHA-256 of its model.pb
  const kantrig_rtl_unit* units;
  uint32_t bank_count;  // of tables that can be written: 2 for an overlay, 0 for tables burnt in as logic
} kantrig_rtl_description;

// One unit in simulation. Owned by one thread at a time; instances share nothing.
typedef struct kantrig_rtl_instance kantrig_rtl_instance;

// Lives as long as the shared object. Its first member has the same place in every version.
typedef const kantrig_rtl_description* kantrig_rtl_describe_fn(void);
// The tables of an overlay are those of the model, in bank 0; bank 1 is empty. NULL when there is no such
// unit, no memory, or an assertion of the design failed meanwhile.
typedef kantrig_rtl_instance* kantrig_rtl_create_fn(uint32_t unit);
typedef void kantrig_rtl_destroy_fn(kantrig_rtl_instance* instance);
// Streams `events` rows through the unit, one a clock, and writes as many rows of results. Allocates nothing.
// 0 when all went well; -1 when the simulation was stopped by an assertion of the design, now or before:
// every result from then on is void.
typedef int kantrig_rtl_run_fn(kantrig_rtl_instance* instance, const uint32_t* inputs, uint32_t* outputs,
                               uint32_t events);
// Writes one word of a table, in one clock; every event of a later run sees it. An overlay's kan_datapath
// only: elsewhere it does nothing. As for the run, 0 or -1.
typedef int kantrig_rtl_write_table_fn(kantrig_rtl_instance* instance, uint32_t address, uint32_t data);
// The bank that the events of later runs look into; 0 until said otherwise. An overlay's kan_datapath only.
typedef void kantrig_rtl_use_bank_fn(kantrig_rtl_instance* instance, uint32_t bank);

// The names to look for.
#define KANTRIG_RTL_DESCRIBE "kantrig_rtl_describe"
#define KANTRIG_RTL_CREATE "kantrig_rtl_create"
#define KANTRIG_RTL_DESTROY "kantrig_rtl_destroy"
#define KANTRIG_RTL_RUN "kantrig_rtl_run"
#define KANTRIG_RTL_WRITE_TABLE "kantrig_rtl_write_table"
#define KANTRIG_RTL_USE_BANK "kantrig_rtl_use_bank"

#ifdef __cplusplus
}
#endif
