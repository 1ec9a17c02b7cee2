// One look-up table of up to 6 inputs. Unused inputs are tied to 0. Combinational.
module kan_lut #(
  parameter logic [63:0] Init = 64'h0  // bit i is the output for a_i == i
) (
  input  logic [5:0] a_i,
  output logic       y_o
);
  LUT6 #(
    .INIT(Init)
  ) u_lut (
    .O (y_o),
    .I0(a_i[0]),
    .I1(a_i[1]),
    .I2(a_i[2]),
    .I3(a_i[3]),
    .I4(a_i[4]),
    .I5(a_i[5])
  );
endmodule
