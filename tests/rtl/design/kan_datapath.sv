// A datapath for testing shells: obeys firmware/README.md, is no model.
// Output bit i = parity of input bits i, i + OutputWidth, i + 2 OutputWidth, ..., then xor'ed
// with a word of a table of two banks of 8 words: bank_i is address bit 3, the lowest three code
// bits are the rest.
// Latency: kan_design_pkg::Latency cycles, at least 2; one event a cycle.
module kan_datapath (
  input  logic                                   clk_i,
  input  logic [kan_design_pkg::InputWidth-1:0]  codes_i,
  input  logic                                   bank_i,
  input  logic                                   table_valid_i,
  input  logic [31:0]                            table_address_i,
  input  logic [31:0]                            table_data_i,
  output logic [kan_design_pkg::OutputWidth-1:0] scores_o
);
  localparam int unsigned InputWidth = kan_design_pkg::InputWidth;
  localparam int unsigned OutputWidth = kan_design_pkg::OutputWidth;
  localparam int unsigned Latency = kan_design_pkg::Latency;
  localparam int unsigned MaskWidth = OutputWidth < 32 ? OutputWidth : 32;

  logic [31:0]            tables [16];
  logic [InputWidth-1:0]  codes_q;
  logic                   bank_q;
  logic [OutputWidth-1:0] folded;
  logic [OutputWidth-1:0] stage_q [Latency-1];

  always_comb begin
    folded = '0;
    for (int unsigned i = 0; i < InputWidth; i++) begin
      folded[i % OutputWidth] = folded[i % OutputWidth] ^ codes_q[i];
    end
    folded[MaskWidth-1:0] = folded[MaskWidth-1:0] ^
                            MaskWidth'(tables[{bank_q, codes_q[2:0]}]);
  end

  always_ff @(posedge clk_i) begin
    if (table_valid_i && table_address_i < 16) tables[table_address_i[3:0]] <= table_data_i;
    codes_q    <= codes_i;
    bank_q     <= bank_i;
    stage_q[0] <= folded;
    for (int unsigned i = 1; i < Latency - 1; i++) stage_q[i] <= stage_q[i-1];
  end

  assign scores_o = stage_q[Latency-2];
endmodule
