// Behaviour of AMD's LUT6_2, for simulation only: a 6-input table that splits into two 5-input ones.
// Combinational. O6 = INIT[{I5..I0}], O5 = INIT[{I4..I0}] of the lower half.
module LUT6_2 #(
  parameter logic [63:0] INIT = 64'h0
) (
  output logic O6,
  output logic O5,
  input  logic I0,
  input  logic I1,
  input  logic I2,
  input  logic I3,
  input  logic I4,
  input  logic I5
);
  assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];
  assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];
endmodule
