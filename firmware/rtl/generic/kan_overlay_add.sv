// Adds two signed terms, each from the bank in use.
// Latency: 1 cycle; one sum a clock. The sum wraps where SumWidth = TermWidth.
module kan_overlay_add #(
  parameter int unsigned TermWidth = 8,
  parameter int unsigned SumWidth  = 9  // >= TermWidth
) (
  input  logic                 clk_i,
  input  logic                 bank_i,
  input  logic [TermWidth-1:0] a0_i,   // of bank 0
  input  logic [TermWidth-1:0] a1_i,
  input  logic [TermWidth-1:0] b0_i,
  input  logic [TermWidth-1:0] b1_i,
  output logic [SumWidth-1:0]  sum_o
);

  logic signed [TermWidth-1:0] a, b;
  logic [SumWidth-1:0]         sum_q;

  assign a = bank_i ? a1_i : a0_i;
  assign b = bank_i ? b1_i : b0_i;

  always_ff @(posedge clk_i) sum_q <= SumWidth'(a) + SumWidth'(b);

  assign sum_o = sum_q;

endmodule
