// a_i + b_i + c_i + both bits of carry_i, by one LUT a column: O5 is the majority of the column's operands, which
// goes to the next column's LUT; O6 adds it. Two LUT levels and a carry chain. Combinational.
// The last column holds one operand bit at most, or OutWidth is at most Width.
module kan_add3 #(
  parameter int unsigned Width    = 8,
  parameter int unsigned OutWidth = 9  // at most Width + 1
) (
  input  logic [Width-1:0]    a_i,
  input  logic [Width-1:0]    b_i,
  input  logic [Width-1:0]    c_i,
  input  logic [1:0]          carry_i,  // weight of column 0
  output logic [OutWidth-1:0] sum_o
);
  logic [Width:0] majority;  // of the column below
  logic [Width-1:0] propagate;
  logic [Width:0] sum;

  assign majority[0] = carry_i[1];
  for (genvar i = 0; i < Width; i++) begin : gen_column
    kan_lut_pair #(
      .InitX(32'he8e8_e8e8),  // majority of a, b, c
      .InitY(32'h6996_6996)   // a ^ b ^ c ^ majority of the column below
    ) u_column (
      .a_i({1'b0, majority[i], c_i[i], b_i[i], a_i[i]}),
      .x_o(majority[i+1]),
      .y_o(propagate[i])
    );
  end

  kan_carry_chain #(
    .Width(Width)
  ) u_chain (
    .propagate_i(propagate),
    .generate_i (majority[Width-1:0]),
    .carry_i    (carry_i[0]),
    .sum_o      (sum)
  );

  assign sum_o = sum[OutWidth-1:0];

  logic unused_bits;
  assign unused_bits = ^{sum, majority};
endmodule
