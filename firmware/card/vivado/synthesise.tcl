# Out-of-context synthesis, placement and routing of a compiled design, with reports of timing and utilisation:
#   vivado -mode batch -source synthesise.tcl -tclargs --design D --out O \
#     [--part xcu50-fsvh2104-2-e] [--top kan_datapath | kan_kernel | kan_stream] [--period_ns 3.333]
set here [file dirname [file normalize [info script]]]
source [file join $here design.tcl]

set options [read_options $argv [dict create design "" out "" part xcu50-fsvh2104-2-e top kan_datapath period_ns 3.333]]
dict with options {}
set clocks {kan_datapath clk_i kan_kernel ap_clk kan_stream aclk}
if {![dict exists $clocks $top]} { error "--top $top: expected one of [dict keys $clocks]" }
file mkdir $out

# The constraint is a file, so that it holds before synthesis.
set constraints [file join $out clock.xdc]
set channel [open $constraints w]
puts $channel "create_clock -name clock -period $period_ns \[get_ports [dict get $clocks $top]\]"
close $channel

create_project -in_memory -part $part
read_verilog -sv [design_sources $design [file join $here .. .. rtl]]
read_xdc -mode out_of_context $constraints
set generics {}
if {$top eq "kan_kernel" && [design_target $design] eq "overlay"} { set generics [list -generic "Overlay=1'b1"] }
synth_design -mode out_of_context -top $top -part $part -flatten_hierarchy rebuilt {*}$generics
report_utilization -hierarchical -file [file join $out utilisation_synthesis.rpt]
opt_design
place_design
phys_opt_design
route_design
report_utilization -hierarchical -file [file join $out utilisation.rpt]
report_timing_summary -file [file join $out timing_summary.rpt]
report_timing -max_paths 10 -file [file join $out timing_paths.rpt]
write_checkpoint -force [file join $out $top.dcp]
set slack [get_property SLACK [get_timing_paths]]
puts "kantrig: $top on $part: worst slack $slack ns at a period of $period_ns ns"
if {$slack ne "" && $slack < 0} { exit 1 }
