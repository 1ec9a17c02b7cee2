// The counters of kan_kernel: 64 bits, from reset on. read_i with the byte address of a half
// gives it in the same cycle; reading a lower half keeps the upper one for the next read of any
// upper half.
module kan_counters (
  input  logic        clk_i,
  input  logic        rst_ni,  // synchronous, active low
  input  logic [7:0]  events_in_i,  // to add in this cycle
  input  logic [7:0]  events_out_i,
  input  logic        read_stall_i,
  input  logic        write_stall_i,
  input  logic        busy_i,
  input  logic        run_i,
  input  logic [1:0]  axi_errors_i,
  input  logic        read_i,
  input  logic [11:0] read_address_i,
  output logic [31:0] read_data_o  // 0 for an address that is no counter's
);
  logic [63:0] events_in_q, events_out_q, read_stalls_q, write_stalls_q, busy_cycles_q;
  logic [31:0] runs_q, axi_errors_q, upper_q;
  logic [63:0] selected;
  logic [11:0] lower_address;
  logic        is_counter, is_upper;

  always_comb begin
    lower_address = {read_address_i[11:3], 3'b000};
    is_upper      = read_address_i[2];
    is_counter    = 1'b1;
    unique case (lower_address)
      kan_register_pkg::EventsIn:    selected = events_in_q;
      kan_register_pkg::EventsOut:   selected = events_out_q;
      kan_register_pkg::ReadStalls:  selected = read_stalls_q;
      kan_register_pkg::WriteStalls: selected = write_stalls_q;
      kan_register_pkg::BusyCycles:  selected = busy_cycles_q;
      default: begin
        selected   = '0;
        is_counter = 1'b0;
      end
    endcase
    read_data_o = is_upper ? upper_q : selected[31:0];
    if (!is_counter) read_data_o = '0;
    if (read_address_i == kan_register_pkg::Runs) read_data_o = runs_q;
    if (read_address_i == kan_register_pkg::AxiErrors) read_data_o = axi_errors_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      events_in_q    <= '0;
      events_out_q   <= '0;
      read_stalls_q  <= '0;
      write_stalls_q <= '0;
      busy_cycles_q  <= '0;
      runs_q         <= '0;
      axi_errors_q   <= '0;
      upper_q        <= '0;
    end else begin
      events_in_q    <= events_in_q + 64'(events_in_i);
      events_out_q   <= events_out_q + 64'(events_out_i);
      read_stalls_q  <= read_stalls_q + 64'(read_stall_i);
      write_stalls_q <= write_stalls_q + 64'(write_stall_i);
      busy_cycles_q  <= busy_cycles_q + 64'(busy_i);
      runs_q         <= runs_q + 32'(run_i);
      axi_errors_q   <= axi_errors_q + 32'(axi_errors_i);
      if (read_i && is_counter && !is_upper) upper_q <= selected[63:32];
    end
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) events_out_q <= events_in_q)
    else $error("kan_counters: more events left than entered");
`endif
endmodule
