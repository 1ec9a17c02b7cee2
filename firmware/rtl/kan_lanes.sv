// Lanes events side by side: one kan_core a lane, all in step, and the count of a run's events.
// Handshake: valid/ready on both sides; a beat is Lanes records, the first event lowest. start_i
// loads the number of events; after the last of them no beat is taken. Records of the last beat
// past the last event hold whatever the memory held. last_o marks the run's last beat.
// Latency: kan_core's; one beat a cycle.
module kan_lanes #(
  parameter int unsigned Lanes            = 4,
  parameter int unsigned InputRecordBits  = 32,  // at least kan_design_pkg::InputWidth
  parameter int unsigned OutputRecordBits = 16   // at least kan_design_pkg::OutputWidth
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,  // synchronous, active low: forgets all events
  input  logic                              start_i,
  input  logic [31:0]                       events_i,
  input  logic                              bank_i,
  input  logic                              table_valid_i,
  input  logic [31:0]                       table_address_i,
  input  logic [31:0]                       table_data_i,
  input  logic                              valid_i,
  output logic                              ready_o,
  input  logic [Lanes*InputRecordBits-1:0]  data_i,
  output logic                              valid_o,
  input  logic                              ready_i,
  output logic                              last_o,
  output logic [Lanes*OutputRecordBits-1:0] data_o,
  output logic                              hungry_o,    // would take a beat and none is there
  output logic [7:0]                        admitted_o,  // events that entered in this cycle
  output logic [7:0]                        left_o       // events that left in this cycle
);
  localparam int unsigned InputWidth = kan_design_pkg::InputWidth;
  localparam int unsigned OutputWidth = kan_design_pkg::OutputWidth;

  logic [31:0]      to_admit_d, to_admit_q, to_leave_d, to_leave_q;
  logic [Lanes-1:0] core_ready, core_valid;
  logic             admit, leave, all_ready, all_valid;
  logic [7:0]       admit_count, leave_count;
  logic             unused_padding;

  assign all_ready = &core_ready && to_admit_q != '0;
  assign all_valid = &core_valid;
  assign admit     = valid_i && all_ready;
  assign leave     = all_valid && ready_i;

  always_comb begin
    admit_count = to_admit_q < 32'(Lanes) ? to_admit_q[7:0] : 8'(Lanes);
    leave_count = to_leave_q < 32'(Lanes) ? to_leave_q[7:0] : 8'(Lanes);
    admitted_o  = admit ? admit_count : '0;
    left_o      = leave ? leave_count : '0;
    to_admit_d  = start_i ? events_i : to_admit_q - 32'(admitted_o);
    to_leave_d  = start_i ? events_i : to_leave_q - 32'(left_o);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      to_admit_q <= '0;
      to_leave_q <= '0;
    end else begin
      to_admit_q <= to_admit_d;
      to_leave_q <= to_leave_d;
    end
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OutputWidth-1:0] scores;

    kan_core u_core (
      .clk_i           (clk_i),
      .rst_ni          (rst_ni),
      .valid_i         (admit),
      .ready_o         (core_ready[i]),
      .codes_i         (data_i[i*InputRecordBits+:InputWidth]),
      .bank_i          (bank_i),
      .table_valid_i   (table_valid_i),
      .table_address_i (table_address_i),
      .table_data_i    (table_data_i),
      .valid_o         (core_valid[i]),
      .ready_i         (leave),
      .scores_o        (scores)
    );

    assign data_o[i*OutputRecordBits+:OutputRecordBits] = OutputRecordBits'(scores);
  end

  assign unused_padding = ^data_i;
  assign ready_o  = all_ready;
  assign valid_o  = all_valid;
  assign last_o   = to_leave_q <= 32'(Lanes);
  assign hungry_o = all_ready && !valid_i;

`ifndef SYNTHESIS
  initial assert (InputRecordBits >= InputWidth && OutputRecordBits >= OutputWidth && Lanes < 128)
    else $error("kan_lanes: records of %0d and %0d bits, expected at least %0d and %0d",
                InputRecordBits, OutputRecordBits, InputWidth, OutputWidth);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   core_ready == '0 || core_ready == {Lanes{1'b1}})
    else $error("kan_lanes: lanes out of step");
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o |-> to_leave_q != '0)
    else $error("kan_lanes: a result of no event");
`endif
endmodule
