// Behaviour of AMD's LUT5, for simulation only: a 5-input table. Combinational.
module LUT5 #(
  parameter logic [31:0] INIT = 32'h0
) (
  output logic O,
  input  logic I0,
  input  logic I1,
  input  logic I2,
  input  logic I3,
  input  logic I4
);
  assign O = INIT[{I4, I3, I2, I1, I0}];
endmodule
