// From memory words to memory words: cuts them into beats of Lanes records, decides, joins the
// results. Which of its three uses of the words read is meant: decide_i, tables_i (words of
// tables) or compare_i (expected results, compared with those in the output FIFO); at most one
// is high.
// Handshake: valid/ready on both sides. word_push_o: a word went into the output FIFO. clear_i
// forgets all events and words; the count of mismatches stays.
module kan_flow #(
  parameter int unsigned WordBits         = 512,
  parameter int unsigned Lanes            = 4,
  parameter int unsigned InputRecordBits  = 32,
  parameter int unsigned OutputRecordBits = 16,
  parameter int unsigned FifoWords        = 256,
  parameter int unsigned CountWidth       = 48  // of bytes
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,  // synchronous, active low
  input  logic                  clear_i,
  input  logic                  decide_i,
  input  logic                  tables_i,
  input  logic                  compare_i,
  input  logic                  lanes_start_i,
  input  logic                  tables_start_i,
  input  logic                  compare_start_i,
  input  logic [31:0]           events_i,
  input  logic                  bank_i,
  input  logic [31:0]           table_first_i,
  input  logic [CountWidth-1:0] output_bytes_i,
  output logic                  tables_done_o,
  output logic                  compare_done_o,
  output logic [31:0]           mismatches_o,
  input  logic                  table_write_i,
  input  logic [31:0]           table_write_address_i,
  input  logic [31:0]           table_write_data_i,
  input  logic                  read_valid_i,
  output logic                  read_ready_o,
  input  logic [WordBits-1:0]   read_word_i,
  output logic                  word_push_o,
  output logic                  word_valid_o,
  input  logic                  word_ready_i,
  output logic [WordBits-1:0]   word_o,
  output logic [7:0]            admitted_o,  // events that entered the lanes in this cycle
  output logic [7:0]            left_o,      // events that left them
  output logic                  hungry_o,    // the lanes wait for words
  output logic                  blocked_o    // a result waits for room
);
  logic                              table_width_ready, table_word_valid, table_word_ready;
  logic [31:0]                       table_word;
  logic                              table_valid;
  logic [31:0]                       table_address, table_data;
  logic                              beat_width_ready, beat_valid, beat_ready;
  logic [Lanes*InputRecordBits-1:0]  beat;
  logic                              result_valid, result_ready, result_last;
  logic [Lanes*OutputRecordBits-1:0] result;
  logic                              word_valid, word_ready, output_ready;
  logic [WordBits-1:0]               word;
  logic                              expected_ready, compare_ready, lanes_hungry, pipeline_rst_n;

  assign pipeline_rst_n = rst_ni && !clear_i;
  assign read_ready_o   = (decide_i && beat_width_ready) || (tables_i && table_width_ready) ||
                          (compare_i && expected_ready);
  assign output_ready   = compare_i ? compare_ready : word_ready_i;
  assign word_push_o    = word_valid && word_ready;
  assign hungry_o       = decide_i && lanes_hungry;
  assign blocked_o      = result_valid && !result_ready;

  kan_width #(
    .InWidth  (WordBits),
    .OutWidth (32)
  ) u_table_words (
    .clk_i   (clk_i),
    .rst_ni  (pipeline_rst_n),
    .valid_i (read_valid_i && tables_i),
    .ready_o (table_width_ready),
    .last_i  (1'b0),
    .data_i  (read_word_i),
    .valid_o (table_word_valid),
    .ready_i (table_word_ready),
    .data_o  (table_word)
  );

  kan_tables u_tables (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .write_i         (table_write_i),
    .write_address_i (table_write_address_i),
    .write_data_i    (table_write_data_i),
    .start_i         (tables_start_i),
    .clear_i         (clear_i),
    .first_i         (table_first_i),
    .words_i         (events_i),
    .done_o          (tables_done_o),
    .valid_i         (table_word_valid),
    .ready_o         (table_word_ready),
    .data_i          (table_word),
    .table_valid_o   (table_valid),
    .table_address_o (table_address),
    .table_data_o    (table_data)
  );

  kan_width #(
    .InWidth  (WordBits),
    .OutWidth (Lanes * InputRecordBits)
  ) u_beats (
    .clk_i   (clk_i),
    .rst_ni  (pipeline_rst_n),
    .valid_i (read_valid_i && decide_i),
    .ready_o (beat_width_ready),
    .last_i  (1'b0),
    .data_i  (read_word_i),
    .valid_o (beat_valid),
    .ready_i (beat_ready),
    .data_o  (beat)
  );

  kan_lanes #(
    .Lanes            (Lanes),
    .InputRecordBits  (InputRecordBits),
    .OutputRecordBits (OutputRecordBits)
  ) u_lanes (
    .clk_i           (clk_i),
    .rst_ni          (pipeline_rst_n),
    .start_i         (lanes_start_i),
    .events_i        (events_i),
    .bank_i          (bank_i),
    .table_valid_i   (table_valid),
    .table_address_i (table_address),
    .table_data_i    (table_data),
    .valid_i         (beat_valid),
    .ready_o         (beat_ready),
    .data_i          (beat),
    .valid_o         (result_valid),
    .ready_i         (result_ready),
    .last_o          (result_last),
    .data_o          (result),
    .hungry_o        (lanes_hungry),
    .admitted_o      (admitted_o),
    .left_o          (left_o)
  );

  kan_width #(
    .InWidth  (Lanes * OutputRecordBits),
    .OutWidth (WordBits)
  ) u_words (
    .clk_i   (clk_i),
    .rst_ni  (pipeline_rst_n),
    .valid_i (result_valid),
    .ready_o (result_ready),
    .last_i  (result_last),
    .data_i  (result),
    .valid_o (word_valid),
    .ready_i (word_ready),
    .data_o  (word)
  );

  kan_fifo #(
    .Width (WordBits),
    .Depth (FifoWords)
  ) u_output (
    .clk_i   (clk_i),
    .rst_ni  (pipeline_rst_n),
    .valid_i (word_valid),
    .ready_o (word_ready),
    .data_i  (word),
    .valid_o (word_valid_o),
    .ready_i (output_ready),
    .data_o  (word_o)
  );

  kan_compare #(
    .DataWidth  (WordBits),
    .RecordBits (OutputRecordBits),
    .CountWidth (CountWidth)
  ) u_compare (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .start_i       (compare_start_i),
    .clear_i       (clear_i),
    .bytes_i       (output_bytes_i),
    .done_o        (compare_done_o),
    .mismatches_o  (mismatches_o),
    .left_valid_i  (word_valid_o && compare_i),
    .left_ready_o  (compare_ready),
    .left_i        (word_o),
    .right_valid_i (read_valid_i && compare_i),
    .right_ready_o (expected_ready),
    .right_i       (read_word_i)
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   {1'b0, decide_i} + {1'b0, tables_i} + {1'b0, compare_i} <= 2'd1)
    else $error("kan_flow: two uses of the words at once");
`endif
endmodule
