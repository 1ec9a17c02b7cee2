// The tables of one input to a group of nodes, both banks, in simple dual-port memory (LUTRAM on
// an FPGA).
// Read: combinational, the word of `code_i` in each bank; whoever adds it up chooses by the bank
// and registers the sum. Except where a bank is just as deep as LUTRAM, 64 words, the banks share
// one memory, and both outputs are the word of `bank_i`.
// Write: one word a clock at the rising edge, read from the clock after. No reset: contents are
// undefined until written.
module kan_overlay_table #(
  parameter int unsigned CodeWidth = 6,
  parameter int unsigned DataWidth = 32
) (
  input  logic                 clk_i,
  input  logic                 write_i,
  input  logic                 write_bank_i,
  input  logic [CodeWidth-1:0] write_code_i,
  input  logic [DataWidth-1:0] write_data_i,
  input  logic                 bank_i,
  input  logic [CodeWidth-1:0] code_i,
  output logic [DataWidth-1:0] data0_o,
  output logic [DataWidth-1:0] data1_o
);

  if (CodeWidth != 6) begin : gen_shared
    (* ram_style = "distributed" *) logic [DataWidth-1:0] memory_q [2 ** (CodeWidth + 1)];

    always_ff @(posedge clk_i) begin
      if (write_i) memory_q[{write_bank_i, write_code_i}] <= write_data_i;
    end

    assign data0_o = memory_q[{bank_i, code_i}];
    assign data1_o = data0_o;
  end else begin : gen_split
    (* ram_style = "distributed" *) logic [DataWidth-1:0] memory0_q [2 ** CodeWidth];
    (* ram_style = "distributed" *) logic [DataWidth-1:0] memory1_q [2 ** CodeWidth];

    always_ff @(posedge clk_i) begin
      if (write_i && !write_bank_i) memory0_q[write_code_i] <= write_data_i;
    end
    always_ff @(posedge clk_i) begin
      if (write_i && write_bank_i) memory1_q[write_code_i] <= write_data_i;
    end

    assign data0_o = memory0_q[code_i];
    assign data1_o = memory1_q[code_i];

    logic unused_bank;
    assign unused_bank = bank_i;
  end

endmodule
