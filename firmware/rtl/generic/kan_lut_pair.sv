// Two functions of the same 5 inputs. Combinational.
module kan_lut_pair #(
  parameter logic [31:0] InitX = 32'h0,  // bit i is x_o for a_i == i
  parameter logic [31:0] InitY = 32'h0
) (
  input  logic [4:0] a_i,
  output logic       x_o,
  output logic       y_o
);
  assign x_o = InitX[a_i];
  assign y_o = InitY[a_i];
endmodule
