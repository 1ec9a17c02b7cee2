// Watches an AXI4-Lite bus and says which rule of the protocol was broken (AMBA AXI, IHI 0022,
// A3 and B1). For simulation with assertions on; drives nothing. A broken rule stops the
// simulation.
module axi_lite_checker #(
  parameter int unsigned AddressWidth = 12
) (
  input logic                    clk_i,
  input logic                    rst_ni,
  input logic                    awvalid_i,
  input logic                    awready_i,
  input logic [AddressWidth-1:0] awaddr_i,
  input logic                    wvalid_i,
  input logic                    wready_i,
  input logic [31:0]             wdata_i,
  input logic [3:0]              wstrb_i,
  input logic                    bvalid_i,
  input logic                    bready_i,
  input logic [1:0]              bresp_i,
  input logic                    arvalid_i,
  input logic                    arready_i,
  input logic [AddressWidth-1:0] araddr_i,
  input logic                    rvalid_i,
  input logic                    rready_i,
  input logic [31:0]             rdata_i,
  input logic [1:0]              rresp_i
);
  logic [7:0] addresses_q, words_q, reads_q;  // taken and not answered

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      addresses_q <= '0;
      words_q     <= '0;
      reads_q     <= '0;
    end else begin
      addresses_q <= addresses_q + 8'(awvalid_i && awready_i) - 8'(bvalid_i && bready_i);
      words_q     <= words_q + 8'(wvalid_i && wready_i) - 8'(bvalid_i && bready_i);
      reads_q     <= reads_q + 8'(arvalid_i && arready_i) - 8'(rvalid_i && rready_i);
    end
  end

  // Valid stays until ready, and what it goes with does not change.
  assert property (@(posedge clk_i) disable iff (!rst_ni) awvalid_i && !awready_i |=> awvalid_i)
    else $fatal(1, "AXI4-Lite: AWVALID fell before AWREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   awvalid_i && !awready_i |=> $stable(awaddr_i))
    else $fatal(1, "AXI4-Lite: AWADDR changed before AWREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) wvalid_i && !wready_i |=> wvalid_i)
    else $fatal(1, "AXI4-Lite: WVALID fell before WREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   wvalid_i && !wready_i |=> $stable({wdata_i, wstrb_i}))
    else $fatal(1, "AXI4-Lite: WDATA or WSTRB changed before WREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) bvalid_i && !bready_i |=> bvalid_i)
    else $fatal(1, "AXI4-Lite: BVALID fell before BREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   bvalid_i && !bready_i |=> $stable(bresp_i))
    else $fatal(1, "AXI4-Lite: BRESP changed before BREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) arvalid_i && !arready_i |=> arvalid_i)
    else $fatal(1, "AXI4-Lite: ARVALID fell before ARREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   arvalid_i && !arready_i |=> $stable(araddr_i))
    else $fatal(1, "AXI4-Lite: ARADDR changed before ARREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) rvalid_i && !rready_i |=> rvalid_i)
    else $fatal(1, "AXI4-Lite: RVALID fell before RREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   rvalid_i && !rready_i |=> $stable({rdata_i, rresp_i}))
    else $fatal(1, "AXI4-Lite: RDATA or RRESP changed before RREADY");

  // One answer to each access, and none before both its address and its data.
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   bvalid_i |-> addresses_q != '0 && words_q != '0)
    else $fatal(1, "AXI4-Lite: a write answered that was not made");
  assert property (@(posedge clk_i) disable iff (!rst_ni) rvalid_i |-> reads_q != '0)
    else $fatal(1, "AXI4-Lite: a read answered that was not made");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   bvalid_i |-> bresp_i != 2'b01)
    else $fatal(1, "AXI4-Lite: EXOKAY does not exist here");
  assert property (@(posedge clk_i) !rst_ni |=> !bvalid_i && !rvalid_i)
    else $fatal(1, "AXI4-Lite: an answer in or right after reset");
endmodule
