// Receives bytes from a serial line: 8 data bits, no parity, 1 stop bit, lowest bit first.
// valid_o is high for one clock per byte, with data_o; there is no ready: a byte not taken is lost.
// Latency: a byte is valid about half a bit before the end of its stop bit; one without stop bit
// is dropped.
module kan_uart_rx #(
  parameter int unsigned ClocksPerBit = 104  // at least 4
) (
  input  logic       clk_i,
  input  logic       rst_ni,  // synchronous, active low
  input  logic       rx_i,    // asynchronous; high when idle
  output logic       valid_o,
  output logic [7:0] data_o
);
  localparam int unsigned CountWidth = $clog2(ClocksPerBit);
  localparam logic [CountWidth-1:0] BitEnd = CountWidth'(ClocksPerBit - 1);
  localparam logic [CountWidth-1:0] HalfBit = CountWidth'(ClocksPerBit / 2);

  logic [1:0] sync_q;   // rx_i, clean of metastability
  logic busy_q, busy_d;
  logic [CountWidth-1:0] count_q, count_d;
  logic [3:0] bit_q, bit_d;  // 0: start bit, 1 to 8: data, 9: stop bit
  logic [7:0] data_q, data_d;
  logic sample, valid_q;

  assign sample = busy_q && count_q == HalfBit;

  always_comb begin
    busy_d = busy_q;
    count_d = count_q + 1'b1;
    bit_d = bit_q;
    data_d = data_q;
    if (!busy_q) begin
      count_d = '0;
      bit_d = '0;
      busy_d = !sync_q[1];
    end else if (count_q == BitEnd) begin
      count_d = '0;
      bit_d = bit_q + 1'b1;
    end
    if (sample) begin
      if (bit_q == 4'd0 && sync_q[1]) busy_d = 1'b0;  // a glitch, no start bit
      if (bit_q == 4'd9) busy_d = 1'b0;
      if (bit_q != 4'd0 && bit_q != 4'd9) data_d = {sync_q[1], data_q[7:1]};
    end
  end

  always_ff @(posedge clk_i) begin
    sync_q <= {sync_q[0], rx_i};
    count_q <= count_d;
    bit_q <= bit_d;
    data_q <= data_d;
    busy_q <= rst_ni && busy_d;
    valid_q <= rst_ni && sample && bit_q == 4'd9 && sync_q[1];
  end

  assign valid_o = valid_q;
  assign data_o = data_q;
endmodule
