// Writes a stream of words to a run of memory through the write channels of an AXI4 master, in
// order. The stream comes from a FIFO: push_i says that a word went into it. A burst is
// announced only when all its words are in the FIFO, so WVALID never waits for data in mid-burst
// and a burst once announced ends. Up to Outstanding bursts wait for their response.
// start_i: one cycle, while idle_o and before the first push_i. stop_i: announces no further
// burst. The last word is written with a strobe for bytes_i mod the word's size bytes; the
// others in full. A response other than OKAY raises error_o for a cycle.
module kan_axi_write #(
  parameter int unsigned AddressWidth = 64,
  parameter int unsigned CountWidth   = 48,  // of bytes
  parameter int unsigned DataWidth    = 512,
  parameter int unsigned BurstWords   = 16,
  parameter int unsigned FifoWords    = 256,
  parameter int unsigned Outstanding  = 16  // a power of two
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,  // synchronous, active low
  input  logic                    start_i,
  input  logic                    stop_i,
  input  logic [AddressWidth-1:0] address_i,
  input  logic [CountWidth-1:0]   bytes_i,
  output logic                    idle_o,  // all is written and answered, or stopped and answered
  output logic                    error_o,
  input  logic                    push_i,
  input  logic                    valid_i,
  output logic                    ready_o,
  input  logic [DataWidth-1:0]    data_i,
  output logic                    awvalid_o,
  input  logic                    awready_i,
  output logic [AddressWidth-1:0] awaddr_o,
  output logic [7:0]              awlen_o,
  output logic                    wvalid_o,
  input  logic                    wready_i,
  output logic [DataWidth-1:0]    wdata_o,
  output logic [DataWidth/8-1:0]  wstrb_o,
  output logic                    wlast_o,
  input  logic                    bvalid_i,
  output logic                    bready_o,
  input  logic [1:0]              bresp_i
);
  localparam int unsigned WordBytes = DataWidth / 8;
  localparam int unsigned ByteBits = $clog2(WordBytes);
  localparam int unsigned WordCount = CountWidth - ByteBits;
  localparam int unsigned LevelWidth = $clog2(FifoWords) + 2;
  localparam int unsigned LengthWidth = $clog2(BurstWords) + 1;
  localparam int unsigned OpenWidth = $clog2(Outstanding) + 1;

  logic                    burst_valid, burst_idle, announce, started, sent;
  logic [WordCount-1:0]    words;
  logic [AddressWidth-1:0] burst_address;
  logic [LengthWidth-1:0]  burst_words;
  logic                    awvalid_d, awvalid_q;
  logic [AddressWidth-1:0] awaddr_q;
  logic [7:0]              awlen_q;
  logic [LevelWidth-1:0]   level_d, level_q;    // words in the FIFO that no burst has announced
  logic [OpenWidth-1:0]    open_d, open_q;      // bursts announced and not answered
  logic [WordCount-1:0]    left_d, left_q;      // words not sent yet
  logic [ByteBits-1:0]     tail_q;              // bytes of the last word, 0 for all
  logic [7:0]              beat_d, beat_q;      // words of the current burst after this one
  logic                    length_valid, take_length;
  logic [7:0]              length;
  logic                    active_d, active_q;  // the words of a burst are being sent
  logic                    stop_q;

  assign words = bytes_i[CountWidth-1:ByteBits] + WordCount'(bytes_i[ByteBits-1:0] != '0);

  kan_burst #(
    .AddressWidth (AddressWidth),
    .CountWidth   (WordCount),
    .WordBytes    (WordBytes),
    .BurstWords   (BurstWords)
  ) u_burst (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .start_i   (start_i),
    .address_i (address_i),
    .words_i   (words),
    .valid_o   (burst_valid),
    .ready_i   (announce),
    .address_o (burst_address),
    .words_o   (burst_words),
    .idle_o    (burst_idle)
  );

  // Lengths of the bursts whose address was taken, for the data channel. It holds all open bursts.
  logic unused_length_ready;
  assign started = awvalid_q && awready_i;

  kan_fifo #(
    .Width (8),
    .Depth (Outstanding)
  ) u_lengths (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .valid_i (started),
    .ready_o (unused_length_ready),
    .data_i  (awlen_q),
    .valid_o (length_valid),
    .ready_i (take_length),
    .data_o  (length)
  );

  always_comb begin
    announce = burst_valid && !stop_q && (!awvalid_q || awready_i) &&
               LevelWidth'(burst_words) <= level_q && open_q != OpenWidth'(Outstanding);
    sent        = wvalid_o && wready_i;
    take_length = length_valid && (!active_q || (sent && beat_q == '0));
    awvalid_d   = announce || (awvalid_q && !awready_i);
    level_d     = level_q + LevelWidth'(push_i) - (announce ? LevelWidth'(burst_words) : '0);
    open_d      = open_q + OpenWidth'(announce) - OpenWidth'(bvalid_i);
    active_d    = take_length || (active_q && !(sent && beat_q == '0));
    beat_d      = take_length ? length : beat_q - 8'(sent);
    left_d      = start_i ? words : left_q - WordCount'(sent);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      awvalid_q <= 1'b0;
      level_q   <= '0;
      open_q    <= '0;
      active_q  <= 1'b0;
      stop_q    <= 1'b0;
    end else begin
      awvalid_q <= awvalid_d;
      level_q   <= level_d;
      open_q    <= open_d;
      active_q  <= active_d;
      stop_q    <= stop_i;
    end
    beat_q <= beat_d;
    left_q <= left_d;
    if (start_i) tail_q <= bytes_i[ByteBits-1:0];
    if (announce) begin
      awaddr_q <= burst_address;
      awlen_q  <= 8'(burst_words) - 8'd1;
    end
  end

  assign idle_o    = (burst_idle || stop_q) && open_q == '0;
  assign error_o   = bvalid_i && bresp_i != 2'b00;
  assign ready_o   = active_q && wready_i;
  assign awvalid_o = awvalid_q;
  assign awaddr_o  = awaddr_q;
  assign awlen_o   = awlen_q;
  assign wvalid_o  = active_q && valid_i;
  assign wdata_o   = data_i;
  assign wstrb_o   = left_q == WordCount'(1) && tail_q != '0 ? ~({WordBytes{1'b1}} << tail_q) : '1;
  assign wlast_o   = beat_q == '0;
  assign bready_o  = 1'b1;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) bvalid_i |-> open_q != '0)
    else $error("kan_axi_write: a response to no burst");
  assert property (@(posedge clk_i) disable iff (!rst_ni) started |-> unused_length_ready)
    else $error("kan_axi_write: more bursts open than Outstanding");
`endif
endmodule
