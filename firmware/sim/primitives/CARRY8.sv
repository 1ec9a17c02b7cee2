// Behaviour of AMD's CARRY8, for simulation only: eight bits of a carry chain, or two times four. Combinational.
// O[i] = S[i] ^ carry into bit i; CO[i] = S[i] ? carry into bit i : DI[i].
//
// Written as a sum, which a simulator evaluates at once: with a = S | DI and b = ~S & DI, bit i of a + b propagates
// a carry where S is set and generates DI where it is not. The sum's bits are O; what they differ from S by are
// the carries.
module CARRY8 #(
  parameter CARRY_TYPE = "SINGLE_CY8"  // or "DUAL_CY4": CI_TOP enters at bit 4
) (
  output logic [7:0] CO,
  output logic [7:0] O,
  input  logic       CI,
  input  logic       CI_TOP,
  input  logic [7:0] DI,
  input  logic [7:0] S
);
  if (CARRY_TYPE == "DUAL_CY4") begin : gen_dual
    logic [4:0] low;
    logic [4:0] high;
    assign low  = {1'b0, S[3:0] | DI[3:0]} + {1'b0, ~S[3:0] & DI[3:0]} + {4'b0, CI};
    assign high = {1'b0, S[7:4] | DI[7:4]} + {1'b0, ~S[7:4] & DI[7:4]} + {4'b0, CI_TOP};
    assign O    = {high[3:0], low[3:0]};
    assign CO   = {high[4:1] ^ {1'b0, S[7:5]}, low[4:1] ^ {1'b0, S[3:1]}};
  end else begin : gen_single
    logic [8:0] sum;
    logic       unused_ci_top;
    assign sum           = {1'b0, S | DI} + {1'b0, ~S & DI} + {8'b0, CI};
    assign O             = sum[7:0];
    assign CO            = sum[8:1] ^ {1'b0, S[7:1]};
    assign unused_ci_top = CI_TOP;
  end
endmodule
