// AXI4-Lite slave to a plain register port: one write and one read under way at a time.
// write_o: one cycle with address, data and byte strobes; the response follows.
// read_o: one cycle with the address; read_data_i is taken in that cycle.
// Every access is answered OKAY. Latency: 2 cycles from the last of AW and W, or from AR, to the
// answer.
module kan_axi_lite #(
  parameter int unsigned AddressWidth = 12
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,  // synchronous, active low
  input  logic                    awvalid_i,
  output logic                    awready_o,
  input  logic [AddressWidth-1:0] awaddr_i,
  input  logic                    wvalid_i,
  output logic                    wready_o,
  input  logic [31:0]             wdata_i,
  input  logic [3:0]              wstrb_i,
  output logic                    bvalid_o,
  input  logic                    bready_i,
  output logic [1:0]              bresp_o,
  input  logic                    arvalid_i,
  output logic                    arready_o,
  input  logic [AddressWidth-1:0] araddr_i,
  output logic                    rvalid_o,
  input  logic                    rready_i,
  output logic [31:0]             rdata_o,
  output logic [1:0]              rresp_o,
  output logic                    write_o,
  output logic [AddressWidth-1:0] write_address_o,
  output logic [31:0]             write_data_o,
  output logic [3:0]              write_strobe_o,
  output logic                    read_o,
  output logic [AddressWidth-1:0] read_address_o,
  input  logic [31:0]             read_data_i
);
  logic                    address_d, address_q, data_d, data_q;  // taken, and not yet written
  logic                    answer_d, answer_q;
  logic                    asked_d, asked_q, result_d, result_q;
  logic [AddressWidth-1:0] write_address_q, read_address_q;
  logic [31:0]             write_data_q, read_data_q;
  logic [3:0]              write_strobe_q;
  logic                    live_q;  // not in reset: READY may be high

  always_comb begin
    awready_o = live_q && !address_q;
    wready_o  = live_q && !data_q;
    arready_o = live_q && !asked_q && !result_q;
    write_o   = address_q && data_q && (!answer_q || bready_i);
    read_o    = asked_q;
    address_d = (awvalid_i && awready_o) || (address_q && !write_o);
    data_d    = (wvalid_i && wready_o) || (data_q && !write_o);
    answer_d  = write_o || (answer_q && !bready_i);
    asked_d   = arvalid_i && arready_o;
    result_d  = asked_q || (result_q && !rready_i);
  end

  always_ff @(posedge clk_i) begin
    live_q <= rst_ni;
    if (!rst_ni) begin
      address_q <= 1'b0;
      data_q    <= 1'b0;
      answer_q  <= 1'b0;
      asked_q   <= 1'b0;
      result_q  <= 1'b0;
    end else begin
      address_q <= address_d;
      data_q    <= data_d;
      answer_q  <= answer_d;
      asked_q   <= asked_d;
      result_q  <= result_d;
    end
    if (awvalid_i && awready_o) write_address_q <= awaddr_i;
    if (wvalid_i && wready_o) begin
      write_data_q   <= wdata_i;
      write_strobe_q <= wstrb_i;
    end
    if (arvalid_i && arready_o) read_address_q <= araddr_i;
    if (asked_q) read_data_q <= read_data_i;
  end

  assign bvalid_o        = answer_q;
  assign bresp_o         = 2'b00;
  assign rvalid_o        = result_q;
  assign rdata_o         = read_data_q;
  assign rresp_o         = 2'b00;
  assign write_address_o = write_address_q;
  assign write_data_o    = write_data_q;
  assign write_strobe_o  = write_strobe_q;
  assign read_address_o  = read_address_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) write_o |=> bvalid_o)
    else $error("kan_axi_lite: a write without an answer");
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_o |=> rvalid_o)
    else $error("kan_axi_lite: a read without an answer");
`endif
endmodule
