// Behaviour of AMD's CARRY8, for simulation only: eight bits of a carry chain, or two times four. Combinational.
// O[i] = S[i] ^ carry into bit i; CO[i] = S[i] ? carry into bit i : DI[i].
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
  logic carry;

  always_comb begin
    carry = CI;
    for (int unsigned i = 0; i < 8; i++) begin
      if (i == 4 && CARRY_TYPE == "DUAL_CY4") carry = CI_TOP;
      O[i] = S[i] ^ carry;
      carry = S[i] ? carry : DI[i];
      CO[i] = carry;
    end
  end
endmodule
