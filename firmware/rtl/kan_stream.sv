// The shell for detectors wired straight to the card: AXI4-Stream in, AXI4-Stream out, one event
// a beat. TDATA in is a record of codes, TDATA out a record of scores (README.md); TLAST and
// TUSER, for instance a tag of the detector, leave with the event they came with. Order is kept,
// and nothing is lost under back-pressure. Both sides are registered. Latency:
// kan_design_pkg::Latency + 4 cycles; one event a cycle. bank_i and the table port are those of
// kan_core; bank_i is taken with the event.
module kan_stream #(
  parameter  int unsigned TagWidth = 16,  // bits of TUSER, at least 1
  localparam int unsigned InputWidth = kan_design_pkg::InputWidth,
  localparam int unsigned OutputWidth = kan_design_pkg::OutputWidth,
  localparam int unsigned InputRecordBits = InputWidth <= 8 ? 8 :
      InputWidth <= 512 ? 1 << $clog2(InputWidth) : (InputWidth + 511) / 512 * 512,
  localparam int unsigned OutputRecordBits = OutputWidth <= 8 ? 8 :
      OutputWidth <= 512 ? 1 << $clog2(OutputWidth) : (OutputWidth + 511) / 512 * 512
) (
  input  logic                        aclk,
  input  logic                        aresetn,  // synchronous
  input  logic                        bank_i,
  input  logic                        table_valid_i,
  input  logic [31:0]                 table_address_i,
  input  logic [31:0]                 table_data_i,
  input  logic                        s_axis_tvalid,
  output logic                        s_axis_tready,
  input  logic [InputRecordBits-1:0]  s_axis_tdata,
  input  logic                        s_axis_tlast,
  input  logic [TagWidth-1:0]         s_axis_tuser,
  output logic                        m_axis_tvalid,
  input  logic                        m_axis_tready,
  output logic [OutputRecordBits-1:0] m_axis_tdata,
  output logic                        m_axis_tlast,
  output logic [TagWidth-1:0]         m_axis_tuser
);
  // Room for the tags of all events that kan_core can hold: its credits, a power of two above
  // Latency.
  localparam int unsigned TagRoom = 2 << $clog2(kan_design_pkg::Latency + 4);
  localparam int unsigned InputBits = InputWidth + 1 + TagWidth + 1;
  localparam int unsigned OutputBits = OutputWidth + 1 + TagWidth;

  logic                   in_valid, in_ready, in_last, in_bank, admit;
  logic [InputWidth-1:0]  in_codes;
  logic [TagWidth-1:0]    in_tag;
  logic                   core_ready, tag_ready, core_valid, tag_valid, out_valid, out_ready, leave;
  logic [OutputWidth-1:0] scores, out_scores;
  logic                   last;
  logic [TagWidth-1:0]    tag;
  logic                   unused_padding;

  kan_skid #(
    .Width (InputBits)
  ) u_in (
    .clk_i   (aclk),
    .rst_ni  (aresetn),
    .valid_i (s_axis_tvalid),
    .ready_o (s_axis_tready),
    .data_i  ({bank_i, s_axis_tuser, s_axis_tlast, s_axis_tdata[InputWidth-1:0]}),
    .valid_o (in_valid),
    .ready_i (in_ready),
    .data_o  ({in_bank, in_tag, in_last, in_codes})
  );

  assign in_ready  = core_ready && tag_ready;
  assign admit     = in_valid && in_ready;
  assign out_valid = core_valid && tag_valid;
  assign leave     = out_valid && out_ready;

  kan_core u_core (
    .clk_i           (aclk),
    .rst_ni          (aresetn),
    .valid_i         (admit),
    .ready_o         (core_ready),
    .codes_i         (in_codes),
    .bank_i          (in_bank),
    .table_valid_i   (table_valid_i),
    .table_address_i (table_address_i),
    .table_data_i    (table_data_i),
    .valid_o         (core_valid),
    .ready_i         (leave),
    .scores_o        (scores)
  );

  kan_fifo #(
    .Width (1 + TagWidth),
    .Depth (TagRoom)
  ) u_tags (
    .clk_i   (aclk),
    .rst_ni  (aresetn),
    .valid_i (admit),
    .ready_o (tag_ready),
    .data_i  ({in_last, in_tag}),
    .valid_o (tag_valid),
    .ready_i (leave),
    .data_o  ({last, tag})
  );

  kan_skid #(
    .Width (OutputBits)
  ) u_out (
    .clk_i   (aclk),
    .rst_ni  (aresetn),
    .valid_i (out_valid),
    .ready_o (out_ready),
    .data_i  ({last, tag, scores}),
    .valid_o (m_axis_tvalid),
    .ready_i (m_axis_tready),
    .data_o  ({m_axis_tlast, m_axis_tuser, out_scores})
  );

  assign m_axis_tdata   = OutputRecordBits'(out_scores);
  assign unused_padding = ^s_axis_tdata;

`ifndef SYNTHESIS
  assert property (@(posedge aclk) disable iff (!aresetn) core_valid |-> tag_valid)
    else $error("kan_stream: a result without its tag");
  assert property (@(posedge aclk) disable iff (!aresetn) core_ready |-> tag_ready)
    else $error("kan_stream: no room for a tag where there is a credit");
`endif
endmodule
