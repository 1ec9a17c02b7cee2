// The multiplexer behind two LUTs, for functions of 7 inputs (Wide 7), or behind two of these (Wide 8).
// Combinational.
module kan_mux #(
  parameter int unsigned Wide = 7
) (
  input  logic low_i,   // both from a kan_lut, or both from a kan_mux
  input  logic high_i,
  input  logic select_i,
  output logic y_o
);
  if (Wide == 7) begin : gen_f7
    MUXF7 u_mux (
      .O (y_o),
      .I0(low_i),
      .I1(high_i),
      .S (select_i)
    );
  end else begin : gen_f8
    MUXF8 u_mux (
      .O (y_o),
      .I0(low_i),
      .I1(high_i),
      .S (select_i)
    );
  end
endmodule
