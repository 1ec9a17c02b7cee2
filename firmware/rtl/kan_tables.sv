// Writes words to the tables of an overlay, from a register or from a stream of words out of
// memory.
// Register: write_i for one cycle writes data_i to address_i of the register port.
// Stream: start_i loads the first address and the number of words; then valid/ready, ascending
// addresses. A register write goes first; the stream waits for that cycle. Latency: 1 cycle.
module kan_tables (
  input  logic        clk_i,
  input  logic        rst_ni,  // synchronous, active low
  input  logic        write_i,
  input  logic [31:0] write_address_i,
  input  logic [31:0] write_data_i,
  input  logic        start_i,
  input  logic        clear_i,  // ends a stream before its last word
  input  logic [31:0] first_i,
  input  logic [31:0] words_i,
  output logic        done_o,   // no word of the stream is left
  input  logic        valid_i,
  output logic        ready_o,
  input  logic [31:0] data_i,
  output logic        table_valid_o,
  output logic [31:0] table_address_o,
  output logic [31:0] table_data_o
);
  logic [31:0] address_d, address_q, left_d, left_q;
  logic        take;
  logic        valid_q;
  logic [31:0] table_address_q, table_data_q;

  always_comb begin
    ready_o   = left_q != '0 && !write_i;
    take      = valid_i && ready_o;
    address_d = address_q + 32'(take);
    left_d    = left_q - 32'(take);
    if (start_i) begin
      address_d = first_i;
      left_d    = words_i;
    end
    if (clear_i) left_d = '0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q  <= '0;
      valid_q <= 1'b0;
    end else begin
      left_q  <= left_d;
      valid_q <= write_i || take;
    end
    address_q       <= address_d;
    table_address_q <= write_i ? write_address_i : address_q;
    table_data_q    <= write_i ? write_data_i : data_i;
  end

  assign done_o          = left_q == '0;
  assign table_valid_o   = valid_q;
  assign table_address_o = table_address_q;
  assign table_data_o    = table_data_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> done_o)
    else $error("kan_tables: started before the last stream ended");
`endif
endmodule
