# What both scripts need: options of the command line, and the sources of a compiled design with its shell.

# "--name value" pairs of argv over `defaults`, a dict of every known option. An empty default must be given.
proc read_options {arguments defaults} {
  set options $defaults
  foreach {name value} $arguments {
    set key [string range $name 2 end]
    if {![string match --* $name] || ![dict exists $defaults $key]} {
      error "unknown option $name; known: --[join [dict keys $defaults] { --}]"
    }
    if {$value eq ""} { error "option $name needs a value" }
    dict set options $key $value
  }
  dict for {key value} $options {
    if {$value eq ""} { error "option --$key is missing" }
  }
  return $options
}

proc lines_of {path} {
  if {![file exists $path]} { error "no such file: $path" }
  set channel [open $path r]
  set text [read $channel]
  close $channel
  return [lsearch -all -inline -not -exact [split $text "\n"] ""]
}

# Files in compile order: packages first, then the design of <design>/rtl/files.f, then what it lacks of the shell.
proc design_sources {design rtl} {
  set sources {}
  set names {}
  foreach line [lines_of [file join $design rtl files.f]] {
    set path [file join $design rtl [string trim $line]]
    if {![file exists $path]} { error "$path is named in files.f and does not exist" }
    lappend names [file tail $path]
    if {[string match *_pkg.sv $path]} { set sources [linsert $sources 0 $path] } else { lappend sources $path }
  }
  if {"kan_design_pkg.sv" ni $names} { error "$design holds no compiled design: kan_design_pkg.sv is not in rtl/files.f" }
  foreach path [lsort [glob -directory $rtl *.sv]] {
    if {[file tail $path] in $names} { continue }
    if {[string match *_pkg.sv $path]} { set sources [linsert $sources 0 $path] } else { lappend sources $path }
  }
  return $sources
}

# "fixed" or "overlay", from design.json.
proc design_target {design} {
  set text [join [lines_of [file join $design rtl design.json]] "\n"]
  if {![regexp {"target":\s*"(fixed|overlay)"} $text -> target]} {
    error "$design/rtl/design.json names no target, expected fixed or overlay"
  }
  return $target
}
