// A carry chain: in column i, the carry goes on where propagate_i[i], else generate_i[i] takes its place.
// sum_o = propagate_i ^ carries, and beyond the last column the carry itself. Combinational.
module kan_carry_chain #(
  parameter int unsigned Width = 8
) (
  input  logic [Width-1:0] propagate_i,
  input  logic [Width-1:0] generate_i,
  input  logic             carry_i,
  output logic [Width:0]   sum_o
);
  // With generate_i == a and propagate_i == a ^ b this is a + b + carry_i, which every tool knows how to map.
  assign sum_o = {1'b0, generate_i} + {1'b0, propagate_i ^ generate_i} + (Width + 1)'(carry_i);
endmodule
