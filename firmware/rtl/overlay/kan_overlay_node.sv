// From the sum of a node's tables to its code, clamp((sum + offset) >>> shift, 0, span), and in the
// last layer to its score, low + that. With offset = bias + half - (low << shift) and span = high -
// low this is the integer KAN's clamp((bias + sum + half) >>> shift, low, high), less low where it
// is a code.
// Latency: 2 cycles, and 1 more each for a shifter (ShiftMax > 0) and for a score; one result a
// clock.
// The four figures of `bank_i` are read in the clock of `sum_i`. A write is seen from the clock
// after.
module kan_overlay_node #(
  parameter int unsigned SumWidth = 12,  // of sum + offset, > OutWidth
  parameter int unsigned ShiftMax = 7,
  parameter int unsigned OutWidth = 6,
  parameter bit          Score    = 1'b0
) (
  input  logic                clk_i,
  input  logic                write_i,
  input  logic                write_bank_i,
  input  logic [1:0]          write_word_i,  // 0 offset, 1 shift, 2 span, 3 low
  input  logic [31:0]         write_data_i,
  input  logic                bank_i,
  input  logic [SumWidth-1:0] sum_i,         // signed
  output logic [OutWidth-1:0] out_o          // unsigned code, or signed score
);

  logic [SumWidth-1:0] offset, sum_q, shifted;
  logic [OutWidth-1:0] span_read, span, code;

  kan_overlay_register #(.Width(SumWidth)) u_offset (
    .clk_i,
    .write_i     (write_i && write_word_i == 2'd0),
    .write_bank_i,
    .write_data_i(write_data_i[SumWidth-1:0]),
    .bank_i,
    .data_o      (offset)
  );

  always_ff @(posedge clk_i) sum_q <= sum_i + offset;

  if (ShiftMax > 0) begin : gen_shift
    localparam int unsigned ShiftWidth = $clog2(ShiftMax + 1);
    logic [ShiftWidth-1:0] shift_d, shift_q;
    logic [SumWidth-1:0]   shifted_q;

    kan_overlay_register #(.Width(ShiftWidth)) u_shift (
      .clk_i,
      .write_i     (write_i && write_word_i == 2'd1),
      .write_bank_i,
      .write_data_i(write_data_i[ShiftWidth-1:0]),
      .bank_i,
      .data_o      (shift_d)
    );

    always_ff @(posedge clk_i) begin
      shift_q   <= shift_d;
      shifted_q <= $signed(sum_q) >>> shift_q;
    end

    assign shifted = shifted_q;
  end else begin : gen_no_shift
    assign shifted = sum_q;
  end

  kan_overlay_register #(.Width(OutWidth)) u_span (
    .clk_i,
    .write_i     (write_i && write_word_i == 2'd2),
    .write_bank_i,
    .write_data_i(write_data_i[OutWidth-1:0]),
    .bank_i,
    .data_o      (span_read)
  );

  kan_overlay_delay #(
    .Width (OutWidth),
    .Cycles((ShiftMax > 0) ? 2 : 1)
  ) u_span_delay (
    .clk_i,
    .data_i(span_read),
    .data_o(span)
  );

  kan_overlay_clamp #(
    .SumWidth(SumWidth),
    .OutWidth(OutWidth)
  ) u_clamp (
    .clk_i,
    .sum_i (shifted),
    .span_i(span),
    .code_o(code)
  );

  if (Score) begin : gen_score
    logic [OutWidth-1:0] low_read, low, score_q;

    kan_overlay_register #(.Width(OutWidth)) u_low (
      .clk_i,
      .write_i     (write_i && write_word_i == 2'd3),
      .write_bank_i,
      .write_data_i(write_data_i[OutWidth-1:0]),
      .bank_i,
      .data_o      (low_read)
    );

    kan_overlay_delay #(
      .Width (OutWidth),
      .Cycles((ShiftMax > 0) ? 3 : 2)
    ) u_low_delay (
      .clk_i,
      .data_i(low_read),
      .data_o(low)
    );

    always_ff @(posedge clk_i) score_q <= low + code;

    assign out_o = score_q;
  end else begin : gen_code
    assign out_o = code;
  end

  logic unused_data;
  assign unused_data = ^{write_data_i, write_word_i};

endmodule
