// One run of the kernel, from its start to its end: takes the arguments, checks them, starts the
// memory channels and the lanes, waits for the last answer, clears the pipeline.
// A memory response other than OKAY ends the run: what was asked of the memory is waited for,
// nothing more is asked. done_o stays until end_i. Phases, one hot: decide_o, tables_o (load),
// compare_o.
module kan_run #(
  parameter int unsigned InputRecordBits  = 32,
  parameter int unsigned OutputRecordBits = 16,
  parameter int unsigned SelfTestWords    = 256,  // words of results that the output FIFO holds
  parameter int unsigned CountWidth       = 48,   // of bytes
  parameter bit          Overlay          = 1'b0
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,  // synchronous, active low
  input  logic                  start_i,
  input  logic [63:0]           input_i,
  input  logic [63:0]           output_i,
  input  logic [31:0]           events_i,
  input  logic                  bank_i,
  input  logic [31:0]           mode_i,
  input  logic [31:0]           table_first_i,
  output logic                  taken_o,  // one cycle: the arguments were taken
  output logic                  done_o,
  input  logic                  end_i,
  output logic                  idle_o,
  output logic                  clear_o,  // resets the pipeline, one cycle
  output logic                  stop_o,   // no further memory burst
  output logic                  decide_o,
  output logic                  tables_o,
  output logic                  compare_o,
  output logic                  lanes_start_o,
  output logic                  tables_start_o,
  output logic                  read_start_o,
  output logic                  write_start_o,
  output logic                  compare_start_o,
  output logic [63:0]           read_address_o,
  output logic [CountWidth-7:0] read_words_o,
  output logic [63:0]           write_address_o,
  output logic [CountWidth-1:0] write_bytes_o,
  output logic [31:0]           events_o,
  output logic                  bank_o,
  output logic [31:0]           table_first_o,
  input  logic                  read_idle_i,
  input  logic                  write_idle_i,
  input  logic                  read_error_i,
  input  logic                  write_error_i,
  input  logic                  tables_done_i,
  input  logic                  compare_done_i,
  input  logic                  result_i,  // a word of results went into the output FIFO
  output logic [4:0]            error_o
);
  localparam int unsigned WordCount = CountWidth - 6;
  localparam int unsigned InputBytes = InputRecordBits / 8;
  localparam int unsigned OutputBytes = OutputRecordBits / 8;

  typedef enum logic [3:0] {
    Idle, Size, Measure, Check, Start, Run, Turn, Compare, Stop, Clear, Done
  } state_e;

  state_e                state_d, state_q;
  logic [63:0]           input_q, output_q;
  logic [31:0]           events_q, mode_q, table_first_q;
  logic                  bank_q;
  logic [CountWidth-1:0] input_bytes_q, output_bytes_q;
  logic                  input_wraps_q, output_wraps_q;
  logic [64:0]           input_end, output_end;
  logic [4:0]            error_d, error_q;
  logic [WordCount-1:0]  input_words, output_words, results_d, results_q;
  logic                  is_decide, is_self_test, is_load, refused, failed, finished;

  always_comb begin
    is_decide    = mode_q == kan_register_pkg::ModeDecide;
    is_self_test = mode_q == kan_register_pkg::ModeSelfTest;
    is_load      = mode_q == kan_register_pkg::ModeLoadTables && Overlay;
    input_words  = input_bytes_q[CountWidth-1:6] + WordCount'(input_bytes_q[5:0] != '0);
    output_words = output_bytes_q[CountWidth-1:6] + WordCount'(output_bytes_q[5:0] != '0);
    input_end    = {1'b0, input_q} + 65'(input_bytes_q);
    output_end   = {1'b0, output_q} + 65'(output_bytes_q);
    results_d    = taken_o ? '0 : results_q + WordCount'(result_i);
    finished     = is_load ? tables_done_i : is_decide ? write_idle_i : results_q == output_words;
  end

  always_comb begin
    error_d = taken_o ? '0 : error_q;
    if (state_q == Check) begin
      error_d[kan_register_pkg::ErrorAddress] = input_q[5:0] != '0 || output_q[5:0] != '0 ||
                                                input_wraps_q || output_wraps_q;
      error_d[kan_register_pkg::ErrorMode] = !is_decide && !is_self_test && !is_load;
      error_d[kan_register_pkg::ErrorTooManyEvents] = is_self_test &&
                                                      output_words > WordCount'(SelfTestWords);
    end
    refused = error_d != '0;
    if (read_error_i) error_d[kan_register_pkg::ErrorReadResponse] = 1'b1;
    if (write_error_i) error_d[kan_register_pkg::ErrorWriteResponse] = 1'b1;
    failed = error_q != '0;
  end

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      Idle:    if (start_i) state_d = Size;
      Size:    state_d = Measure;
      Measure: state_d = Check;
      Check:   state_d = refused || events_q == '0 ? Done : Start;
      Start:   state_d = Run;
      Run:     state_d = failed ? Stop : !finished ? Run : is_self_test ? Turn : Clear;
      Turn:    state_d = failed ? Stop : read_idle_i ? Compare : Turn;
      Compare: state_d = failed ? Stop : compare_done_i ? Clear : Compare;
      Stop:    if (read_idle_i && write_idle_i) state_d = Clear;
      Clear:   state_d = Done;
      Done:    if (end_i) state_d = Idle;
      default: state_d = Idle;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Idle;
      error_q <= '0;
    end else begin
      state_q <= state_d;
      error_q <= error_d;
    end
    results_q <= results_d;
    if (taken_o) begin
      input_q       <= input_i;
      output_q      <= output_i;
      events_q      <= events_i;
      bank_q        <= bank_i;
      mode_q        <= mode_i;
      table_first_q <= table_first_i;
    end
    // A record is a power of two or a few memory words: shifts and adds.
    input_bytes_q  <= is_load ? CountWidth'(events_q) << 2 :
                                CountWidth'(events_q) * CountWidth'(InputBytes);
    output_bytes_q <= is_load ? '0 : CountWidth'(events_q) * CountWidth'(OutputBytes);
    input_wraps_q  <= input_end[64] && input_end[63:0] != '0;
    output_wraps_q <= output_end[64] && output_end[63:0] != '0;
  end

  assign taken_o         = state_q == Idle && start_i;
  assign done_o          = state_q == Done;
  assign idle_o          = state_q == Idle;
  assign clear_o         = state_q == Clear;
  assign stop_o          = state_q == Stop;
  assign decide_o        = state_q == Run && !is_load;
  assign tables_o        = state_q == Run && is_load;
  assign compare_o       = state_q == Compare;
  assign lanes_start_o   = state_q == Start && !is_load;
  assign tables_start_o  = state_q == Start && is_load;
  assign compare_start_o = state_q == Turn && !failed && read_idle_i;
  assign read_start_o    = state_q == Start || compare_start_o;
  assign write_start_o   = state_q == Start && is_decide;
  assign read_address_o  = state_q == Turn ? output_q : input_q;
  assign read_words_o    = state_q == Turn ? output_words : input_words;
  assign write_address_o = output_q;
  assign write_bytes_o   = output_bytes_q;
  assign events_o        = events_q;
  assign bank_o          = bank_q;
  assign table_first_o   = table_first_q;
  assign error_o         = error_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) clear_o |-> read_idle_i && write_idle_i)
    else $error("kan_run: cleared while the memory owes an answer");
`endif
endmodule
