// a_i + b_i + c_i + both bits of carry_i. Combinational.
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
  logic [Width+1:0] sum;
  assign sum = {2'b0, a_i} + {2'b0, b_i} + {2'b0, c_i} + (Width + 2)'(carry_i[0]) + (Width + 2)'(carry_i[1]);
  assign sum_o = sum[OutWidth-1:0];

  logic unused_sum;
  assign unused_sum = ^sum;
endmodule
