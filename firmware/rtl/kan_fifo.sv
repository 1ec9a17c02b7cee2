// First in, first out: a memory of Depth words and an output register behind it.
// Handshake: valid/ready; once valid_o is high it and data_o stay until ready_i. Holds Depth + 1
// words.
// Latency: 2 cycles through an empty FIFO; one word a cycle. The memory has one write port and
// one registered read port, so that it fits LUTRAM and block RAM alike; it is not reset.
module kan_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 16  // a power of two, at least 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,  // synchronous, active low
  input  logic             valid_i,
  output logic             ready_o,
  input  logic [Width-1:0] data_i,
  output logic             valid_o,
  input  logic             ready_i,
  output logic [Width-1:0] data_o
);
  localparam int unsigned AddressWidth = $clog2(Depth);

  logic [Width-1:0]      memory [Depth];
  logic [AddressWidth:0] write_d, write_q, read_d, read_q;  // the top bit tells full from empty
  logic                  full_d, full_q, empty_d, empty_q;
  logic                  valid_d, valid_q;
  logic                  write, read;
  logic [Width-1:0]      data_q;

  always_comb begin
    write   = valid_i && !full_q;
    read    = !empty_q && (!valid_q || ready_i);
    valid_d = read || (valid_q && !ready_i);
    write_d = write_q + (AddressWidth + 1)'(write);
    read_d  = read_q + (AddressWidth + 1)'(read);
    empty_d = write_d == read_d;
    full_d  = (write_d ^ read_d) == {1'b1, {AddressWidth{1'b0}}};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= '0;
      full_q  <= 1'b0;
      empty_q <= 1'b1;
      valid_q <= 1'b0;
    end else begin
      write_q <= write_d;
      read_q  <= read_d;
      full_q  <= full_d;
      empty_q <= empty_d;
      valid_q <= valid_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (write) memory[write_q[AddressWidth-1:0]] <= data_i;
    if (read) data_q <= memory[read_q[AddressWidth-1:0]];
  end

  assign ready_o = !full_q;
  assign valid_o = valid_q;
  assign data_o  = data_q;

`ifndef SYNTHESIS
  initial assert (Depth >= 2 && (1 << AddressWidth) == Depth)
    else $error("kan_fifo: Depth is %0d, expected a power of two of at least 2", Depth);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   (write_q - read_q) <= (AddressWidth + 1)'(Depth))
    else $error("kan_fifo: more words than it holds");
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o)
    else $error("kan_fifo: valid_o fell before ready_i");
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(data_o))
    else $error("kan_fifo: data_o changed before ready_i");
`endif
endmodule
