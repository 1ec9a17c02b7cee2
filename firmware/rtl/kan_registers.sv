// The arguments of kan_kernel and what its registers read, control and counters aside (inputs
// here). Offsets are those of kan_register_pkg. read_data_o belongs to read_address_i in the
// same cycle.
module kan_registers #(
  parameter int unsigned LaneCount        = 4,
  parameter int unsigned InputRecordSize  = 32,  // bits
  parameter int unsigned OutputRecordSize = 16,  // bits
  parameter int unsigned SelfTestWords    = 256,
  parameter bit          Overlay          = 1'b0
) (
  input  logic        clk_i,
  input  logic        rst_ni,  // synchronous, active low
  input  logic        write_i,
  input  logic [11:0] write_address_i,
  input  logic [31:0] write_data_i,
  input  logic [3:0]  write_strobe_i,
  input  logic [11:0] read_address_i,
  output logic [31:0] read_data_o,
  input  logic [31:0] control_i,
  input  logic [31:0] global_i,
  input  logic [31:0] enable_i,
  input  logic [31:0] status_i,
  input  logic [31:0] counter_i,  // 0 unless read_address_i is a counter's
  input  logic [4:0]  error_i,
  input  logic [31:0] mismatches_i,
  output logic [63:0] input_o,
  output logic [63:0] output_o,
  output logic [31:0] events_o,
  output logic        bank_o,
  output logic [31:0] mode_o,
  output logic [31:0] table_first_o,
  output logic        table_write_o,  // write_data_i goes to table word table_address_o
  output logic [31:0] table_address_o
);
  localparam int unsigned SelfTestEvents = SelfTestWords * 512 / OutputRecordSize;

  logic [31:0] write_mask;
  logic [63:0] input_q, output_q;
  logic [31:0] events_q, bank_q, mode_q, table_first_q, table_address_q;
  logic [7:0]  digest_shift;
  logic [31:0] digest_word;

  always_comb begin
    for (int unsigned i = 0; i < 4; i++) write_mask[8*i+:8] = {8{write_strobe_i[i]}};
    table_write_o = write_i && write_address_i == kan_register_pkg::TableData;
    digest_shift  = {read_address_i[4:2], 5'd0};
    digest_word   = 32'(kan_design_pkg::ModelDigest >> digest_shift);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      input_q         <= '0;
      output_q        <= '0;
      events_q        <= '0;
      bank_q          <= '0;
      mode_q          <= '0;
      table_first_q   <= '0;
      table_address_q <= '0;
    end else if (write_i) begin
      case (write_address_i)
        kan_register_pkg::Input:
          input_q[31:0] <= (input_q[31:0] & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::Input + 12'd4:
          input_q[63:32] <= (input_q[63:32] & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::Output:
          output_q[31:0] <= (output_q[31:0] & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::Output + 12'd4:
          output_q[63:32] <= (output_q[63:32] & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::Events:
          events_q <= (events_q & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::Bank:
          bank_q <= (bank_q & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::Mode:
          mode_q <= (mode_q & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::TableFirst:
          table_first_q <= (table_first_q & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::TableAddress:
          table_address_q <= (table_address_q & ~write_mask) | (write_data_i & write_mask);
        kan_register_pkg::TableData: table_address_q <= table_address_q + 32'd1;
        default: ;
      endcase
    end
  end

  always_comb begin
    unique case (read_address_i)
      kan_register_pkg::Control:             read_data_o = control_i;
      kan_register_pkg::InterruptGlobal:     read_data_o = global_i;
      kan_register_pkg::InterruptEnable:     read_data_o = enable_i;
      kan_register_pkg::InterruptStatus:     read_data_o = status_i;
      kan_register_pkg::Input:               read_data_o = input_q[31:0];
      kan_register_pkg::Input + 12'd4:       read_data_o = input_q[63:32];
      kan_register_pkg::Output:              read_data_o = output_q[31:0];
      kan_register_pkg::Output + 12'd4:      read_data_o = output_q[63:32];
      kan_register_pkg::Events:              read_data_o = events_q;
      kan_register_pkg::Bank:                read_data_o = bank_q;
      kan_register_pkg::Mode:                read_data_o = mode_q;
      kan_register_pkg::TableFirst:          read_data_o = table_first_q;
      kan_register_pkg::Magic:               read_data_o = kan_register_pkg::MagicValue;
      kan_register_pkg::InterfaceVersion:    read_data_o = kan_register_pkg::InterfaceVersionValue;
      kan_register_pkg::Target:              read_data_o = 32'(Overlay);
      kan_register_pkg::Lanes:               read_data_o = 32'(LaneCount);
      kan_register_pkg::InputBits:           read_data_o = 32'(kan_design_pkg::InputWidth);
      kan_register_pkg::InputRecordBits:     read_data_o = 32'(InputRecordSize);
      kan_register_pkg::OutputBits:          read_data_o = 32'(kan_design_pkg::OutputWidth);
      kan_register_pkg::OutputRecordBits:    read_data_o = 32'(OutputRecordSize);
      kan_register_pkg::Latency:             read_data_o = 32'(kan_design_pkg::Latency);
      kan_register_pkg::Features:            read_data_o = 32'(kan_design_pkg::FeatureCount);
      kan_register_pkg::Outputs:             read_data_o = 32'(kan_design_pkg::OutputCount);
      kan_register_pkg::SelfTestEvents:      read_data_o = 32'(SelfTestEvents);
      kan_register_pkg::Error:               read_data_o = {27'd0, error_i};
      kan_register_pkg::Mismatches:          read_data_o = mismatches_i;
      kan_register_pkg::TableAddress:        read_data_o = table_address_q;
      default:                               read_data_o = counter_i;
    endcase
    if (read_address_i[11:5] == kan_register_pkg::ModelDigest[11:5]) read_data_o = digest_word;
  end

  assign input_o         = input_q;
  assign output_o        = output_q;
  assign events_o        = events_q;
  assign bank_o          = bank_q[0];
  assign mode_o          = mode_q;
  assign table_first_o   = table_first_q;
  assign table_address_o = table_address_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) table_write_o |=>
                   table_address_q == $past(table_address_q) + 32'd1)
    else $error("kan_registers: table_address did not move on");
`endif
endmodule
