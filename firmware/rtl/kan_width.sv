// Changes the width of a stream: cuts words into narrower ones, lowest bits first, or joins
// them.
// Handshake: valid/ready on both sides; once valid_o is high it and data_o stay until ready_i.
// Latency: 1 cycle after the last word that is needed; a word a cycle on the narrower side. When
// joining, last_i sends off a word that is not full, with zeros above. One width divides the
// other.
module kan_width #(
  parameter int unsigned InWidth  = 512,
  parameter int unsigned OutWidth = 128
) (
  input  logic                clk_i,
  input  logic                rst_ni,  // synchronous, active low: forgets what it holds
  input  logic                valid_i,
  output logic                ready_o,
  input  logic                last_i,  // used when joining only
  input  logic [InWidth-1:0]  data_i,
  output logic                valid_o,
  input  logic                ready_i,
  output logic [OutWidth-1:0] data_o
);
  localparam int unsigned Parts = InWidth > OutWidth ? InWidth / OutWidth : OutWidth / InWidth;
  localparam int unsigned IndexWidth = Parts > 1 ? $clog2(Parts) : 1;

  logic                  valid_d, valid_q;
  logic [IndexWidth-1:0] index_d, index_q;  // the part that leaves or comes next
  logic                  final_d, final_q;  // index_q is that of the last part
  logic                  load;              // data_i goes into data_q

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      index_q <= '0;
      final_q <= Parts == 1;
    end else begin
      valid_q <= valid_d;
      index_q <= index_d;
      final_q <= final_d;
    end
  end

  assign final_d = index_d == IndexWidth'(Parts - 1);

  if (InWidth > OutWidth) begin : gen_cut
    logic [InWidth-1:0] data_q;
    logic               leave;
    logic               unused_last;

    always_comb begin
      leave   = valid_q && ready_i;
      ready_o = !valid_q || (ready_i && final_q);
      load    = valid_i && ready_o;
      valid_d = load || (valid_q && !(ready_i && final_q));
      index_d = index_q;
      if (leave) index_d = final_q ? '0 : index_q + 1'b1;
    end

    always_ff @(posedge clk_i) begin
      if (load || leave) data_q <= load ? data_i : {{OutWidth{1'b0}}, data_q[InWidth-1:OutWidth]};
    end

    assign unused_last = last_i;
    assign data_o = data_q[OutWidth-1:0];
  end else begin : gen_join
    logic [OutWidth-1:0] data_q;
    logic                full;

    always_comb begin
      ready_o = !valid_q || ready_i;
      load    = valid_i && ready_o;
      full    = last_i || final_q;
      valid_d = (load && full) || (valid_q && !ready_i);
      index_d = index_q;
      if (load) index_d = full ? '0 : index_q + 1'b1;
    end

    for (genvar i = 0; i < Parts; i++) begin : gen_part
      always_ff @(posedge clk_i) begin
        if (i != 0 && load && index_q == '0) data_q[i*InWidth+:InWidth] <= '0;
        else if (load && index_q == IndexWidth'(i)) data_q[i*InWidth+:InWidth] <= data_i;
      end
    end

    assign data_o = data_q;
  end

  assign valid_o = valid_q;

`ifndef SYNTHESIS
  initial assert (InWidth > OutWidth ? InWidth % OutWidth == 0 : OutWidth % InWidth == 0)
    else $error("kan_width: %0d bits in and %0d out, expected one to divide the other",
                InWidth, OutWidth);
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o)
    else $error("kan_width: valid_o fell before ready_i");
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(data_o))
    else $error("kan_width: data_o changed before ready_i");
`endif
endmodule
