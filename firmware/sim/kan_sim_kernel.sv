// kan_kernel before a memory that always has time, for kernel_harness.cpp: clocked by it, its
// memory served by two C functions. Every handshake with the memory is registered here, so that
// between two edges of the clock there is nothing to evaluate but what the AXI4-Lite ports drive.
// A burst's words come one a clock, without a gap between bursts.
module kan_sim_kernel #(
  parameter int unsigned MaxLanes = 4,
  parameter bit          Overlay  = 1'b0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [63:0] owner_i,  // handed to the C functions: whose memory it is
  input  logic        write_i,  // address and data of a register, until taken
  output logic        write_taken_o,
  input  logic        read_i,
  output logic        read_taken_o,
  input  logic [11:0] address_i,
  input  logic [31:0] data_i,
  output logic        data_valid_o,  // one clock
  output logic [31:0] data_o,
  output logic        done_o,  // one clock a run
  output logic        idle_o,  // no run is going on
  output logic        interrupt_o
);
  // Fill `data` with the 64 bytes at `address`, or take those that `strobe` names: AXI's answer.
  import "DPI-C" function int kantrig_kernel_fetch(input longint unsigned owner,
                                                   input longint unsigned address,
                                                   output bit [511:0] data);
  import "DPI-C" function int kantrig_kernel_store(input longint unsigned owner,
                                                   input longint unsigned address,
                                                   input bit [511:0] data,
                                                   input longint unsigned strobe);

  logic         awvalid, awready, wvalid, wready, wlast, bvalid_q, bready;
  logic         arvalid, arready, rvalid_q, rready, rlast;
  logic [0:0]   awid, arid;
  logic [63:0]  awaddr, araddr, wstrb, write_address_q, read_address_q;
  logic [7:0]   awlen, arlen, read_left_q;
  logic [2:0]   awsize, arsize;
  logic [1:0]   awburst, arburst, bresp_q, rresp_q, s_bresp, s_rresp;
  logic [511:0] wdata;
  bit   [511:0] rdata_q;
  logic         s_awready, s_wready, s_bvalid, writing_q;
  int           answer;
  logic         unused;

  assign unused        = ^{awid, arid, awsize, arsize, awburst, arburst, awlen, s_bresp, s_rresp,
                           s_bvalid, s_wready, answer[31:2]};
  assign write_taken_o = s_awready;
  assign done_o        = u_kernel.run_done && u_kernel.run_end;
  assign idle_o        = u_kernel.control[2];
  assign awready       = !writing_q;
  assign wready        = writing_q && !bvalid_q;
  assign arready       = !rvalid_q || (rlast && rready);
  assign rlast         = read_left_q == '0;

  // verilator lint_off BLKSEQ
  // `answer` is a temporary: what a function returns.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      writing_q <= 1'b0;
      bvalid_q  <= 1'b0;
      rvalid_q  <= 1'b0;
    end else begin
      if (arvalid && arready) begin
        rvalid_q       <= 1'b1;
        read_left_q    <= arlen;
        read_address_q <= araddr + 64'd64;
        answer         = kantrig_kernel_fetch(owner_i, araddr, rdata_q);
        rresp_q        <= answer[1:0];
      end else if (rvalid_q && rready) begin
        rvalid_q <= !rlast;
        if (!rlast) begin
          read_left_q    <= read_left_q - 1'b1;
          read_address_q <= read_address_q + 64'd64;
          answer         = kantrig_kernel_fetch(owner_i, read_address_q, rdata_q);
          rresp_q        <= answer[1:0];
        end
      end
      if (bvalid_q && bready) begin
        bvalid_q  <= 1'b0;
        writing_q <= 1'b0;
      end
      if (awvalid && awready) begin
        writing_q       <= 1'b1;
        write_address_q <= awaddr;
        bresp_q         <= 2'd0;
      end
      if (wvalid && wready) begin
        answer          = kantrig_kernel_store(owner_i, write_address_q, wdata, wstrb);
        write_address_q <= write_address_q + 64'd64;
        if (answer[1:0] != 2'd0) bresp_q <= answer[1:0];
        bvalid_q <= wlast;
      end
    end
  end
  // verilator lint_on BLKSEQ

  kan_kernel #(
    .MaxLanes (MaxLanes),
    .Overlay  (Overlay)
  ) u_kernel (
    .ap_clk                (clk_i),
    .ap_rst_n              (rst_ni),
    .interrupt             (interrupt_o),
    .s_axi_control_awvalid (write_i),
    .s_axi_control_awready (s_awready),
    .s_axi_control_awaddr  (address_i),
    .s_axi_control_wvalid  (write_i),
    .s_axi_control_wready  (s_wready),
    .s_axi_control_wdata   (data_i),
    .s_axi_control_wstrb   (4'hF),
    .s_axi_control_bvalid  (s_bvalid),
    .s_axi_control_bready  (1'b1),
    .s_axi_control_bresp   (s_bresp),
    .s_axi_control_arvalid (read_i),
    .s_axi_control_arready (read_taken_o),
    .s_axi_control_araddr  (address_i),
    .s_axi_control_rvalid  (data_valid_o),
    .s_axi_control_rready  (1'b1),
    .s_axi_control_rdata   (data_o),
    .s_axi_control_rresp   (s_rresp),
    .m_axi_gmem_awvalid    (awvalid),
    .m_axi_gmem_awready    (awready),
    .m_axi_gmem_awid       (awid),
    .m_axi_gmem_awaddr     (awaddr),
    .m_axi_gmem_awlen      (awlen),
    .m_axi_gmem_awsize     (awsize),
    .m_axi_gmem_awburst    (awburst),
    .m_axi_gmem_wvalid     (wvalid),
    .m_axi_gmem_wready     (wready),
    .m_axi_gmem_wdata      (wdata),
    .m_axi_gmem_wstrb      (wstrb),
    .m_axi_gmem_wlast      (wlast),
    .m_axi_gmem_bvalid     (bvalid_q),
    .m_axi_gmem_bready     (bready),
    .m_axi_gmem_bid        (1'b0),
    .m_axi_gmem_bresp      (bresp_q),
    .m_axi_gmem_arvalid    (arvalid),
    .m_axi_gmem_arready    (arready),
    .m_axi_gmem_arid       (arid),
    .m_axi_gmem_araddr     (araddr),
    .m_axi_gmem_arlen      (arlen),
    .m_axi_gmem_arsize     (arsize),
    .m_axi_gmem_arburst    (arburst),
    .m_axi_gmem_rvalid     (rvalid_q),
    .m_axi_gmem_rready     (rready),
    .m_axi_gmem_rid        (1'b0),
    .m_axi_gmem_rdata      (rdata_q),
    .m_axi_gmem_rlast      (rlast),
    .m_axi_gmem_rresp      (rresp_q)
  );
endmodule
