// Splits a run of memory words into AXI bursts of at most BurstWords that never cross a boundary
// of BurstWords, and so never one of 4 KiB.
// Handshake: start_i for one cycle with the run while idle_o; then valid/ready, one burst every
// two cycles.
module kan_burst #(
  parameter int unsigned AddressWidth = 64,
  parameter int unsigned CountWidth   = 42,
  parameter int unsigned WordBytes    = 64,  // a power of two
  parameter int unsigned BurstWords   = 16   // a power of two; BurstWords * WordBytes at most 4096
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,  // synchronous, active low
  input  logic                          start_i,
  input  logic [AddressWidth-1:0]       address_i,  // of the first word, a multiple of WordBytes
  input  logic [CountWidth-1:0]         words_i,
  output logic                          valid_o,
  input  logic                          ready_i,
  output logic [AddressWidth-1:0]       address_o,
  output logic [$clog2(BurstWords):0]   words_o,  // 1 to BurstWords
  output logic                          idle_o    // no word is left
);
  localparam int unsigned ByteBits = $clog2(WordBytes);
  localparam int unsigned WordBits = $clog2(BurstWords);
  localparam int unsigned LengthWidth = WordBits + 1;

  logic [AddressWidth-1:0] address_d, address_q;
  logic [CountWidth-1:0]   left_d, left_q;
  logic [LengthWidth-1:0]  length_d, length_q, room;
  logic                    known_d, known_q;  // length_q belongs to address_q and left_q

  always_comb begin
    address_d = address_q;
    left_d    = left_q;
    known_d   = known_q;
    room      = LengthWidth'(BurstWords) - {1'b0, address_q[ByteBits+:WordBits]};
    length_d  = left_q < CountWidth'(room) ? LengthWidth'(left_q) : room;
    if (start_i) begin
      address_d = address_i;
      left_d    = words_i;
      known_d   = 1'b0;
    end else if (known_q && ready_i) begin
      address_d = address_q + (AddressWidth'(length_q) << ByteBits);
      left_d    = left_q - CountWidth'(length_q);
      known_d   = 1'b0;
    end else if (!known_q) begin
      known_d = left_q != '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q  <= '0;
      known_q <= 1'b0;
    end else begin
      left_q  <= left_d;
      known_q <= known_d;
    end
    address_q <= address_d;
    if (!known_q) length_q <= length_d;
  end

  assign valid_o   = known_q;
  assign address_o = address_q;
  assign words_o   = length_q;
  assign idle_o    = left_q == '0;

`ifndef SYNTHESIS
  initial assert (BurstWords >= 2 && (1 << WordBits) == BurstWords &&
                  BurstWords * WordBytes <= 4096)
    else $error("kan_burst: %0d words of %0d bytes, expected a power of two up to 4096 bytes",
                BurstWords, WordBytes);
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> idle_o)
    else $error("kan_burst: started before the last run was split");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   valid_o |-> words_o != '0 && words_o <= LengthWidth'(BurstWords))
    else $error("kan_burst: a burst of %0d words", words_o);
`endif
endmodule
