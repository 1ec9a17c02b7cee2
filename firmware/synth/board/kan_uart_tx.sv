// Sends bytes over a serial line: 8 data bits, no parity, 1 stop bit, lowest bit first.
// valid_i and ready_o: a byte is taken at the clock where both are high; ready_o does not wait for
// valid_i.
// Latency: the start bit follows the clock after; a byte takes 10 x ClocksPerBit clocks.
module kan_uart_tx #(
  parameter int unsigned ClocksPerBit = 104  // at least 4
) (
  input  logic       clk_i,
  input  logic       rst_ni,  // synchronous, active low
  input  logic       valid_i,
  input  logic [7:0] data_i,
  output logic       ready_o,
  output logic       tx_o     // high when idle
);
  localparam int unsigned CountWidth = $clog2(ClocksPerBit);
  localparam logic [CountWidth-1:0] BitEnd = CountWidth'(ClocksPerBit - 1);

  logic [CountWidth-1:0] count_q;
  logic [3:0] left_q;    // bits still to send; 0: idle
  logic [8:0] shift_q;   // lowest bit on the line while left_q is not 0
  logic take, next;

  assign ready_o = left_q == 4'd0;
  assign take = valid_i && ready_o;
  assign next = count_q == BitEnd;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q <= '0;
    end else if (take) begin
      left_q <= 4'd10;
    end else if (!ready_o && next) begin
      left_q <= left_q - 1'b1;
    end
    count_q <= (take || next) ? '0 : count_q + 1'b1;
    if (take) begin
      shift_q <= {data_i, 1'b0};
    end else if (next) begin
      shift_q <= {1'b1, shift_q[8:1]};
    end
  end

  assign tx_o = ready_o || shift_q[0];
endmodule
