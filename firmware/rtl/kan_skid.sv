// Registers a stream in both directions: no path runs from an input to an output.
// Handshake: valid/ready; once valid_o is high it and data_o stay until ready_i.
// Latency: 1 cycle; one word a cycle. Holds two words.
module kan_skid #(
  parameter int unsigned Width = 8
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
  logic             valid_d, valid_q;  // data_q holds the next word to leave
  logic             spare_d, spare_q;  // spare_data_q holds the one behind it
  logic             load, load_spare;
  logic [Width-1:0] data_d, data_q, spare_data_q;

  always_comb begin
    valid_d    = valid_q;
    spare_d    = spare_q;
    data_d     = spare_q ? spare_data_q : data_i;
    load       = 1'b0;
    load_spare = 1'b0;
    if (!valid_q || ready_i) begin
      load    = 1'b1;
      valid_d = spare_q || valid_i;
      spare_d = 1'b0;
    end else if (!spare_q) begin
      load_spare = 1'b1;
      spare_d    = valid_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      spare_q <= 1'b0;
    end else begin
      valid_q <= valid_d;
      spare_q <= spare_d;
    end
    if (load) data_q <= data_d;
    if (load_spare) spare_data_q <= data_i;
  end

  assign ready_o = !spare_q;
  assign valid_o = valid_q;
  assign data_o  = data_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) spare_q |-> valid_q)
    else $error("kan_skid: a spare word without a word before it");
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o)
    else $error("kan_skid: valid_o fell before ready_i");
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(data_o))
    else $error("kan_skid: data_o changed before ready_i");
`endif
endmodule
