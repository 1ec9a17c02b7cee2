// The generated kan_datapath with valid/ready, back-pressure and reset around it.
// Handshake: valid/ready on both sides; events leave in the order they came. Once valid_o is
// high it and scores_o stay until ready_i. Latency: kan_design_pkg::Latency + 2 cycles; one
// event a cycle.
//
// The datapath never stops. An event is admitted only against a credit: a place in the FIFO
// behind the datapath that no event in flight or in the FIFO holds. A credit comes back when a
// result leaves.
module kan_core (
  input  logic                                   clk_i,
  input  logic                                   rst_ni,  // synchronous, active low
  input  logic                                   valid_i,
  output logic                                   ready_o,
  input  logic [kan_design_pkg::InputWidth-1:0]  codes_i,
  input  logic                                   bank_i,         // travels with the event
  input  logic                                   table_valid_i,  // passed straight to the datapath
  input  logic [31:0]                            table_address_i,
  input  logic [31:0]                            table_data_i,
  output logic                                   valid_o,
  input  logic                                   ready_i,
  output logic [kan_design_pkg::OutputWidth-1:0] scores_o
);
  localparam int unsigned Latency = kan_design_pkg::Latency;
  // A credit is away for Latency + 3 cycles when the result leaves at once; one more keeps the
  // flow full.
  localparam int unsigned Credits = 1 << $clog2(Latency + 4);
  localparam int unsigned CreditWidth = $clog2(Credits + 1);

  logic [CreditWidth-1:0]                 used_d, used_q;
  logic                                   ready_d, ready_q;
  logic                                   admit, leave, result_valid;
  logic [kan_design_pkg::OutputWidth-1:0] result;

  always_comb begin
    admit   = valid_i && ready_q;
    leave   = valid_o && ready_i;
    used_d  = used_q + CreditWidth'(admit) - CreditWidth'(leave);
    ready_d = used_d != CreditWidth'(Credits);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      used_q  <= '0;
      ready_q <= 1'b0;
    end else begin
      used_q  <= used_d;
      ready_q <= ready_d;
    end
  end

  kan_datapath u_datapath (
    .clk_i           (clk_i),
    .codes_i         (codes_i),
    .bank_i          (bank_i),
    .table_valid_i   (table_valid_i),
    .table_address_i (table_address_i),
    .table_data_i    (table_data_i),
    .scores_o        (result)
  );

  kan_valid_pipe #(
    .Latency (Latency)
  ) u_valid_pipe (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .valid_i (admit),
    .valid_o (result_valid)
  );

  logic unused_fifo_ready;  // high whenever a result comes, by the credits

  kan_fifo #(
    .Width (kan_design_pkg::OutputWidth),
    .Depth (Credits)
  ) u_results (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .valid_i (result_valid),
    .ready_o (unused_fifo_ready),
    .data_i  (result),
    .valid_o (valid_o),
    .ready_i (ready_i),
    .data_o  (scores_o)
  );

  assign ready_o = ready_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) used_q <= CreditWidth'(Credits))
    else $error("kan_core: more events inside than credits");
  assert property (@(posedge clk_i) disable iff (!rst_ni) result_valid |-> unused_fifo_ready)
    else $error("kan_core: a result found no room");
`endif
endmodule
