// Selects between two functions of the same inputs, for tables of 7 (Wide 7) or 8 (Wide 8) inputs.
// Combinational.
module kan_mux #(
  parameter int unsigned Wide = 7
) (
  input  logic low_i,
  input  logic high_i,
  input  logic select_i,
  output logic y_o
);
  logic unused_wide;
  assign unused_wide = Wide == 8;
  assign y_o = select_i ? high_i : low_i;
endmodule
