// The way into the overlay: registers events, so that table words, which take that clock to be
// decoded, stay in order with them, and lets only words pass whose address the overlay has.
// Latency: 1 cycle for codes and bank, none for table words.
module kan_overlay_entry #(
  parameter int unsigned InputWidth   = 96,
  parameter int unsigned AddressWidth = 15  // below 32
) (
  input  logic                    clk_i,
  input  logic [InputWidth-1:0]   codes_i,
  input  logic                    bank_i,
  input  logic                    table_valid_i,
  input  logic [31:0]             table_address_i,
  output logic [InputWidth-1:0]   codes_o,
  output logic                    bank_o,
  output logic                    table_valid_o,
  output logic [AddressWidth-1:0] table_address_o
);

  logic [InputWidth-1:0] codes_q;
  logic                  bank_q;

  always_ff @(posedge clk_i) begin
    codes_q <= codes_i;
    bank_q  <= bank_i;
  end

  assign codes_o         = codes_q;
  assign bank_o          = bank_q;
  assign table_valid_o   = table_valid_i && table_address_i[31:AddressWidth] == '0;
  assign table_address_o = table_address_i[AddressWidth-1:0];

endmodule
