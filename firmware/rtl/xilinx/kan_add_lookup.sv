// a_i + table[code_i] + carry_i: the table of 5 inputs lies in the adder's own LUTs, so that looking up and adding
// cost one LUT a column together. Combinational.
module kan_add_lookup #(
  parameter int unsigned           Width    = 8,
  parameter int unsigned           OutWidth = 9,                 // at most Width + 1
  parameter logic [32*Width-1:0]   Tables   = {(32 * Width){1'b0}}  // bit 32*i + c: column i for code_i == c
) (
  input  logic [Width-1:0]    a_i,
  input  logic [4:0]          code_i,
  input  logic                carry_i,
  output logic [OutWidth-1:0] sum_o
);
  logic [Width-1:0] propagate;
  logic [Width:0] sum;

  for (genvar i = 0; i < Width; i++) begin : gen_column
    kan_lut #(
      .Init({~Tables[32*i+:32], Tables[32*i+:32]})  // a ^ table
    ) u_propagate (
      .a_i({a_i[i], code_i}),
      .y_o(propagate[i])
    );
  end

  kan_carry_chain #(
    .Width(Width)
  ) u_chain (
    .propagate_i(propagate),
    .generate_i (a_i),
    .carry_i    (carry_i),
    .sum_o      (sum)
  );

  assign sum_o = sum[OutWidth-1:0];

  logic unused_sum;
  assign unused_sum = ^sum;
endmodule
