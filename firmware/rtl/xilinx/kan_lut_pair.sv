// Two functions of the same 5 inputs in one 6-input LUT, by its two outputs. Combinational.
module kan_lut_pair #(
  parameter logic [31:0] InitX = 32'h0,  // bit i is x_o for a_i == i
  parameter logic [31:0] InitY = 32'h0
) (
  input  logic [4:0] a_i,
  output logic       x_o,
  output logic       y_o
);
  LUT6_2 #(
    .INIT({InitY, InitX})
  ) u_lut (
    .O5(x_o),
    .O6(y_o),
    .I0(a_i[0]),
    .I1(a_i[1]),
    .I2(a_i[2]),
    .I3(a_i[3]),
    .I4(a_i[4]),
    .I5(1'b1)
  );
endmodule
