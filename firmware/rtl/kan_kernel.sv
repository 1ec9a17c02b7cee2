// The kernel for XRT: AXI4-Lite control, an AXI4 memory master of 512 bits, and as many kan_core
// lanes as events fit in a memory word (at most MaxLanes). Reads packed records of codes, writes
// packed records of scores, in order. Ports are named as the vendor's packager expects;
// registers: kan_register_pkg; records: README.md. Sustains Lanes events a clock while the
// memory keeps up.
module kan_kernel #(
  parameter int unsigned MaxLanes   = 4,     // a power of two
  parameter int unsigned BurstWords = 16,    // a power of two, up to 64
  parameter int unsigned FifoWords  = 256,   // of either direction; a power of two
  parameter bit          Chain      = 1'b0,  // ap_ctrl_chain instead of ap_ctrl_hs
  parameter bit          Overlay    = 1'b0   // the design's tables can be written
) (
  input  logic         ap_clk,
  input  logic         ap_rst_n,  // synchronous
  // verilator lint_off SYMRSVDWORD
  output logic         interrupt,  // the vendor's name for it
  // verilator lint_on SYMRSVDWORD
  input  logic         s_axi_control_awvalid,
  output logic         s_axi_control_awready,
  input  logic [11:0]  s_axi_control_awaddr,
  input  logic         s_axi_control_wvalid,
  output logic         s_axi_control_wready,
  input  logic [31:0]  s_axi_control_wdata,
  input  logic [3:0]   s_axi_control_wstrb,
  output logic         s_axi_control_bvalid,
  input  logic         s_axi_control_bready,
  output logic [1:0]   s_axi_control_bresp,
  input  logic         s_axi_control_arvalid,
  output logic         s_axi_control_arready,
  input  logic [11:0]  s_axi_control_araddr,
  output logic         s_axi_control_rvalid,
  input  logic         s_axi_control_rready,
  output logic [31:0]  s_axi_control_rdata,
  output logic [1:0]   s_axi_control_rresp,
  output logic         m_axi_gmem_awvalid,
  input  logic         m_axi_gmem_awready,
  output logic [0:0]   m_axi_gmem_awid,
  output logic [63:0]  m_axi_gmem_awaddr,
  output logic [7:0]   m_axi_gmem_awlen,
  output logic [2:0]   m_axi_gmem_awsize,
  output logic [1:0]   m_axi_gmem_awburst,
  output logic         m_axi_gmem_wvalid,
  input  logic         m_axi_gmem_wready,
  output logic [511:0] m_axi_gmem_wdata,
  output logic [63:0]  m_axi_gmem_wstrb,
  output logic         m_axi_gmem_wlast,
  input  logic         m_axi_gmem_bvalid,
  output logic         m_axi_gmem_bready,
  input  logic [0:0]   m_axi_gmem_bid,
  input  logic [1:0]   m_axi_gmem_bresp,
  output logic         m_axi_gmem_arvalid,
  input  logic         m_axi_gmem_arready,
  output logic [0:0]   m_axi_gmem_arid,
  output logic [63:0]  m_axi_gmem_araddr,
  output logic [7:0]   m_axi_gmem_arlen,
  output logic [2:0]   m_axi_gmem_arsize,
  output logic [1:0]   m_axi_gmem_arburst,
  input  logic         m_axi_gmem_rvalid,
  output logic         m_axi_gmem_rready,
  input  logic [0:0]   m_axi_gmem_rid,
  input  logic [511:0] m_axi_gmem_rdata,
  input  logic         m_axi_gmem_rlast,
  input  logic [1:0]   m_axi_gmem_rresp
);
  localparam int unsigned WordBits = 512;
  localparam int unsigned InputWidth = kan_design_pkg::InputWidth;
  localparam int unsigned OutputWidth = kan_design_pkg::OutputWidth;
  localparam int unsigned InputRecordBits = InputWidth <= 8 ? 8 :
      InputWidth <= WordBits ? 1 << $clog2(InputWidth) :
      (InputWidth + WordBits - 1) / WordBits * WordBits;
  localparam int unsigned OutputRecordBits = OutputWidth <= 8 ? 8 :
      OutputWidth <= WordBits ? 1 << $clog2(OutputWidth) :
      (OutputWidth + WordBits - 1) / WordBits * WordBits;
  localparam int unsigned RecordsPerWord =
      InputRecordBits < WordBits ? WordBits / InputRecordBits : 1;
  localparam int unsigned Lanes = RecordsPerWord < MaxLanes ? RecordsPerWord : MaxLanes;
  localparam int unsigned CountWidth = 48;

  // Registers.
  logic        write, read, table_write;
  logic [11:0] write_address, read_address;
  logic [31:0] write_data, read_data, control, global, enable, status, counter;
  logic [3:0]  write_strobe;
  logic [63:0] input_argument, output_argument;
  logic [31:0] events_argument, mode_argument, table_first_argument, table_write_address;
  logic        bank_argument;
  logic [4:0]  error;
  logic [31:0] mismatches;
  // The run.
  logic        run_start, run_taken, run_done, run_end, run_idle;
  logic        clear, stop, decide, tables, compare, pipeline_rst_n;
  logic        lanes_start, tables_start, read_start, write_start, compare_start;
  logic [63:0] run_read_address, run_write_address;
  logic [CountWidth-7:0] run_read_words;
  logic [CountWidth-1:0] run_write_bytes;
  logic [31:0] run_events, run_table_first;
  logic        run_bank;
  logic        read_idle, write_idle, read_error, write_error, tables_done, compare_done;
  // Words out of and into memory.
  logic                read_valid, read_ready, word_push, output_valid, write_ready;
  logic [WordBits-1:0] read_word, output_word;
  logic                hungry, blocked;
  logic [7:0]          admitted, left;
  logic                unused_ids;

  assign pipeline_rst_n = ap_rst_n && !clear;
  assign unused_ids     = ^{m_axi_gmem_bid, m_axi_gmem_rid};  // there is one id

  assign m_axi_gmem_awid    = 1'b0;
  assign m_axi_gmem_awsize  = 3'd6;   // 64 bytes a beat
  assign m_axi_gmem_awburst = 2'b01;  // ascending
  assign m_axi_gmem_arid    = 1'b0;
  assign m_axi_gmem_arsize  = 3'd6;
  assign m_axi_gmem_arburst = 2'b01;

  kan_axi_lite #(
    .AddressWidth (12)
  ) u_axi_lite (
    .clk_i           (ap_clk),
    .rst_ni          (ap_rst_n),
    .awvalid_i       (s_axi_control_awvalid),
    .awready_o       (s_axi_control_awready),
    .awaddr_i        (s_axi_control_awaddr),
    .wvalid_i        (s_axi_control_wvalid),
    .wready_o        (s_axi_control_wready),
    .wdata_i         (s_axi_control_wdata),
    .wstrb_i         (s_axi_control_wstrb),
    .bvalid_o        (s_axi_control_bvalid),
    .bready_i        (s_axi_control_bready),
    .bresp_o         (s_axi_control_bresp),
    .arvalid_i       (s_axi_control_arvalid),
    .arready_o       (s_axi_control_arready),
    .araddr_i        (s_axi_control_araddr),
    .rvalid_o        (s_axi_control_rvalid),
    .rready_i        (s_axi_control_rready),
    .rdata_o         (s_axi_control_rdata),
    .rresp_o         (s_axi_control_rresp),
    .write_o         (write),
    .write_address_o (write_address),
    .write_data_o    (write_data),
    .write_strobe_o  (write_strobe),
    .read_o          (read),
    .read_address_o  (read_address),
    .read_data_i     (read_data)
  );

  kan_control #(
    .Chain (Chain)
  ) u_control (
    .clk_i           (ap_clk),
    .rst_ni          (ap_rst_n),
    .write_i         (write),
    .write_address_i (write_address),
    .write_data_i    (write_data),
    .write_strobe_i  (write_strobe),
    .read_i          (read),
    .read_address_i  (read_address),
    .control_o       (control),
    .global_o        (global),
    .enable_o        (enable),
    .status_o        (status),
    .start_o         (run_start),
    .run_taken_i     (run_taken),
    .run_done_i      (run_done),
    .run_end_o       (run_end),
    .run_idle_i      (run_idle),
    .interrupt_o     (interrupt)
  );

  kan_registers #(
    .LaneCount        (Lanes),
    .InputRecordSize  (InputRecordBits),
    .OutputRecordSize (OutputRecordBits),
    .SelfTestWords    (FifoWords),
    .Overlay          (Overlay)
  ) u_registers (
    .clk_i           (ap_clk),
    .rst_ni          (ap_rst_n),
    .write_i         (write),
    .write_address_i (write_address),
    .write_data_i    (write_data),
    .write_strobe_i  (write_strobe),
    .read_address_i  (read_address),
    .read_data_o     (read_data),
    .control_i       (control),
    .global_i        (global),
    .enable_i        (enable),
    .status_i        (status),
    .counter_i       (counter),
    .error_i         (error),
    .mismatches_i    (mismatches),
    .input_o         (input_argument),
    .output_o        (output_argument),
    .events_o        (events_argument),
    .bank_o          (bank_argument),
    .mode_o          (mode_argument),
    .table_first_o   (table_first_argument),
    .table_write_o   (table_write),
    .table_address_o (table_write_address)
  );

  kan_counters u_counters (
    .clk_i          (ap_clk),
    .rst_ni         (ap_rst_n),
    .events_in_i    (admitted),
    .events_out_i   (left),
    .read_stall_i   (hungry),
    .write_stall_i  (blocked),
    .busy_i         (!run_idle && !run_done),
    .run_i          (run_done && run_end),
    .axi_errors_i   ({1'b0, read_error} + {1'b0, write_error}),
    .read_i         (read),
    .read_address_i (read_address),
    .read_data_o    (counter)
  );

  kan_run #(
    .InputRecordBits  (InputRecordBits),
    .OutputRecordBits (OutputRecordBits),
    .SelfTestWords    (FifoWords),
    .CountWidth       (CountWidth),
    .Overlay          (Overlay)
  ) u_run (
    .clk_i           (ap_clk),
    .rst_ni          (ap_rst_n),
    .start_i         (run_start),
    .input_i         (input_argument),
    .output_i        (output_argument),
    .events_i        (events_argument),
    .bank_i          (bank_argument),
    .mode_i          (mode_argument),
    .table_first_i   (table_first_argument),
    .taken_o         (run_taken),
    .done_o          (run_done),
    .end_i           (run_end),
    .idle_o          (run_idle),
    .clear_o         (clear),
    .stop_o          (stop),
    .decide_o        (decide),
    .tables_o        (tables),
    .compare_o       (compare),
    .lanes_start_o   (lanes_start),
    .tables_start_o  (tables_start),
    .read_start_o    (read_start),
    .write_start_o   (write_start),
    .compare_start_o (compare_start),
    .read_address_o  (run_read_address),
    .read_words_o    (run_read_words),
    .write_address_o (run_write_address),
    .write_bytes_o   (run_write_bytes),
    .events_o        (run_events),
    .bank_o          (run_bank),
    .table_first_o   (run_table_first),
    .read_idle_i     (read_idle),
    .write_idle_i    (write_idle),
    .read_error_i    (read_error),
    .write_error_i   (write_error),
    .tables_done_i   (tables_done),
    .compare_done_i  (compare_done),
    .result_i        (word_push),
    .error_o         (error)
  );

  kan_axi_read #(
    .CountWidth (CountWidth - 6),
    .BurstWords (BurstWords),
    .FifoWords  (FifoWords)
  ) u_read (
    .clk_i     (ap_clk),
    .rst_ni    (pipeline_rst_n),
    .start_i   (read_start),
    .stop_i    (stop),
    .address_i (run_read_address),
    .words_i   (run_read_words),
    .idle_o    (read_idle),
    .error_o   (read_error),
    .valid_o   (read_valid),
    .ready_i   (read_ready),
    .data_o    (read_word),
    .arvalid_o (m_axi_gmem_arvalid),
    .arready_i (m_axi_gmem_arready),
    .araddr_o  (m_axi_gmem_araddr),
    .arlen_o   (m_axi_gmem_arlen),
    .rvalid_i  (m_axi_gmem_rvalid),
    .rready_o  (m_axi_gmem_rready),
    .rdata_i   (m_axi_gmem_rdata),
    .rresp_i   (m_axi_gmem_rresp),
    .rlast_i   (m_axi_gmem_rlast)
  );

  kan_flow #(
    .WordBits         (WordBits),
    .Lanes            (Lanes),
    .InputRecordBits  (InputRecordBits),
    .OutputRecordBits (OutputRecordBits),
    .FifoWords        (FifoWords),
    .CountWidth       (CountWidth)
  ) u_flow (
    .clk_i                 (ap_clk),
    .rst_ni                (ap_rst_n),
    .clear_i               (clear),
    .decide_i              (decide),
    .tables_i              (tables),
    .compare_i             (compare),
    .lanes_start_i         (lanes_start),
    .tables_start_i        (tables_start),
    .compare_start_i       (compare_start),
    .events_i              (run_events),
    .bank_i                (run_bank),
    .table_first_i         (run_table_first),
    .output_bytes_i        (run_write_bytes),
    .tables_done_o         (tables_done),
    .compare_done_o        (compare_done),
    .mismatches_o          (mismatches),
    .table_write_i         (table_write),
    .table_write_address_i (table_write_address),
    .table_write_data_i    (write_data),
    .read_valid_i          (read_valid),
    .read_ready_o          (read_ready),
    .read_word_i           (read_word),
    .word_push_o           (word_push),
    .word_valid_o          (output_valid),
    .word_ready_i          (write_ready),
    .word_o                (output_word),
    .admitted_o            (admitted),
    .left_o                (left),
    .hungry_o              (hungry),
    .blocked_o             (blocked)
  );

  kan_axi_write #(
    .CountWidth (CountWidth),
    .BurstWords (BurstWords),
    .FifoWords  (FifoWords)
  ) u_write (
    .clk_i     (ap_clk),
    .rst_ni    (pipeline_rst_n),
    .start_i   (write_start),
    .stop_i    (stop),
    .address_i (run_write_address),
    .bytes_i   (run_write_bytes),
    .idle_o    (write_idle),
    .error_o   (write_error),
    .push_i    (word_push),
    .valid_i   (output_valid),
    .ready_o   (write_ready),
    .data_i    (output_word),
    .awvalid_o (m_axi_gmem_awvalid),
    .awready_i (m_axi_gmem_awready),
    .awaddr_o  (m_axi_gmem_awaddr),
    .awlen_o   (m_axi_gmem_awlen),
    .wvalid_o  (m_axi_gmem_wvalid),
    .wready_i  (m_axi_gmem_wready),
    .wdata_o   (m_axi_gmem_wdata),
    .wstrb_o   (m_axi_gmem_wstrb),
    .wlast_o   (m_axi_gmem_wlast),
    .bvalid_i  (m_axi_gmem_bvalid),
    .bready_o  (m_axi_gmem_bready),
    .bresp_i   (m_axi_gmem_bresp)
  );

`ifndef SYNTHESIS
  initial assert ((1 << $clog2(MaxLanes)) == MaxLanes && MaxLanes <= 64)
    else $error("kan_kernel: MaxLanes is %0d, expected a power of two up to 64", MaxLanes);
`endif
endmodule
