// One layer of the overlay: a table from every input to every node, and the nodes. Free-running,
// one event a clock.
// Latency: TreeCycles + NodeCycles below, the same for codes, bank and table words: a word of clock
// t at table_*_i is seen by the codes of clock t + 2 and later, here and in every layer behind.
module kan_overlay_layer #(
  parameter  int unsigned Layer        = 0,
  parameter  int unsigned Inputs       = 16,
  parameter  int unsigned Nodes        = 10,
  parameter  int unsigned CodeWidth    = 6,
  parameter  int unsigned EntryWidth   = 8,
  parameter  int unsigned SumWidth     = 12,
  parameter  int unsigned ShiftMax     = 7,
  parameter  int unsigned OutWidth     = 6,
  parameter  bit          Score        = 1'b0,  // the last layer: signed scores for codes
  parameter  int unsigned PlaceWidth   = 6,     // of the fields of an address
  parameter  int unsigned GroupWidth   = 2,
  parameter  int unsigned IndexWidth   = 4,
  parameter  int unsigned LayerWidth   = 1,
  localparam int unsigned AddressWidth = PlaceWidth + GroupWidth + IndexWidth + LayerWidth + 2,
  localparam int unsigned TreeCycles   = (Inputs <= 2)   ? 1 : (Inputs <= 6)   ? 2 :
                                         (Inputs <= 18)  ? 3 : (Inputs <= 54)  ? 4 :
                                         (Inputs <= 162) ? 5 : (Inputs <= 486) ? 6 : 7,
  localparam int unsigned NodeCycles   = 2 + ((ShiftMax > 0) ? 1 : 0) + (Score ? 1 : 0)
) (
  input  logic                        clk_i,
  input  logic [Inputs*CodeWidth-1:0] codes_i,
  input  logic                        bank_i,
  input  logic                        table_valid_i,
  input  logic [AddressWidth-1:0]     table_address_i,
  input  logic [31:0]                 table_data_i,
  output logic [Nodes*OutWidth-1:0]   codes_o,
  output logic                        bank_o,
  output logic                        table_valid_o,
  output logic [AddressWidth-1:0]     table_address_o,
  output logic [31:0]                 table_data_o
);

  localparam int unsigned PerWord = 32 / EntryWidth;  // tables of one input that share a word
  localparam int unsigned Groups  = (Nodes + PerWord - 1) / PerWord;

  logic [Inputs-1:0]                  row_write;
  logic [Groups-1:0]                  group_write;
  logic                               table_bank;
  logic [CodeWidth-1:0]               table_code;
  logic [31:0]                        table_word;
  logic [Inputs*Nodes*EntryWidth-1:0] entries0;  // of bank 0; node 0 of input 0 lowest, then node 1
  logic [Inputs*Nodes*EntryWidth-1:0] entries1;

  kan_overlay_select #(
    .Layer     (Layer),
    .Node      (1'b0),
    .Indices   (Inputs),
    .Groups    (Groups),
    .CodeWidth (CodeWidth),
    .PlaceWidth(PlaceWidth),
    .GroupWidth(GroupWidth),
    .IndexWidth(IndexWidth),
    .LayerWidth(LayerWidth)
  ) u_table_select (
    .clk_i,
    .valid_i  (table_valid_i),
    .address_i(table_address_i),
    .data_i   (table_data_i),
    .index_o  (row_write),
    .group_o  (group_write),
    .bank_o   (table_bank),
    .code_o   (table_code),
    .data_o   (table_word)
  );

  for (genvar j = 0; j < Inputs; j++) begin : gen_row
    for (genvar g = 0; g < Groups; g++) begin : gen_group
      localparam int unsigned Tables = (g < Groups - 1) ? PerWord : Nodes - (Groups - 1) * PerWord;
      kan_overlay_table #(
        .CodeWidth(CodeWidth),
        .DataWidth(Tables * EntryWidth)
      ) u_table (
        .clk_i,
        .write_i     (row_write[j] && group_write[g]),
        .write_bank_i(table_bank),
        .write_code_i(table_code),
        .write_data_i(table_word[Tables*EntryWidth-1:0]),
        .bank_i,
        .code_i      (codes_i[j*CodeWidth+:CodeWidth]),
        .data0_o     (entries0[(j*Nodes+g*PerWord)*EntryWidth+:Tables*EntryWidth]),
        .data1_o     (entries1[(j*Nodes+g*PerWord)*EntryWidth+:Tables*EntryWidth])
      );
    end
  end

  logic unused_word;
  assign unused_word = ^table_word;  // tables of odd widths leave bits of a word

  logic                    bank_sum, valid_sum;
  logic [AddressWidth-1:0] address_sum;
  logic [31:0]             data_sum, node_word;
  logic [Nodes-1:0]        node_write;
  logic                    node_bank, node_group;
  logic [1:0]              node_figure;

  kan_overlay_delay #(
    .Width (AddressWidth + 34),
    .Cycles(TreeCycles)
  ) u_tree_delay (
    .clk_i,
    .data_i({bank_i, table_valid_i, table_address_i, table_data_i}),
    .data_o({bank_sum, valid_sum, address_sum, data_sum})
  );

  kan_overlay_select #(
    .Layer     (Layer),
    .Node      (1'b1),
    .Indices   (Nodes),
    .Groups    (1),
    .CodeWidth (2),
    .PlaceWidth(PlaceWidth),
    .GroupWidth(GroupWidth),
    .IndexWidth(IndexWidth),
    .LayerWidth(LayerWidth)
  ) u_node_select (
    .clk_i,
    .valid_i  (valid_sum),
    .address_i(address_sum),
    .data_i   (data_sum),
    .index_o  (node_write),
    .group_o  (node_group),
    .bank_o   (node_bank),
    .code_o   (node_figure),
    .data_o   (node_word)
  );

  for (genvar k = 0; k < Nodes; k++) begin : gen_node
    logic [Inputs*EntryWidth-1:0] terms0, terms1;
    logic [SumWidth-1:0]          sum;

    for (genvar j = 0; j < Inputs; j++) begin : gen_term
      assign terms0[j*EntryWidth+:EntryWidth] = entries0[(j*Nodes+k)*EntryWidth+:EntryWidth];
      assign terms1[j*EntryWidth+:EntryWidth] = entries1[(j*Nodes+k)*EntryWidth+:EntryWidth];
    end

    kan_overlay_sum #(
      .Terms    (Inputs),
      .TermWidth(EntryWidth),
      .SumWidth (SumWidth)
    ) u_sum (
      .clk_i,
      .bank_i,
      .terms0_i(terms0),
      .terms1_i(terms1),
      .sum_o   (sum)
    );

    kan_overlay_node #(
      .SumWidth(SumWidth),
      .ShiftMax(ShiftMax),
      .OutWidth(OutWidth),
      .Score   (Score)
    ) u_node (
      .clk_i,
      .write_i     (node_write[k] && node_group),
      .write_bank_i(node_bank),
      .write_word_i(node_figure),
      .write_data_i(node_word),
      .bank_i      (bank_sum),
      .sum_i       (sum),
      .out_o       (codes_o[k*OutWidth+:OutWidth])
    );
  end

  kan_overlay_delay #(
    .Width (AddressWidth + 34),
    .Cycles(NodeCycles)
  ) u_node_delay (
    .clk_i,
    .data_i({bank_sum, valid_sum, address_sum, data_sum}),
    .data_o({bank_o, table_valid_o, table_address_o, table_data_o})
  );

endmodule
