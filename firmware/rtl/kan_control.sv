// The control register and the interrupt of an XRT kernel, for ap_ctrl_hs and for ap_ctrl_chain.
// hs:    a run is accepted (start falls) when it is done; done stays until the register is read.
// chain: a run is accepted as soon as its arguments are taken, so the host may set up the next
// one; done stays, and the next run waits, until the host writes continue.
// run_*: the run's state machine (kan_run). start_o is high while a run is wanted.
module kan_control #(
  parameter bit Chain = 1'b0
) (
  input  logic        clk_i,
  input  logic        rst_ni,  // synchronous, active low
  input  logic        write_i,
  input  logic [11:0] write_address_i,
  input  logic [31:0] write_data_i,
  input  logic [3:0]  write_strobe_i,
  input  logic        read_i,
  input  logic [11:0] read_address_i,
  output logic [31:0] control_o,  // what the registers read
  output logic [31:0] global_o,
  output logic [31:0] enable_o,
  output logic [31:0] status_o,
  output logic        start_o,
  input  logic        run_taken_i,  // one cycle: the arguments are taken
  input  logic        run_done_i,   // until run_end_o
  output logic        run_end_o,
  input  logic        run_idle_i,
  output logic        interrupt_o
);
  logic       write_control, read_control, write_low;
  logic       start_d, start_q, restart_d, restart_q;
  logic       done_d, done_q, ready_d, ready_q;
  logic       global_d, global_q;
  logic [1:0] enable_d, enable_q, status_d, status_q, happened;
  logic       accepted, continued, done_seen_q, interrupt_q;
  logic       unused_bits;

  always_comb begin
    write_low     = write_i && write_strobe_i[0];
    write_control = write_low && write_address_i == kan_register_pkg::Control;
    read_control  = read_i && read_address_i == kan_register_pkg::Control;
    continued     = write_control && write_data_i[4];
    run_end_o     = !Chain || continued;
    accepted      = Chain ? run_taken_i : run_done_i;
    happened[0]   = run_done_i && !done_seen_q;
    happened[1]   = accepted;

    start_d   = (write_control && write_data_i[0]) || (start_q && !(accepted && !restart_q));
    restart_d = write_control ? write_data_i[7] : restart_q;
    done_d    = Chain ? run_done_i && !continued : run_done_i || (done_q && !read_control);
    ready_d   = accepted || (ready_q && !read_control);
    global_d  = global_q;
    enable_d  = enable_q;
    status_d  = status_q;
    if (write_low && write_address_i == kan_register_pkg::InterruptGlobal) begin
      global_d = write_data_i[0];
    end
    if (write_low && write_address_i == kan_register_pkg::InterruptEnable) begin
      enable_d = write_data_i[1:0];
    end
    if (write_low && write_address_i == kan_register_pkg::InterruptStatus) begin
      status_d = status_q ^ write_data_i[1:0];
    end
    status_d = status_d | (happened & enable_q);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      start_q     <= 1'b0;
      restart_q   <= 1'b0;
      done_q      <= 1'b0;
      ready_q     <= 1'b0;
      global_q    <= 1'b0;
      enable_q    <= '0;
      status_q    <= '0;
      done_seen_q <= 1'b0;
      interrupt_q <= 1'b0;
    end else begin
      start_q     <= start_d;
      restart_q   <= restart_d;
      done_q      <= done_d;
      ready_q     <= ready_d;
      global_q    <= global_d;
      enable_q    <= enable_d;
      status_q    <= status_d;
      done_seen_q <= run_done_i && !run_end_o;
      interrupt_q <= global_d && status_d != '0;
    end
  end

  assign control_o   = {24'd0, restart_q, 3'd0, ready_q, run_idle_i && !start_q, done_q, start_q};
  assign global_o    = {31'd0, global_q};
  assign enable_o    = {30'd0, enable_q};
  assign status_o    = {30'd0, status_q};
  assign start_o     = start_q;
  assign interrupt_o = interrupt_q;
  assign unused_bits = ^{write_data_i, write_strobe_i, run_taken_i};

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) run_done_i |-> !run_idle_i)
    else $error("kan_control: idle and done at once");
`endif
endmodule
