// Compares two streams of memory words record by record and counts the records that differ.
// start_i loads the number of bytes and clears the count; then one word of each is taken
// together. Bytes past bytes_i are not looked at. Latency: 3 cycles from a word to the count;
// done_o waits for it.
module kan_compare #(
  parameter int unsigned DataWidth  = 512,
  parameter int unsigned RecordBits = 16,  // a power of two, or a multiple of DataWidth
  parameter int unsigned CountWidth = 48   // of bytes
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,  // synchronous, active low
  input  logic                  start_i,
  input  logic                  clear_i,  // ends a comparison before its last word
  input  logic [CountWidth-1:0] bytes_i,
  output logic                  done_o,
  output logic [31:0]           mismatches_o,
  input  logic                  left_valid_i,
  output logic                  left_ready_o,
  input  logic [DataWidth-1:0]  left_i,
  input  logic                  right_valid_i,
  output logic                  right_ready_o,
  input  logic [DataWidth-1:0]  right_i
);
  localparam int unsigned WordBytes = DataWidth / 8;
  localparam int unsigned ByteBits = $clog2(WordBytes);
  localparam int unsigned Records = RecordBits < DataWidth ? DataWidth / RecordBits : 1;
  localparam int unsigned RecordBytes = WordBytes / Records;  // within one word
  localparam int unsigned WordsPerRecord = RecordBits > DataWidth ? RecordBits / DataWidth : 1;
  localparam int unsigned SumWidth = $clog2(Records + 1);
  localparam int unsigned PartWidth = WordsPerRecord > 1 ? $clog2(WordsPerRecord) : 1;

  logic [CountWidth-1:0] bytes_d, bytes_q;
  logic                  take, tail, compared_q, counted_q;
  logic [WordBytes-1:0]  differ_d, differ_q;
  logic [Records-1:0]    wrong_d, wrong_q;
  logic [SumWidth-1:0]   sum;
  logic [PartWidth-1:0]  part_d, part_q;    // word of its record, when a record is several words
  logic                  carry_d, carry_q;  // an earlier word of this record differed
  logic [31:0]           mismatches_d, mismatches_q;

  always_comb begin
    take          = left_valid_i && right_valid_i && bytes_q != '0;
    left_ready_o  = take;
    right_ready_o = take;
    bytes_d       = bytes_q;
    if (take) begin
      bytes_d = bytes_q > CountWidth'(WordBytes) ? bytes_q - CountWidth'(WordBytes) : '0;
    end
    tail = bytes_q[CountWidth-1:ByteBits] == '0;  // the last word, and not all of it
    if (start_i) bytes_d = bytes_i;
    if (clear_i) bytes_d = '0;
    for (int unsigned i = 0; i < WordBytes; i++) begin
      differ_d[i] = left_i[8*i+:8] != right_i[8*i+:8] &&
                    (!tail || ByteBits'(i) < bytes_q[ByteBits-1:0]);
    end
  end

  always_comb begin
    part_d  = part_q;
    carry_d = carry_q;
    for (int unsigned i = 0; i < Records; i++) begin
      wrong_d[i] = compared_q && differ_q[i*RecordBytes+:RecordBytes] != '0;
    end
    if (WordsPerRecord > 1 && compared_q) begin
      carry_d = carry_q || wrong_d[0];
      part_d  = part_q + 1'b1;
      wrong_d = '0;
      if (part_q == PartWidth'(WordsPerRecord - 1)) begin
        wrong_d[0] = carry_d;
        carry_d    = 1'b0;
        part_d     = '0;
      end
    end
    if (start_i) begin
      part_d  = '0;
      carry_d = 1'b0;
    end
  end

  always_comb begin
    sum = '0;
    for (int unsigned i = 0; i < Records; i++) sum = sum + SumWidth'(wrong_q[i]);
    mismatches_d = start_i ? '0 : mismatches_q + 32'(sum);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      bytes_q      <= '0;
      compared_q   <= 1'b0;
      counted_q    <= 1'b0;
      wrong_q      <= '0;
      mismatches_q <= '0;
    end else begin
      bytes_q      <= bytes_d;
      compared_q   <= take;
      counted_q    <= compared_q;
      wrong_q      <= wrong_d;
      mismatches_q <= mismatches_d;
    end
    differ_q <= differ_d;
    part_q   <= part_d;
    carry_q  <= carry_d;
  end

  assign done_o       = bytes_q == '0 && !compared_q && !counted_q;
  assign mismatches_o = mismatches_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> done_o)
    else $error("kan_compare: started before the last comparison ended");
`endif
endmodule
