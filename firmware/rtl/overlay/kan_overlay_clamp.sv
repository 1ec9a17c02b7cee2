// Clamps a signed sum to 0 .. span. Above the sign, all bits past the code's are one question: none
// or any.
// Latency: 1 cycle; one result a clock.
module kan_overlay_clamp #(
  parameter int unsigned SumWidth = 12,  // > OutWidth
  parameter int unsigned OutWidth = 6
) (
  input  logic                clk_i,
  input  logic [SumWidth-1:0] sum_i,   // signed
  input  logic [OutWidth-1:0] span_i,  // the highest code
  output logic [OutWidth-1:0] code_o
);

  logic                over;
  logic [OutWidth-1:0] code_d, code_q;

  assign over = (|sum_i[SumWidth-1:OutWidth]) || sum_i[OutWidth-1:0] > span_i;

  always_comb begin
    code_d = sum_i[OutWidth-1:0];
    if (sum_i[SumWidth-1]) begin
      code_d = '0;
    end else if (over) begin
      code_d = span_i;
    end
  end

  always_ff @(posedge clk_i) code_q <= code_d;

  assign code_o = code_q;

endmodule
