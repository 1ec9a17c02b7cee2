# Packages kan_kernel over a compiled design as an RTL kernel (.xo) for v++ --link:
#   vivado -mode batch -source package.tcl -tclargs --design D --out O/kan_kernel.xo \
#     [--part xcu50-fsvh2104-2-e] [--protocol ap_ctrl_hs | ap_ctrl_chain] [--kernel_xml kernel.xml]
# Another protocol needs its own kernel.xml: kanc registers --format xml --protocol ap_ctrl_chain
set here [file dirname [file normalize [info script]]]
source [file join $here design.tcl]

set options [read_options $argv [dict create design "" out "" part xcu50-fsvh2104-2-e protocol ap_ctrl_hs \
                                   kernel_xml [file join $here .. kernel.xml]]]
dict with options {}
if {$protocol ni {ap_ctrl_hs ap_ctrl_chain}} { error "--protocol $protocol: expected ap_ctrl_hs or ap_ctrl_chain" }
if {![regexp "hwControlProtocol=\"$protocol\"" [join [lines_of $kernel_xml] "\n"]]} {
  error "$kernel_xml is not for $protocol; make one with: kanc registers --format xml --protocol $protocol"
}
set work [file rootname $out].work
file delete -force $work
file mkdir $work

# The packager takes the top's own defaults for its parameters, so they are written into a copy of it.
set top [file join $work kan_kernel_top.v]
set defaults [list "CHAIN   = 0" "CHAIN   = [expr {$protocol eq "ap_ctrl_chain"}]" \
                "OVERLAY = 0" "OVERLAY = [expr {[design_target $design] eq "overlay"}]"]
set channel [open $top w]
puts $channel [string map $defaults [join [lines_of [file join $here kan_kernel_top.v]] "\n"]]
close $channel

create_project -force kan_kernel [file join $work project] -part $part
add_files -norecurse [list {*}[design_sources $design [file join $here .. .. rtl]] $top]
set_property top kan_kernel_top [current_fileset]
update_compile_order -fileset sources_1

set ip [file join $work ip]
ipx::package_project -root_dir $ip -vendor kantrig -library kernel -taxonomy /KernelIP -import_files -set_current true
set core [ipx::current_core]
set_property name kan_kernel $core
set_property version 1.0 $core
set_property display_name kan_kernel $core
foreach parameter [ipx::get_user_parameters -of_objects $core] {
  ipx::remove_user_parameter [get_property NAME $parameter] $core
}
set_property sdx_kernel true $core
set_property sdx_kernel_type rtl $core
ipx::infer_bus_interface ap_clk xilinx.com:signal:clock_rtl:1.0 $core
ipx::infer_bus_interface ap_rst_n xilinx.com:signal:reset_rtl:1.0 $core
ipx::infer_bus_interface interrupt xilinx.com:signal:interrupt_rtl:1.0 $core
ipx::associate_bus_interfaces -busif s_axi_control -clock ap_clk $core
ipx::associate_bus_interfaces -busif m_axi_gmem -clock ap_clk $core
set_property supported_families {} $core
set_property auto_family_support_level level_2 $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity -kernel $core
ipx::save_core $core
close_project

file delete -force $out
package_xo -xo_path $out -kernel_name kan_kernel -ip_directory $ip -kernel_xml $kernel_xml
puts "kantrig: packaged $out"
