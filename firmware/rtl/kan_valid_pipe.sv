// Delays a valid bit by as many cycles as a free-running datapath beside it.
// No handshake: valid_o is valid_i of Latency clocks before, cleared by reset. Latency 0 is a wire.
module kan_valid_pipe #(
  parameter int unsigned Latency = 4
) (
  input  logic clk_i,
  input  logic rst_ni,  // synchronous, active low
  input  logic valid_i,
  output logic valid_o
);
  if (Latency == 0) begin : gen_wire
    logic unused_clock;
    assign unused_clock = ^{clk_i, rst_ni};
    assign valid_o = valid_i;
  end else begin : gen_pipe
    logic [Latency-1:0] valid_d, valid_q;

    always_comb begin
      valid_d = valid_q << 1;
      valid_d[0] = valid_i;
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_q <= '0;
      else valid_q <= valid_d;
    end

    assign valid_o = valid_q[Latency-1];

`ifndef SYNTHESIS
    assert property (@(posedge clk_i) !rst_ni |=> !valid_o)
      else $error("kan_valid_pipe: valid_o after reset");
`endif
  end
endmodule
