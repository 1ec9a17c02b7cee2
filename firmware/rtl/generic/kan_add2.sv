// a_i + b_i + carry_i. Combinational.
module kan_add2 #(
  parameter int unsigned Width    = 8,
  parameter int unsigned OutWidth = 9  // at most Width + 1
) (
  input  logic [Width-1:0]    a_i,
  input  logic [Width-1:0]    b_i,
  input  logic                carry_i,
  output logic [OutWidth-1:0] sum_o
);
  logic [Width:0] sum;
  assign sum = {1'b0, a_i} + {1'b0, b_i} + (Width + 1)'(carry_i);
  assign sum_o = sum[OutWidth-1:0];

  logic unused_sum;
  assign unused_sum = ^sum;
endmodule
