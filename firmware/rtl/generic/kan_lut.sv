// One look-up table of up to 6 inputs. Unused inputs are tied to 0. Combinational.
module kan_lut #(
  parameter logic [63:0] Init = 64'h0  // bit i is the output for a_i == i
) (
  input  logic [5:0] a_i,
  output logic       y_o
);
  assign y_o = Init[a_i];
endmodule
