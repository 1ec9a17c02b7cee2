// The cells and kan_core beside each other, each with its own handshake: what cells_test simulates.
module cells_bench (
  input  logic        clk,
  input  logic        rst_n,
  input  logic        core_valid_i,
  output logic        core_ready_o,
  input  logic [23:0] core_data_i,
  input  logic        core_bank_i,
  input  logic        table_valid_i,
  input  logic [31:0] table_address_i,
  input  logic [31:0] table_data_i,
  output logic        core_valid_o,
  input  logic        core_ready_i,
  output logic [8:0]  core_data_o,
  input  logic        skid_valid_i,
  output logic        skid_ready_o,
  input  logic [31:0] skid_data_i,
  output logic        skid_valid_o,
  input  logic        skid_ready_i,
  output logic [31:0] skid_data_o,
  input  logic        fifo_valid_i,
  output logic        fifo_ready_o,
  input  logic [31:0] fifo_data_i,
  output logic        fifo_valid_o,
  input  logic        fifo_ready_i,
  output logic [31:0] fifo_data_o,
  input  logic        pipe_i,
  output logic        pipe_0_o,
  output logic        pipe_3_o
);
  kan_core u_core (
    .clk_i           (clk),
    .rst_ni          (rst_n),
    .valid_i         (core_valid_i),
    .ready_o         (core_ready_o),
    .codes_i         (core_data_i),
    .bank_i          (core_bank_i),
    .table_valid_i   (table_valid_i),
    .table_address_i (table_address_i),
    .table_data_i    (table_data_i),
    .valid_o         (core_valid_o),
    .ready_i         (core_ready_i),
    .scores_o        (core_data_o)
  );

  kan_skid #(
    .Width (32)
  ) u_skid (
    .clk_i   (clk),
    .rst_ni  (rst_n),
    .valid_i (skid_valid_i),
    .ready_o (skid_ready_o),
    .data_i  (skid_data_i),
    .valid_o (skid_valid_o),
    .ready_i (skid_ready_i),
    .data_o  (skid_data_o)
  );

  kan_fifo #(
    .Width (32),
    .Depth (4)
  ) u_fifo (
    .clk_i   (clk),
    .rst_ni  (rst_n),
    .valid_i (fifo_valid_i),
    .ready_o (fifo_ready_o),
    .data_i  (fifo_data_i),
    .valid_o (fifo_valid_o),
    .ready_i (fifo_ready_i),
    .data_o  (fifo_data_o)
  );

  kan_valid_pipe #(
    .Latency (0)
  ) u_pipe_0 (
    .clk_i   (clk),
    .rst_ni  (rst_n),
    .valid_i (pipe_i),
    .valid_o (pipe_0_o)
  );

  kan_valid_pipe #(
    .Latency (3)
  ) u_pipe_3 (
    .clk_i   (clk),
    .rst_ni  (rst_n),
    .valid_i (pipe_i),
    .valid_o (pipe_3_o)
  );
endmodule
