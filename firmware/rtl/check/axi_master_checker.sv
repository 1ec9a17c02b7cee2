// Watches an AXI4 memory master of one id and ascending bursts, and says which rule was broken
// by it or by the memory (AMBA AXI, IHI 0022, A3 and A5). For simulation with assertions on;
// drives nothing. A broken rule stops the simulation.
module axi_master_checker #(
  parameter int unsigned AddressWidth = 64,
  parameter int unsigned DataWidth    = 512,
  parameter int unsigned OpenMax      = 64  // bursts of one direction that may be open
) (
  input logic                    clk_i,
  input logic                    rst_ni,
  input logic                    awvalid_i,
  input logic                    awready_i,
  input logic [0:0]              awid_i,
  input logic [AddressWidth-1:0] awaddr_i,
  input logic [7:0]              awlen_i,
  input logic [2:0]              awsize_i,
  input logic [1:0]              awburst_i,
  input logic                    wvalid_i,
  input logic                    wready_i,
  input logic [DataWidth-1:0]    wdata_i,
  input logic [DataWidth/8-1:0]  wstrb_i,
  input logic                    wlast_i,
  input logic                    bvalid_i,
  input logic                    bready_i,
  input logic [0:0]              bid_i,
  input logic [1:0]              bresp_i,
  input logic                    arvalid_i,
  input logic                    arready_i,
  input logic [0:0]              arid_i,
  input logic [AddressWidth-1:0] araddr_i,
  input logic [7:0]              arlen_i,
  input logic [2:0]              arsize_i,
  input logic [1:0]              arburst_i,
  input logic                    rvalid_i,
  input logic                    rready_i,
  input logic [0:0]              rid_i,
  input logic [DataWidth-1:0]    rdata_i,
  input logic                    rlast_i,
  input logic [1:0]              rresp_i
);
  localparam int unsigned ByteBits = $clog2(DataWidth / 8);
  localparam int unsigned IndexWidth = $clog2(OpenMax);

  // Lengths of the bursts announced, for counting their words; data may not come before its
  // address here.
  logic [7:0]            write_length [OpenMax];
  logic [7:0]            read_length [OpenMax];
  logic [IndexWidth-1:0] write_in_q, write_out_q, read_in_q, read_out_q;
  logic [7:0]            write_beat_q, read_beat_q;
  logic [15:0]           writes_open_q, writes_unsent_q, writes_sent_q, reads_open_q;
  logic [12:0]           write_end, read_end;  // of the burst, within its 4 KiB
  logic [7:0]            write_expected, read_expected;
  logic                  aw, w, b, ar, r;

  always_comb begin
    aw = awvalid_i && awready_i;
    w  = wvalid_i && wready_i;
    b  = bvalid_i && bready_i;
    ar = arvalid_i && arready_i;
    r  = rvalid_i && rready_i;
    write_expected = write_length[write_out_q];
    read_expected  = read_length[read_out_q];
    write_end = {1'b0, awaddr_i[11:0]} + (13'(awlen_i) + 13'd1) * 13'(DataWidth / 8);
    read_end  = {1'b0, araddr_i[11:0]} + (13'(arlen_i) + 13'd1) * 13'(DataWidth / 8);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_in_q      <= '0;
      write_out_q     <= '0;
      read_in_q       <= '0;
      read_out_q      <= '0;
      write_beat_q    <= '0;
      read_beat_q     <= '0;
      writes_open_q   <= '0;
      writes_unsent_q <= '0;
      writes_sent_q   <= '0;
      reads_open_q    <= '0;
    end else begin
      if (aw) begin
        write_length[write_in_q] <= awlen_i;
        write_in_q               <= write_in_q + 1'b1;
      end
      if (ar) begin
        read_length[read_in_q] <= arlen_i;
        read_in_q              <= read_in_q + 1'b1;
      end
      if (w) begin
        write_beat_q <= wlast_i ? '0 : write_beat_q + 8'd1;
        if (wlast_i) write_out_q <= write_out_q + 1'b1;
      end
      if (r) begin
        read_beat_q <= rlast_i ? '0 : read_beat_q + 8'd1;
        if (rlast_i) read_out_q <= read_out_q + 1'b1;
      end
      writes_open_q   <= writes_open_q + 16'(aw) - 16'(b);
      writes_unsent_q <= writes_unsent_q + 16'(aw) - 16'(w && wlast_i);
      writes_sent_q   <= writes_sent_q + 16'(w && wlast_i) - 16'(b);
      reads_open_q    <= reads_open_q + 16'(ar) - 16'(r && rlast_i);
    end
  end

  // Valid stays until ready, and what it goes with does not change.
  assert property (@(posedge clk_i) disable iff (!rst_ni) awvalid_i && !awready_i |=> awvalid_i)
    else $fatal(1, "AXI4: AWVALID fell before AWREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   awvalid_i && !awready_i |=>
                   $stable({awid_i, awaddr_i, awlen_i, awsize_i, awburst_i}))
    else $fatal(1, "AXI4: the write address changed before AWREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) wvalid_i && !wready_i |=> wvalid_i)
    else $fatal(1, "AXI4: WVALID fell before WREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   wvalid_i && !wready_i |=> $stable({wdata_i, wstrb_i, wlast_i}))
    else $fatal(1, "AXI4: the write data changed before WREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) bvalid_i && !bready_i |=> bvalid_i)
    else $fatal(1, "AXI4: BVALID fell before BREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) arvalid_i && !arready_i |=> arvalid_i)
    else $fatal(1, "AXI4: ARVALID fell before ARREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   arvalid_i && !arready_i |=>
                   $stable({arid_i, araddr_i, arlen_i, arsize_i, arburst_i}))
    else $fatal(1, "AXI4: the read address changed before ARREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni) rvalid_i && !rready_i |=> rvalid_i)
    else $fatal(1, "AXI4: RVALID fell before RREADY");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   rvalid_i && !rready_i |=> $stable({rid_i, rdata_i, rresp_i, rlast_i}))
    else $fatal(1, "AXI4: the read data changed before RREADY");

  // Bursts: ascending words of the bus's width, inside 4 KiB, from a word's own address.
  assert property (@(posedge clk_i) disable iff (!rst_ni) awvalid_i |-> write_end <= 13'd4096)
    else $fatal(1, "AXI4: a write burst crosses 4 KiB");
  assert property (@(posedge clk_i) disable iff (!rst_ni) arvalid_i |-> read_end <= 13'd4096)
    else $fatal(1, "AXI4: a read burst crosses 4 KiB");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   awvalid_i |-> awsize_i == 3'(ByteBits) && awburst_i == 2'b01 &&
                                 awaddr_i[ByteBits-1:0] == '0)
    else $fatal(1, "AXI4: a write burst that is not of whole ascending words");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   arvalid_i |-> arsize_i == 3'(ByteBits) && arburst_i == 2'b01 &&
                                 araddr_i[ByteBits-1:0] == '0)
    else $fatal(1, "AXI4: a read burst that is not of whole ascending words");

  // Words and answers: as many as announced, none out of turn.
  assert property (@(posedge clk_i) disable iff (!rst_ni) w |-> writes_unsent_q != '0)
    else $fatal(1, "AXI4: a written word without a burst");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   w |-> wlast_i == (write_beat_q == write_expected))
    else $fatal(1, "AXI4: WLAST is not at the last word");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   r |-> reads_open_q != '0 && rlast_i == (read_beat_q == read_expected))
    else $fatal(1, "AXI4: RLAST is not at the last word");
  assert property (@(posedge clk_i) disable iff (!rst_ni) bvalid_i |-> writes_sent_q != '0)
    else $fatal(1, "AXI4: a response before the burst's last word");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   bvalid_i |-> bid_i == '0 && bresp_i != 2'b01)
    else $fatal(1, "AXI4: a write response of an id or kind that was not asked for");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   rvalid_i |-> rid_i == '0 && rresp_i != 2'b01)
    else $fatal(1, "AXI4: read data of an id or kind that was not asked for");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   awvalid_i || arvalid_i |-> awid_i == '0 && arid_i == '0)
    else $fatal(1, "AXI4: an id other than 0");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   writes_open_q < 16'(OpenMax) && reads_open_q < 16'(OpenMax))
    else $fatal(1, "AXI4: more bursts open than the checker follows");
  assert property (@(posedge clk_i) !rst_ni |=> !awvalid_i && !wvalid_i && !arvalid_i)
    else $fatal(1, "AXI4: a valid in or right after reset");
endmodule
