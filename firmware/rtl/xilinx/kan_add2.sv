// a_i + b_i + carry_i: one LUT a column and a carry chain. Combinational.
module kan_add2 #(
  parameter int unsigned Width    = 8,
  parameter int unsigned OutWidth = 9  // at most Width + 1
) (
  input  logic [Width-1:0]    a_i,
  input  logic [Width-1:0]    b_i,
  input  logic                carry_i,
  output logic [OutWidth-1:0] sum_o
);
  logic [Width-1:0] propagate;
  logic [Width:0] sum;

  for (genvar i = 0; i < Width; i++) begin : gen_column
    kan_lut #(
      .Init(64'h6666_6666_6666_6666)  // a ^ b
    ) u_propagate (
      .a_i({4'b0, b_i[i], a_i[i]}),
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
