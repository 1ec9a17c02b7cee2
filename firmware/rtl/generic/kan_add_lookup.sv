// a_i + table[code_i] + carry_i. Combinational.
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
  logic [Width-1:0] value;
  for (genvar i = 0; i < Width; i++) begin : gen_column
    localparam logic [31:0] Table = Tables[32*i+:32];
    assign value[i] = Table[code_i];
  end

  logic [Width:0] sum;
  assign sum = {1'b0, a_i} + {1'b0, value} + (Width + 1)'(carry_i);
  assign sum_o = sum[OutWidth-1:0];

  logic unused_sum;
  assign unused_sum = ^sum;
endmodule
