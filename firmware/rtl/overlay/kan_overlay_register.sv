// One figure of a node in two banks, in registers.
// Read: combinational, the figure of `bank_i`. Write: at the rising edge, read from the clock
// after.
// No reset: undefined until written.
module kan_overlay_register #(
  parameter int unsigned Width = 8
) (
  input  logic             clk_i,
  input  logic             write_i,
  input  logic             write_bank_i,
  input  logic [Width-1:0] write_data_i,
  input  logic             bank_i,
  output logic [Width-1:0] data_o
);

  logic [Width-1:0] bank0_q, bank1_q;

  always_ff @(posedge clk_i) begin
    if (write_i && !write_bank_i) bank0_q <= write_data_i;
    if (write_i && write_bank_i) bank1_q <= write_data_i;
  end

  assign data_o = bank_i ? bank1_q : bank0_q;

endmodule
