// Sums signed terms, each from the bank in use: two by two, then three by three, a register after
// each level, each level wider up to `SumWidth`. The sum wraps: it is right when it fits
// `SumWidth`, whatever its parts did on the way.
// Latency: 1 cycle and 1 for each level of three: ceil(log3(ceil(Terms / 2))); one sum a clock.
module kan_overlay_sum #(
  parameter int unsigned Terms     = 10,
  parameter int unsigned TermWidth = 8,
  parameter int unsigned SumWidth  = 12  // >= TermWidth
) (
  input  logic                       clk_i,
  input  logic                       bank_i,
  input  logic [Terms*TermWidth-1:0] terms0_i,  // of bank 0; term 0 lowest
  input  logic [Terms*TermWidth-1:0] terms1_i,
  output logic [SumWidth-1:0]        sum_o      // signed
);

  localparam int unsigned Pairs     = (Terms + 1) / 2;
  localparam int unsigned PairWidth = (TermWidth < SumWidth) ? TermWidth + 1 : SumWidth;

  // Of the terms that go into level `level` of three: how many, how wide, where they lie in `line`.
  function automatic int unsigned terms_of(int unsigned level);
    terms_of = Pairs;
    for (int unsigned l = 0; l < level; l++) terms_of = (terms_of + 2) / 3;
  endfunction
  function automatic int unsigned width_of(int unsigned level);
    width_of = (PairWidth + 2 * level < SumWidth) ? PairWidth + 2 * level : SumWidth;
  endfunction
  function automatic int unsigned begin_of(int unsigned level);
    begin_of = 0;
    for (int unsigned l = 0; l < level; l++) begin_of = begin_of + terms_of(l) * width_of(l);
  endfunction
  function automatic int unsigned levels_of();
    levels_of = 0;
    for (int unsigned l = 0; l < 8; l++) if (terms_of(l) > 1) levels_of = l + 1;
  endfunction

  localparam int unsigned Levels    = levels_of();
  localparam int unsigned LineWidth = begin_of(Levels + 1);
  localparam int unsigned LastWidth = width_of(Levels);

  logic [LineWidth-1:0]        line;
  logic signed [LastWidth-1:0] last;

  for (genvar p = 0; p < Pairs; p++) begin : gen_pair
    localparam int unsigned A = 2 * p;
    localparam int unsigned B = (2 * p + 1 < Terms) ? 2 * p + 1 : A;
    localparam logic [TermWidth-1:0] Keep = {TermWidth{B != A}};  // an odd last term adds nothing
    kan_overlay_add #(
      .TermWidth(TermWidth),
      .SumWidth (PairWidth)
    ) u_add (
      .clk_i,
      .bank_i,
      .a0_i (terms0_i[A*TermWidth+:TermWidth]),
      .a1_i (terms1_i[A*TermWidth+:TermWidth]),
      .b0_i (terms0_i[B*TermWidth+:TermWidth] & Keep),
      .b1_i (terms1_i[B*TermWidth+:TermWidth] & Keep),
      .sum_o(line[p*PairWidth+:PairWidth])
    );
  end

  for (genvar l = 0; l < Levels; l++) begin : gen_level
    localparam int unsigned LevelTerms = terms_of(l);
    localparam int unsigned LevelWidth = width_of(l);
    localparam int unsigned LevelBegin = begin_of(l);
    localparam int unsigned NextTerms  = terms_of(l + 1);
    localparam int unsigned NextWidth  = width_of(l + 1);
    localparam int unsigned NextBegin  = begin_of(l + 1);
    kan_overlay_triples #(
      .Terms    (LevelTerms),
      .TermWidth(LevelWidth),
      .SumWidth (NextWidth)
    ) u_triples (
      .clk_i,
      .terms_i(line[LevelBegin+:LevelTerms*LevelWidth]),
      .sums_o (line[NextBegin+:NextTerms*NextWidth])
    );
  end

  assign last  = line[LineWidth-1-:LastWidth];
  assign sum_o = SumWidth'(last);

endmodule
