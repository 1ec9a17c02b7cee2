// Reads a run of memory words through the read channels of an AXI4 master, in order. A burst is
// asked for only when the FIFO has room for all of it, so RREADY is always high and a slow
// reader never holds up the interconnect. With FifoWords / BurstWords bursts on their way,
// memory that answers within FifoWords cycles gives one word a cycle.
// start_i: one cycle, while idle_o. stop_i: asks for no further burst; what was asked for still
// comes. A response other than OKAY raises error_o for a cycle; its word is passed on all the
// same.
module kan_axi_read #(
  parameter int unsigned AddressWidth = 64,
  parameter int unsigned CountWidth   = 42,
  parameter int unsigned DataWidth    = 512,
  parameter int unsigned BurstWords   = 16,
  parameter int unsigned FifoWords    = 256  // a power of two, at least BurstWords
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,  // synchronous, active low
  input  logic                    start_i,
  input  logic                    stop_i,
  input  logic [AddressWidth-1:0] address_i,
  input  logic [CountWidth-1:0]   words_i,
  output logic                    idle_o,  // nothing to ask for, nothing on its way; or stopped
  output logic                    error_o,
  output logic                    valid_o,
  input  logic                    ready_i,
  output logic [DataWidth-1:0]    data_o,
  output logic                    arvalid_o,
  input  logic                    arready_i,
  output logic [AddressWidth-1:0] araddr_o,
  output logic [7:0]              arlen_o,
  input  logic                    rvalid_i,
  output logic                    rready_o,
  input  logic [DataWidth-1:0]    rdata_i,
  input  logic [1:0]              rresp_i,
  input  logic                    rlast_i
);
  localparam int unsigned RoomWidth = $clog2(FifoWords) + 1;
  localparam int unsigned LengthWidth = $clog2(BurstWords) + 1;

  logic                    burst_valid, burst_idle, ask, leave;
  logic [AddressWidth-1:0] burst_address;
  logic [LengthWidth-1:0]  burst_words;
  logic                    arvalid_d, arvalid_q;
  logic [AddressWidth-1:0] araddr_q;
  logic [7:0]              arlen_q;
  logic [RoomWidth-1:0]    room_d, room_q;  // words of the FIFO that nothing asked for will take
  logic [RoomWidth-1:0]    due_d, due_q;    // words asked for that have not come
  logic                    stop_q;

  kan_burst #(
    .AddressWidth (AddressWidth),
    .CountWidth   (CountWidth),
    .WordBytes    (DataWidth / 8),
    .BurstWords   (BurstWords)
  ) u_burst (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .start_i   (start_i),
    .address_i (address_i),
    .words_i   (words_i),
    .valid_o   (burst_valid),
    .ready_i   (ask),
    .address_o (burst_address),
    .words_o   (burst_words),
    .idle_o    (burst_idle)
  );

  always_comb begin
    ask       = burst_valid && !stop_q && (!arvalid_q || arready_i) &&
                RoomWidth'(burst_words) <= room_q;
    leave     = valid_o && ready_i;
    arvalid_d = ask || (arvalid_q && !arready_i);
    room_d    = room_q - (ask ? RoomWidth'(burst_words) : '0) + RoomWidth'(leave);
    due_d     = due_q + (ask ? RoomWidth'(burst_words) : '0) - RoomWidth'(rvalid_i);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      arvalid_q <= 1'b0;
      room_q    <= RoomWidth'(FifoWords);
      due_q     <= '0;
      stop_q    <= 1'b0;
    end else begin
      arvalid_q <= arvalid_d;
      room_q    <= room_d;
      due_q     <= due_d;
      stop_q    <= stop_i;
    end
    if (ask) begin
      araddr_q <= burst_address;
      arlen_q  <= 8'(burst_words) - 8'd1;
    end
  end

  // The FIFO has room for whatever was asked for; words are counted, not bursts.
  logic unused_signals;
  logic fifo_ready;
  assign unused_signals = ^{fifo_ready, rlast_i};

  kan_fifo #(
    .Width (DataWidth),
    .Depth (FifoWords)
  ) u_words (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .valid_i (rvalid_i),
    .ready_o (fifo_ready),
    .data_i  (rdata_i),
    .valid_o (valid_o),
    .ready_i (ready_i),
    .data_o  (data_o)
  );

  assign idle_o    = (burst_idle || stop_q) && !arvalid_q && due_q == '0;
  assign error_o   = rvalid_i && rresp_i != 2'b00;
  assign arvalid_o = arvalid_q;
  assign araddr_o  = araddr_q;
  assign arlen_o   = arlen_q;
  assign rready_o  = 1'b1;

`ifndef SYNTHESIS
  initial assert (FifoWords >= BurstWords)
    else $error("kan_axi_read: FifoWords is %0d, expected at least %0d", FifoWords, BurstWords);
  assert property (@(posedge clk_i) disable iff (!rst_ni) rvalid_i |-> due_q != '0 && fifo_ready)
    else $error("kan_axi_read: a word that was not asked for");
`endif
endmodule
