// Adds two signed terms, each from the bank in use: choice and addition take one LUT a column, by
// its two outputs, and a carry chain.
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

  logic [SumWidth-1:0] a, propagate, sum_q;
  logic [SumWidth:0]   sum_d;

  for (genvar i = 0; i < SumWidth; i++) begin : gen_column
    localparam int unsigned Bit = (i < TermWidth) ? i : TermWidth - 1;  // the sign goes on
    kan_lut_pair #(
      .InitX(32'hcccc_aaaa),  // a of the bank
      .InitY(32'h33cc_5a5a)   // a ^ b of the bank
    ) u_column (
      .a_i({bank_i, b1_i[Bit], b0_i[Bit], a1_i[Bit], a0_i[Bit]}),
      .x_o(a[i]),
      .y_o(propagate[i])
    );
  end

  kan_carry_chain #(
    .Width(SumWidth)
  ) u_chain (
    .propagate_i(propagate),
    .generate_i (a),
    .carry_i    (1'b0),
    .sum_o      (sum_d)
  );

  always_ff @(posedge clk_i) sum_q <= sum_d[SumWidth-1:0];

  assign sum_o = sum_q;

  logic unused_carry;
  assign unused_carry = sum_d[SumWidth];

endmodule
