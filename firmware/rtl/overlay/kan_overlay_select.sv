// Decodes a table word for one layer: which row of tables and which group in it, or which node, it
// writes.
// Address from the top: bank, layer, node or table, index, group, place (README.md in this folder).
// Latency: 1 cycle. A word for elsewhere selects nothing.
module kan_overlay_select #(
  parameter  int unsigned Layer        = 0,
  parameter  bit          Node         = 1'b0,  // figures of nodes, else tables
  parameter  int unsigned Indices      = 16,    // inputs, or nodes
  parameter  int unsigned Groups       = 3,     // of tables; 1 for nodes
  parameter  int unsigned CodeWidth    = 6,     // bits of a place that count; at most PlaceWidth
  parameter  int unsigned PlaceWidth   = 6,
  parameter  int unsigned GroupWidth   = 2,
  parameter  int unsigned IndexWidth   = 4,
  parameter  int unsigned LayerWidth   = 1,
  localparam int unsigned GroupLow     = PlaceWidth,
  localparam int unsigned IndexLow     = GroupLow + GroupWidth,
  localparam int unsigned NodeLow      = IndexLow + IndexWidth,
  localparam int unsigned LayerLow     = NodeLow + 1,
  localparam int unsigned AddressWidth = LayerLow + LayerWidth + 1
) (
  input  logic                    clk_i,
  input  logic                    valid_i,
  input  logic [AddressWidth-1:0] address_i,
  input  logic [31:0]             data_i,
  output logic [Indices-1:0]      index_o,  // at most one, and only for a word that is meant
  output logic [Groups-1:0]       group_o,  // at most one
  output logic                    bank_o,
  output logic [CodeWidth-1:0]    code_o,
  output logic [31:0]             data_o
);

  logic                 meant;
  logic [Indices-1:0]   index_d, index_q;
  logic [Groups-1:0]    group_d, group_q;
  logic                 bank_q;
  logic [CodeWidth-1:0] code_q;
  logic [31:0]          data_q;

  assign meant = valid_i && address_i[LayerLow+:LayerWidth] == LayerWidth'(Layer) &&
                 address_i[NodeLow] == Node && (address_i[PlaceWidth-1:0] >> CodeWidth) == '0;

  for (genvar i = 0; i < Indices; i++) begin : gen_index
    assign index_d[i] = meant && address_i[IndexLow+:IndexWidth] == IndexWidth'(i);
  end
  for (genvar g = 0; g < Groups; g++) begin : gen_group
    assign group_d[g] = address_i[GroupLow+:GroupWidth] == GroupWidth'(g);
  end

  always_ff @(posedge clk_i) begin
    index_q <= index_d;
    group_q <= group_d;
    bank_q  <= address_i[AddressWidth-1];
    code_q  <= address_i[CodeWidth-1:0];
    data_q  <= data_i;
  end

  assign index_o = index_q;
  assign group_o = group_q;
  assign bank_o  = bank_q;
  assign code_o  = code_q;
  assign data_o  = data_q;

endmodule
