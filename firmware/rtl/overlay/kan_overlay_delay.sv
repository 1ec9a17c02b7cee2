// Delays a vector by `Cycles` clocks, 1 or more. No reset and no enable, so that it maps to shift-
// register LUTs.
module kan_overlay_delay #(
  parameter int unsigned Width  = 8,
  parameter int unsigned Cycles = 4
) (
  input  logic             clk_i,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);

  logic [Cycles*Width-1:0] line_q;

  if (Cycles == 1) begin : gen_register
    always_ff @(posedge clk_i) line_q <= data_i;
  end else begin : gen_line
    always_ff @(posedge clk_i) line_q <= {line_q[(Cycles-1)*Width-1:0], data_i};
  end

  assign data_o = line_q[Cycles*Width-1-:Width];

endmodule
