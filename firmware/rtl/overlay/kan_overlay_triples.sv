// One level of an adder tree: adds signed terms three by three; two that are left are added, one
// passes.
// Latency: 1 cycle; one result a clock. Sums wrap.
module kan_overlay_triples #(
  parameter  int unsigned Terms     = 8,
  parameter  int unsigned TermWidth = 8,
  parameter  int unsigned SumWidth  = 10,  // >= TermWidth
  localparam int unsigned Sums      = (Terms + 2) / 3
) (
  input  logic                       clk_i,
  input  logic [Terms*TermWidth-1:0] terms_i,  // term 0 lowest
  output logic [Sums*SumWidth-1:0]   sums_o
);

  logic [Terms*SumWidth-1:0] wide;
  logic [Sums*SumWidth-1:0]  sums_d, sums_q;

  for (genvar t = 0; t < Terms; t++) begin : gen_term
    logic signed [TermWidth-1:0] narrow;
    assign narrow = terms_i[t*TermWidth+:TermWidth];
    assign wide[t*SumWidth+:SumWidth] = SumWidth'(narrow);
  end

  for (genvar s = 0; s < Sums; s++) begin : gen_sum
    if (3 * s + 2 < Terms) begin : gen_three
      kan_add3 #(
        .Width   (SumWidth),
        .OutWidth(SumWidth)
      ) u_add (
        .a_i    (wide[3*s*SumWidth+:SumWidth]),
        .b_i    (wide[(3*s+1)*SumWidth+:SumWidth]),
        .c_i    (wide[(3*s+2)*SumWidth+:SumWidth]),
        .carry_i(2'b00),
        .sum_o  (sums_d[s*SumWidth+:SumWidth])
      );
    end else if (3 * s + 1 < Terms) begin : gen_two
      kan_add2 #(
        .Width   (SumWidth),
        .OutWidth(SumWidth)
      ) u_add (
        .a_i    (wide[3*s*SumWidth+:SumWidth]),
        .b_i    (wide[(3*s+1)*SumWidth+:SumWidth]),
        .carry_i(1'b0),
        .sum_o  (sums_d[s*SumWidth+:SumWidth])
      );
    end else begin : gen_one
      assign sums_d[s*SumWidth+:SumWidth] = wide[3*s*SumWidth+:SumWidth];
    end
  end

  always_ff @(posedge clk_i) sums_q <= sums_d;

  assign sums_o = sums_q;

endmodule
