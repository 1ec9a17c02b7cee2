// The package of the hand-made test design: as kanc writes it, with shapes chosen by macros.
`ifndef KAN_TEST_INPUT_WIDTH
`define KAN_TEST_INPUT_WIDTH 24
`endif
`ifndef KAN_TEST_OUTPUT_WIDTH
`define KAN_TEST_OUTPUT_WIDTH 9
`endif
`ifndef KAN_TEST_LATENCY
`define KAN_TEST_LATENCY 5
`endif
package kan_design_pkg;
  localparam int unsigned InputWidth = `KAN_TEST_INPUT_WIDTH;
  localparam int unsigned OutputWidth = `KAN_TEST_OUTPUT_WIDTH;
  localparam int unsigned Latency = `KAN_TEST_LATENCY;
  localparam int unsigned FeatureCount = 4;
  localparam int unsigned OutputCount = 1;
  localparam logic [255:0] ModelDigest =
      256'h0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210;
endpackage
