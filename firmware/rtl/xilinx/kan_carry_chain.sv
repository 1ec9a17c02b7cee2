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
  localparam int unsigned Blocks = (Width + 7) / 8;

  logic [8*Blocks-1:0] propagate, generates, sum, carry;
  assign propagate = (8 * Blocks)'(propagate_i);
  assign generates = (8 * Blocks)'(generate_i);

  for (genvar i = 0; i < Blocks; i++) begin : gen_block
    logic block_carry;
    if (i == 0) begin : gen_first
      assign block_carry = carry_i;
    end else begin : gen_next
      assign block_carry = carry[8*i-1];
    end
    CARRY8 u_carry (
      .CO    (carry[8*i+:8]),
      .O     (sum[8*i+:8]),
      .CI    (block_carry),
      .CI_TOP(1'b0),
      .DI    (generates[8*i+:8]),
      .S     (propagate[8*i+:8])
    );
  end

  assign sum_o = {carry[Width-1], sum[Width-1:0]};

  logic unused_bits;
  assign unused_bits = ^{carry, sum};
endmodule
