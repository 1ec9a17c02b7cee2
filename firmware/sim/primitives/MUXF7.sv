// Behaviour of AMD's MUXF7, for simulation only: joins two look-ups into one of an input more. Combinational.
module MUXF7 (
  output logic O,
  input  logic I0,
  input  logic I1,
  input  logic S
);
  assign O = S ? I1 : I0;
endmodule
