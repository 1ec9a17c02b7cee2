// A compiled design on a board with an iCE40 UP5K: one event at a time over a serial line, 8N1.
// The host sends codes_i of kan_datapath in ceil(InputWidth / 8) bytes, lowest byte first, and reads
// scores_o in ceil(OutputWidth / 8) bytes, lowest byte first, before it sends the next event.
// A pause of 2^PauseWidth clocks inside an event drops what came of it: both sides meet again.
// Latency: kan_datapath's and two clocks, between the last byte in and the first byte out.
module kan_board_up5k #(
  parameter int unsigned ClocksPerBit = 104,  // 12 MHz / 115,200 baud
  parameter int unsigned PauseWidth = 18      // 22 ms at 12 MHz
) (
  input  logic clk_i,
  input  logic rx_i,
  output logic tx_o,
  output logic led_no  // low while an answer is being sent
);
  localparam int unsigned InputWidth = kan_design_pkg::InputWidth;
  localparam int unsigned OutputWidth = kan_design_pkg::OutputWidth;
  localparam int unsigned Latency = kan_design_pkg::Latency;
  localparam int unsigned InBytes = (InputWidth + 7) / 8;
  localparam int unsigned OutBytes = (OutputWidth + 7) / 8;
  localparam int unsigned InCountWidth = $clog2(InBytes + 1);
  localparam int unsigned OutCountWidth = $clog2(OutBytes + 1);
  localparam int unsigned WaitWidth = $clog2(Latency + 2);

  // Flip-flops of an iCE40 are 0 after configuration: this counter holds the reset for 8 clocks.
  logic [3:0] reset_q;
  logic rst_n;
  always_ff @(posedge clk_i) begin
    if (!reset_q[3]) reset_q <= reset_q + 1'b1;
  end
  assign rst_n = reset_q[3];

  logic in_valid;
  logic [7:0] in_data;
  kan_uart_rx #(.ClocksPerBit(ClocksPerBit)) u_rx (
    .clk_i  (clk_i),
    .rst_ni (rst_n),
    .rx_i   (rx_i),
    .valid_o(in_valid),
    .data_o (in_data)
  );

  logic [8*InBytes-1:0] codes_q;
  logic [InCountWidth-1:0] in_count_q;     // bytes of the event so far
  logic [PauseWidth-1:0] pause_q;          // clocks since the last byte
  logic [WaitWidth-1:0] wait_q;            // clocks until the scores are there; 0: none awaited
  logic [OutCountWidth-1:0] out_count_q;   // bytes still to send
  logic [8*OutBytes-1:0] out_q;
  logic [OutputWidth-1:0] scores;
  logic event_in, scores_in, out_take, out_ready;

  assign event_in = in_valid && in_count_q == InCountWidth'(InBytes - 1);
  assign scores_in = wait_q == WaitWidth'(1);
  assign out_take = out_ready && out_count_q != '0;

  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      in_count_q <= '0;
      wait_q <= '0;
      out_count_q <= '0;
    end else begin
      if (event_in || (&pause_q && !in_valid)) begin
        in_count_q <= '0;
      end else if (in_valid) begin
        in_count_q <= in_count_q + 1'b1;
      end
      if (event_in) begin
        wait_q <= WaitWidth'(Latency + 1);
      end else if (wait_q != '0) begin
        wait_q <= wait_q - 1'b1;
      end
      if (scores_in) begin
        out_count_q <= OutCountWidth'(OutBytes);
      end else if (out_take) begin
        out_count_q <= out_count_q - 1'b1;
      end
    end
    pause_q <= in_valid ? '0 : pause_q + 1'b1;
    if (in_valid) codes_q <= (8*InBytes)'({in_data, codes_q} >> 8);
    if (scores_in) begin
      out_q <= (8*OutBytes)'(scores);
    end else if (out_take) begin
      out_q <= out_q >> 8;
    end
  end

  kan_datapath u_datapath (
    .clk_i          (clk_i),
    .codes_i        (codes_q[InputWidth-1:0]),
    .bank_i         (1'b0),
    .table_valid_i  (1'b0),
    .table_address_i('0),
    .table_data_i   ('0),
    .scores_o       (scores)
  );

  kan_uart_tx #(.ClocksPerBit(ClocksPerBit)) u_tx (
    .clk_i  (clk_i),
    .rst_ni (rst_n),
    .valid_i(out_count_q != '0),
    .data_i (out_q[7:0]),
    .ready_o(out_ready),
    .tx_o   (tx_o)
  );

  assign led_no = out_count_q == '0;
endmodule
